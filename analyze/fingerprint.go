package analyze

import (
	"fmt"
	"time"
)

// A fingerprint is what the numbers in Retry-After look like over a run. It
// decides no verdict: it names a likely reason beside one.
type fingerprint struct {
	n        int
	first    time.Duration
	varied   bool
	grew     int // told more than the rejection before it, though nothing was spent between
	shrank   int
	weighed  int               // rejections of which the real wait is known within bounds
	excluded [len(habits)]bool // by at least one of them
	close    bool              // some number, as milliseconds, comes near to what the real wait was at most
	apart    [2]time.Duration  // least and most of the real waits, as far as they are known
}

// A habit is a way to make a whole number of a wait: told n, the real wait
// was above n + low and at most n + high.
type habit struct {
	name      string
	low, high time.Duration
	unit      time.Duration // what the number counts
}

var habits = [...]habit{
	{"rounded up", -time.Second, 0, time.Second},
	{"rounded down", 0, time.Second, time.Second},
	{"rounded to the nearest second", -time.Second / 2, time.Second / 2, time.Second},
	{"milliseconds", -time.Millisecond, 0, time.Millisecond},
}

const (
	roundedUp = iota
	roundedDown
	roundedNearest
	inMilliseconds
)

// unsure is how much of a measured wait may be the measurement's own.
const unsure = 2 * time.Millisecond

// saw takes the next wait that was told, and the one before it on the same key.
func (p *fingerprint) saw(wait, last time.Duration, sameSpell bool) {
	if p.n == 0 {
		p.first = wait
	}
	p.n++
	p.varied = p.varied || wait != p.first
	if sameSpell && wait > last {
		p.grew++
	}
	if sameSpell && wait < last {
		p.shrank++
	}
}

// between takes a wait that was told and the bounds of the real one.
func (p *fingerprint) between(w Wait, least, most time.Duration) {
	wait, _, ok := w.told()
	if !ok || w&waitKind != waitSeconds {
		return
	}
	if p.weighed == 0 {
		p.apart = [2]time.Duration{most, least}
	}
	p.apart[0] = min(p.apart[0], most)
	p.apart[1] = max(p.apart[1], least)
	p.weighed++
	for i, h := range habits {
		n := time.Duration(wait/time.Second) * h.unit
		if most+unsure <= n+h.low || least-unsure > n+h.high {
			p.excluded[i] = true
		}
		if i == inMilliseconds && n > most/2 {
			p.close = true
		}
	}
}

// short takes a rejection whose retry, sent as told, was rejected again.
func (p *fingerprint) short(early pair) {
	p.between(early.rejected.Wait, early.shown.Sent-early.rejected.Answered, 1<<62)
}

// String says what the numbers look like; empty if nothing stands out.
func (p fingerprint) String() string {
	steady := p.n >= 3 && !p.varied
	switch {
	case p.grew >= 2 && p.shrank == 0:
		return "it grows from one rejection to the next"
	case steady && p.apart[1] > p.apart[0]+time.Second:
		return fmt.Sprintf("it is constant: always %d, whatever the wait", p.first/time.Second)
	case p.weighed == 0 || !p.excluded[roundedUp]:
	case !p.excluded[inMilliseconds] && p.close:
		return "the numbers fit milliseconds"
	case steady:
		return fmt.Sprintf("it is constant: always %d", p.first/time.Second)
	case !p.excluded[roundedDown] && !p.excluded[roundedNearest]:
		return "the waits look rounded down, or to the nearest second, instead of up"
	case !p.excluded[roundedDown]:
		return "the waits look rounded down instead of up"
	case !p.excluded[roundedNearest]:
		return "the waits look rounded to the nearest second instead of up"
	}
	return ""
}
