package attack

import (
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// spin is the last part of a wait, which is burnt: the kernel takes about so
// long to wake a sleeper.
const spin = 70 * time.Microsecond

// short is how long a wait may be that is burnt whole, by one thread at a time
// where there are others. A processor that has nothing to do for a moment is
// given to something else, or halts, and what follows is a few microseconds
// late; at high rates that is most of what a sender is late by.
const short = 600 * time.Microsecond

var burning atomic.Bool

// finish ends a wait that is almost over, below the resolution of the
// runtime's timers, which sleep in whole milliseconds of epoll_wait.
func finish(left func() time.Duration) {
	switch d := left(); {
	case d <= spin:
	case d <= short && runtime.GOMAXPROCS(0) > 1 && burning.CompareAndSwap(false, true):
		defer burning.Store(false)
	default:
		nap(d - spin)
	}
	for left() > 0 {
	}
}

// nap sleeps in the kernel.
func nap(d time.Duration) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// The kernel may add 50 µs to any sleep, to wake sleepers together.
	// Without the permission it does, and the request is a little late.
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	ts := unix.NsecToTimespec(int64(d))
	_ = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &ts, nil) // if it is interrupted, the rest is burnt
}
