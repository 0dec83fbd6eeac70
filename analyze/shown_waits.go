package analyze

import "time"

// Waits sets what rejections told their clients to wait beside what they really
// had to. Retries that were still rejected bound the real wait from below, the
// first admission bounds it from above.
type Waits struct {
	Points []WaitPoint // at most mostWaits, spread evenly over all that are not wrong
	Wrong  []WaitPoint // the first mostWrongWaits that are
	N      int         // rejections whose real wait is known within bounds
	Shorts int         // retries that waited as told and were rejected again
	Longs  int         // rejections that told more than needed and rounding explains

	every int // one of so many is kept
}

// A WaitPoint is one rejection.
type WaitPoint struct {
	At       time.Duration // when it was answered
	Told     time.Duration
	Rounding time.Duration // how much more than needed may be told
	Least    time.Duration // the real wait was above it
	Most     time.Duration // and at most this; 0: no bound
	Short    bool          // a retry that waited as told was rejected again
	Long     bool          // told more than needed and rounding explains
}

// How many rejections are kept for drawing.
const (
	mostWaits      = 240
	mostWrongWaits = 60
)

// add counts a rejection, and keeps some. Where they become too many, every
// second goes.
func (w *Waits) add(p WaitPoint) {
	w.N++
	if p.Long {
		w.Longs++
		w.wrong(p)
		return
	}
	w.every = max(w.every, 1)
	if w.N%w.every != 0 {
		return
	}
	w.Points = append(w.Points, p)
	if len(w.Points) < mostWaits {
		return
	}
	w.every *= 2
	for i := range mostWaits / 2 {
		w.Points[i] = w.Points[2*i]
	}
	w.Points = w.Points[:mostWaits/2]
}

func (w *Waits) wrong(p WaitPoint) {
	if len(w.Wrong) < mostWrongWaits {
		w.Wrong = append(w.Wrong, p)
	}
}

// short takes a rejection whose retry, sent as told, was rejected again.
func (w *Waits) short(p pair) {
	w.Shorts++
	wait, rounding, _ := p.rejected.Wait.told()
	w.wrong(WaitPoint{At: p.rejected.Answered, Told: wait, Rounding: rounding, Least: p.shown.Sent - p.rejected.Answered, Short: true})
}

// waits returns what a run shows of Retry-After.
func (c *Case) waits() Waits {
	if !judgesRetryAfter(c.Promise) && !tellsWaits(c.Rows) {
		return Waits{}
	}
	return obey(c).waits
}

// tellsWaits reports whether some rejection told a wait that can be counted.
func tellsWaits(rows []Row) bool {
	for i := range rows {
		if rows[i].Wait != 0 {
			return true
		}
	}
	return false
}
