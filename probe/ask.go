package probe

import (
	"time"

	"duckload/limiter"
)

// A Shot is one request that is to be sent: at a moment, or as soon as
// possible where that is past.
type Shot struct {
	At  time.Duration
	Key int // which lane asks, from 0
}

// An Answer is what became of a shot. Its outcome is not judged yet: which
// status means a rejection is for the loop to find out.
type Answer struct {
	Seen
	Status   int    // 0: none came
	Error    string // class of the failure
	Evidence limiter.Fields
	Resent   bool // an attempt that the transport gave up and made again
}

// An Asker sends.
type Asker interface {
	Now() time.Duration

	// Ask sends shots, all of which may be under way at once, and returns when
	// all are answered or given up. Fewer answers than shots mean that no more
	// may be sent.
	Ask([]Shot) []Answer
}
