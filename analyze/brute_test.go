package analyze

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"duckload/history"
	"duckload/limiter"
)

// A puzzle is a small history in whole ticks, and the limiter that it is held
// against. The decider tries all orders and all placements on the grid of
// ticks; intervals and windows are whole multiples of four of them, so that
// between two moments that matter there is always room.
type puzzle struct {
	reading limiter.Reading
	limit   int
	burst   int // of a bucket, refilled by one every window/limit
	window  int // ticks
	fresh   bool
	asked   []call
}

type call struct {
	sent, answered int // answered is never for no answer
	outcome        limiter.Outcome
}

const (
	never = 1 << 20
	tick  = 250 * time.Millisecond
	unit  = 4 // ticks
)

// A state is where the decider has come to: which requests are decided, when
// the last one was, and what the limiter remembers.
type state struct {
	decided uint16
	now     int
	memory
}

// A memory is what a limiter remembers: of a bucket, when it is full again; of
// a window, when it began, its count, and whether it is anchored; of a log, the
// moments that count, gone where there are fewer.
type memory [3]int

const gone = -never

// explained reports whether some order and placement of some of the requests
// gives each the outcome that it had.
func (p puzzle) explained(chosen func(call) bool) bool {
	var asked []call
	for _, q := range p.asked {
		if chosen(q) {
			asked = append(asked, q)
		}
	}
	seen := map[state]bool{}
	for _, m := range p.memories() {
		if p.search(asked, state{memory: m}, seen) {
			return true
		}
	}
	return false
}

// memories are what the limiter may remember at moment 0.
func (p puzzle) memories() []memory {
	var all []memory
	switch p.reading {
	case limiter.TokenBucket:
		for full := 0; full <= p.burst*p.window/p.limit && (full == 0 || !p.fresh); full++ {
			all = append(all, memory{full})
		}
	case limiter.FixedWindow:
		for phase := -p.window + 1; phase <= 0; phase++ {
			for count := 0; count <= p.limit && (count == 0 || !p.fresh); count++ {
				all = append(all, memory{phase, count, 0}, memory{phase, count, 1})
			}
		}
		all = append(all, memory{-p.window, 0, 1})
	case limiter.SlidingLog:
		all = append(all, memory{gone, gone, gone})
		for at := -p.window + 1; at <= 0 && !p.fresh; at++ {
			all = append(all, memory{at, gone, gone})
			for again := at; again <= 0 && p.limit > 1; again++ {
				all = append(all, memory{at, again, gone})
			}
		}
	}
	return all
}

func (p puzzle) search(asked []call, at state, seen map[state]bool) bool {
	if at.decided == 1<<len(asked)-1 {
		return true
	}
	if seen[at] {
		return false
	}
	seen[at] = true
	last := 0
	for _, q := range asked {
		if q.answered < never {
			last = max(last, q.answered)
		}
	}
	for i, q := range asked {
		if at.decided&(1<<i) != 0 {
			continue
		}
		next := at
		next.decided |= 1 << i
		if q.outcome == limiter.Unknown && p.search(asked, next, seen) {
			return true // it never came, or was refused
		}
		for d := max(at.now, q.sent); d <= min(q.answered, last); d++ {
			ok, after := p.take(d, at.memory)
			if ok == (q.outcome == limiter.Rejected) {
				continue
			}
			next.now, next.memory = d, after
			if p.search(asked, next, seen) {
				return true
			}
		}
	}
	return false
}

// take decides a request as the books say.
func (p puzzle) take(d int, m memory) (bool, memory) {
	switch p.reading {
	case limiter.TokenBucket:
		full, token := max(m[0], d), p.window/p.limit
		if full+token > d+p.burst*token {
			return false, m
		}
		return true, memory{full + token}
	case limiter.FixedWindow:
		opened, count, anchored := m[0], m[1], m[2]
		if d-opened >= p.window {
			opened, count = d-(d-opened)%p.window, 0
			if anchored == 1 {
				opened = d
			}
		}
		if count == p.limit {
			return false, m
		}
		return true, memory{opened, count + 1, anchored}
	}
	after, n := memory{gone, gone, gone}, 0
	for _, at := range m {
		if d-at < p.window {
			after[n] = at
			n++
		}
	}
	if n == p.limit {
		return false, m
	}
	after[n] = d
	return true, after
}

// asCase is the puzzle as the checks see it. A tick is so long, and the clock
// so fine, that the allowances of assumption A2 are lost between two ticks.
func (p puzzle) asCase() *Case {
	l := limiter.Limit{Reading: p.reading, Limit: int64(p.limit), Burst: int64(p.burst), Window: time.Duration(p.window) * tick, Scope: limiter.ScopeGlobal, Granularity: 1}
	c := &Case{
		Header:  &history.Header{Groups: []history.Group{{Exclusive: true, Fresh: p.fresh}}, Lanes: []history.Lane{{}}},
		Promise: limiter.Promise{Limits: []limiter.Limit{l}}, Whole: true,
		Evidence: func(rows []Row) []Evidence { return make([]Evidence, len(rows)) },
	}
	for i, q := range p.asked {
		r := Row{Sent: time.Duration(q.sent) * tick, Answered: time.Duration(q.answered) * tick, Ordinal: uint32(i), Outcome: q.outcome}
		if q.answered == never {
			r.Answered = history.Never
		}
		c.Rows = append(c.Rows, r)
	}
	slices.SortStableFunc(c.Rows, func(a, b Row) int { return int(a.Sent - b.Sent) })
	return c
}

