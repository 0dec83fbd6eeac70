package limiter

import "time"

// A Decision is what a limiter says to one request.
type Decision struct {
	OK        bool
	Remaining int64 // how many more would be admitted at this same moment

	// Wait is the time from this moment to the earliest one at which a request
	// would be admitted if no other came before it. It is 0 if one would be
	// admitted at once. It is exact: one nanosecond less is too early.
	Wait time.Duration
}

// A Limiter is the state of one counter as a value: Take returns the state
// after the request and leaves its receiver as it was, so that several orders
// may be tried from one point.
type Limiter interface {
	// Take decides a request at a moment. A moment before the latest one seen
	// is taken as the latest one seen.
	Take(at time.Duration) (Decision, Limiter)
}

// A Model is an algorithm that limits rates. To add one, write it in a file of
// its own and list it in [Models].
type Model struct {
	Name    string
	Doc     string  // one sentence; says which fields of Limit it reads
	Reading Reading // the reading that it implements

	// New returns a full, unused limiter. It fails if the limit has values
	// that the model cannot hold.
	New func(Limit) (Limiter, error)
}
