package attack

import (
	"time"

	"golang.org/x/sys/unix"
)

// spin is the last part of a wait, which is burnt: the kernel wakes a sleeper
// about so late.
const spin = 60 * time.Microsecond

// finish ends a wait that is almost over, below the resolution of the
// runtime's timers, which sleep in whole milliseconds of epoll_wait.
func finish(left func() time.Duration) {
	if sleep := left() - spin; sleep > 0 {
		ts := unix.NsecToTimespec(int64(sleep))
		// An interrupted sleep is made up for below.
		_ = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &ts, nil)
	}
	for left() > 0 {
	}
}
