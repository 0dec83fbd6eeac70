package limiter

import (
	"errors"
	"fmt"
	"math/bits"
	"strings"
	"time"
)

// A Decision is what a limiter says to one request.
type Decision struct {
	OK        bool
	Remaining int64 // how many more would be admitted at this same moment

	// Wait is the time from this moment to the earliest one at which a request
	// would be admitted if no other came before it. It is 0 if one would be
	// admitted at once. It is exact: one nanosecond less is too early. It is
	// [Far] if no time helps, but only the end of another request.
	Wait time.Duration

	// Reset is the time from this moment to the earliest one at which the
	// allowance is whole again if no request comes before it. A limiter left
	// alone for so long is as good as new. It is [Far] if no time helps, but
	// only the end of other requests.
	Reset time.Duration

	// Delay is how long an admitted request is held back before it is served.
	// Only a queue holds any back.
	Delay time.Duration
}

// A Limiter is the state of one counter as a value: Take returns the state
// after the request and leaves its receiver as it was, so that several orders
// may be tried from one point.
type Limiter interface {
	// Take decides a request at a moment. A moment before the latest one seen
	// is taken as the latest one seen, and a new limiter has seen moment 0;
	// Wait and Reset are counted from the moment that was taken. A moment
	// after [Far] is taken as Far.
	Take(at time.Duration) (Decision, Limiter)
}

// A Model is an algorithm that limits requests. To add one, write it in a file of
// its own and list it in [Models].
//
// What a rejected request does under Limit.RejectsConsume is what a counter
// does that is raised before it is read: it counts like an admitted one, as
// far as there is something left to take. A bucket cannot owe: a rejected
// request takes the part of a token that is there and leaves it empty. A log
// notes the moment, and a sliding counter weighs the rejected ones of the
// previous window too, so both can be kept shut by asking too often. In a
// fixed window, and in a bucket that is filled in whole tokens, nothing is
// left to take, and the flag changes nothing. Nor does it where a rejected
// request takes no place: in a queue, and among the requests under way.
type Model struct {
	Name    string
	Doc     string  // one sentence; says which fields of Limit it reads
	Reading Reading // the reading that it implements

	// New returns a full, unused limiter. It fails if the limit has values
	// that the model cannot hold.
	New func(Limit) (Limiter, error)
}

// Models lists every model in the order in which they are shown.
var Models = []Model{
	tokenBucket,
	steppedBucket,
	fixedWindow,
	anchoredWindow,
	slidingLog,
	slidingCounter,
	leakyQueue,
	concurrency,
}

// ModelNamed returns the model of a name; the error lists the names there are.
func ModelNamed(name string) (Model, error) {
	var names []string
	for _, m := range Models {
		if m.Name == name {
			return m, nil
		}
		names = append(names, m.Name)
	}
	return Model{}, fmt.Errorf("unknown limiter model %q (have %s)", name, strings.Join(names, ", "))
}

// ModelOf returns the model that a documented limit describes: the first of
// its reading. An open limit is a bucket where a burst is documented, and a
// window aligned to moment 0 where none is.
func ModelOf(l Limit) Model {
	for _, m := range Models {
		if m.Reading == l.Reading {
			return m
		}
	}
	if l.Burst > 0 {
		return tokenBucket
	}
	return fixedWindow
}

// Far is the end of time, 73 years: the longest window, the longest time that
// a bucket may take to fill, and the latest moment. Sums of two such times
// still fit an int64.
const Far = time.Duration(1) << 61

// most bounds a limit and a burst for the same reason.
const most = int64(1) << 61

// now returns the moment that a request is decided at.
func now(at, latest time.Duration) time.Duration { return min(max(at, latest), Far) }

// windowMistakes names what is wrong with the fields that every model reads.
func windowMistakes(l Limit) error {
	var mistakes []error
	if l.Limit < 1 || l.Limit > most {
		mistakes = append(mistakes, fmt.Errorf("limit must be 1 to %d, got %d", most, l.Limit))
	}
	if l.Window < 1 || l.Window > Far {
		mistakes = append(mistakes, fmt.Errorf("window must be above 0 and at most %s, got %s", Far, l.Window))
	}
	return errors.Join(mistakes...)
}

// bucketMistakes names what is wrong with the fields that every bucket reads.
func bucketMistakes(l Limit) error {
	mistakes := windowMistakes(l)
	if l.Burst < 1 || l.Burst > most {
		mistakes = errors.Join(mistakes, fmt.Errorf("burst must be 1 to %d, got %d", most, l.Burst))
	}
	if mistakes == nil && l.fill() > Far {
		return fmt.Errorf("burst %d at %d/%s takes more than %s to fill; use a smaller burst", l.Burst, l.Limit, Per(l.Window), Far)
	}
	return mistakes
}

// mulDiv returns a·b/c rounded down, and the rest. All are at least 0, c above
// 0. What does not fit is the greatest int64.
func mulDiv(a, b, c int64) (quotient, rest int64) {
	high, low := bits.Mul64(uint64(a), uint64(b))
	if high >= uint64(c) {
		return 1<<63 - 1, 0
	}
	q, r := bits.Div64(high, low, uint64(c))
	if q > 1<<63-1 {
		return 1<<63 - 1, 0
	}
	return int64(q), int64(r)
}

// mulDivUp is mulDiv rounded up.
func mulDivUp(a, b, c int64) int64 {
	q, r := mulDiv(a, b, c)
	if r > 0 {
		q++
	}
	return q
}
