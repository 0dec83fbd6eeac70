package attack

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// spin is the last part of a wait, which is burnt: the kernel takes about so
// long to wake a sleeper.
const spin = 70 * time.Microsecond

// finish ends a wait that is almost over, below the resolution of the
// runtime's timers, which sleep in whole milliseconds of epoll_wait.
func finish(left func() time.Duration) {
	if left() > spin {
		runtime.LockOSThread()
		// The kernel may add 50 µs to any sleep, to wake sleepers together.
		// Without the permission it does, and the request is a little late.
		_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
		ts := unix.NsecToTimespec(int64(left() - spin))
		_ = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &ts, nil) // if it is interrupted, the rest is burnt
		runtime.UnlockOSThread()
	}
	for left() > 0 {
	}
}