func drawPuzzle(t *rapid.T, reading limiter.Reading) puzzle {
	p := puzzle{reading: reading, fresh: rapid.Bool().Draw(t, "fresh")}
	most := 6
	switch reading {
	case limiter.TokenBucket:
		p.limit, p.window, p.burst = 1, unit*rapid.IntRange(1, 4).Draw(t, "window"), rapid.IntRange(1, 3).Draw(t, "burst")
		most = 8
	default:
		p.limit, p.window = rapid.IntRange(1, 2).Draw(t, "limit"), unit*rapid.IntRange(1, 3).Draw(t, "window")
	}
	outcomes := rapid.SampledFrom([][]limiter.Outcome{
		{limiter.Admitted, limiter.Admitted, limiter.Rejected, limiter.Rejected, limiter.Unknown},
		{limiter.Admitted, limiter.Admitted, limiter.Admitted, limiter.Admitted, limiter.Rejected},
	}).Draw(t, "outcomes")
	within := rapid.SampledFrom([]int{7, 7, 3}).Draw(t, "within")
	for range rapid.IntRange(2, most).Draw(t, "requests") {
		q := call{sent: unit * rapid.IntRange(0, within).Draw(t, "sent")}
		q.answered = q.sent + unit*rapid.SampledFrom([]int{0, 0, 1, 2, 5}).Draw(t, "takes")
		q.outcome = rapid.SampledFrom(outcomes).Draw(t, "outcome")
		p.asked = append(p.asked, q)
	}
	if rapid.Bool().Draw(t, "in order") { // the first to be sent is the first to be answered
		var sent, ends []int
		for _, q := range p.asked {
			sent, ends = append(sent, q.sent), append(ends, q.answered)
		}
		slices.Sort(sent)
		slices.Sort(ends)
		for i := range p.asked {
			p.asked[i].sent, p.asked[i].answered = sent[i], ends[i]
		}
	}
	for i := range p.asked {
		if p.asked[i].outcome == limiter.Unknown && rapid.Bool().Draw(t, "lost") {
			p.asked[i].answered = never
		}
	}
	return p
}

// A score counts how often a rule said what is true, and how often less.
type score struct {
	histories     int
	broken, said  int // admit more than any placement explains; found
	wrong, found  int // have a rejection that no placement of the others explains; found
	whole, failed int // are explained by no placement; failed
}

// Against all orders and placements: the checks never say more than is true.
// The ceiling of a bucket and of a sliding log says all of it where no request
// overtook another (theorem T3 of theory.md); elsewhere, how much less is
// counted.
func TestTheChecksAgreeWithAllPlacements(t *testing.T) {
	for _, reading := range []limiter.Reading{limiter.TokenBucket, limiter.FixedWindow, limiter.SlidingLog} {
		t.Run(string(reading), func(t *testing.T) {
			t.Parallel()
			var n score
			rapid.Check(t, func(t *rapid.T) {
				p := drawPuzzle(t, reading)
				c := p.asCase()
				n.histories++
				n.ceiling(t, p, c)
				n.floor(t, p, c)
			})
			t.Logf("of %d histories %d admit too much (%d found), %d have a rejection that is wrong by itself (%d found), %d are explained by nothing (%d failed)",
				n.histories, n.broken, n.said, n.wrong, n.found, n.whole, n.failed)
			if n.histories >= 1000 && (n.said == 0 || n.found == 0) {
				t.Error("got nothing to find, want some")
			}
		})
	}
}

func (n *score) ceiling(t *rapid.T, p puzzle, c *Case) {
	admitted := func(q call) bool { return q.outcome == limiter.Admitted }
	full := p
	full.fresh = true // a full start allows the most
	broken := !full.explained(admitted)
	said := judgeCeiling(c)[0].Outcome == Fail
	agreeable := strand{rows: c.Rows, lag: stale(1)}.spans(admittedRow).agreeable()
	switch {
	case said && !broken:
		t.Fatalf("limit.ceiling fails, and a placement explains it: %+v", p)
	case broken && !said && agreeable && p.reading != limiter.FixedWindow:
		t.Fatalf("limit.ceiling does not fail, and nothing explains it: %+v", p)
	}
	if broken {
		n.broken++
	}
	if said {
		n.said++
	}
}

func (n *score) floor(t *rapid.T, p puzzle, c *Case) {
	wrong, _ := c.wronglyRejected()
	said := len(wrong) > 0
	for _, w := range wrong {
		one := call{int(w.row.Sent / tick), int(w.row.Answered / tick), limiter.Rejected}
		taken := false
		if p.explained(func(q call) bool {
			if q == one && !taken {
				taken = true
				return true
			}
			return q.outcome != limiter.Rejected
		}) {
			t.Fatalf("limit.floor fails for %+v, and a placement explains it: %+v", one, p)
		}
	}
	broken := !p.explained(func(call) bool { return true })
	failed := said || judgeCeiling(c)[0].Outcome == Fail
	if failed && !broken {
		t.Fatalf("a check fails, and a placement explains all: %+v", p)
	}
	for _, q := range p.asked {
		if q.outcome != limiter.Rejected {
			continue
		}
		taken := false
		if !p.explained(func(r call) bool {
			if r == q && !taken {
				taken = true
				return true
			}
			return r.outcome != limiter.Rejected
		}) {
			n.wrong++
			if said {
				n.found++
			}
			break
		}
	}
	if broken {
		n.whole++
	}
	if failed {
		n.failed++
	}
}
