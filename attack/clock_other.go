//go:build !linux

package attack

import "time"

// finish ends a wait that is almost over, as well as the runtime's timers can.
func finish(left func() time.Duration) {
	for d := left(); d > 0; d = left() {
		time.Sleep(d)
	}
}
