package analyze

import (
	"math"
	"time"

	"duckload/history"
	"duckload/limiter"
)

// A follower walks along the requests of a key and keeps few of the points
// that it passes: those of a grid, and between two of them the deepest.
type follower struct {
	level Level
	least *meter
	most  *top
	left  func(Row) int64 // what an answer said is left of the limit; -1: nothing
	open  underway        // admitted requests, by their answers
	grid  time.Duration   // the next moment of it
	bin   time.Duration

	lowLeast, lowMost LevelPoint // the deepest since the last moment of the grid
	any               bool       // there is one
	told              ToldLevel  // the latest since then
	tells             bool
}

// strandOf picks rows of a counter, as seen by a limit's clock.
func strandOf(rows []Row, l limiter.Limit, chosen func(*Row) bool) strand {
	n := 0
	for i := range rows {
		if chosen(&rows[i]) {
			n++
		}
	}
	s := strand{rows: rows, lag: stale(l.Clock())}
	if n == len(rows) {
		return s
	}
	s.at = make([]uint32, 0, n)
	for i := range rows {
		if chosen(&rows[i]) {
			s.at = append(s.at, uint32(i))
		}
	}
	return s
}

// follow walks. The certain requests are some of the possible ones.
func (f *follower) follow(certain, possible strand) {
	begin, end := possible.row(0).Sent, possible.row(possible.len()-1).Sent
	for i := range certain.len() {
		if at := certain.row(i).Answered; at != history.Never {
			end = max(end, at) // the last answers may come long after the last request
		}
	}
	f.grid, f.bin = begin, max((end-begin)/levelBins, time.Millisecond)
	next := 0 // the place among the certain ones
	for i := range possible.len() {
		r := possible.row(i)
		f.advance(r.Sent, certain)
		sure := next < certain.len() && certain.row(next) == r
		if sure && isAdmitted(*r) {
			f.open.push(ending{r.Answered, next})
		}
		if sure {
			next++
		}
		if f.least.spends(r) {
			f.pass(r.Sent)
		}
	}
	f.advance(history.Never, certain)
	f.flush()
}

// advance passes everything that lies before a moment.
func (f *follower) advance(until time.Duration, certain strand) {
	for {
		ends := f.open.before(until)
		switch {
		case f.grid < until && (!ends || f.grid <= f.open[0].at) && (ends || until != history.Never):
			f.flush()
			f.level.Points = append(f.level.Points, f.at(f.grid))
			f.grid += f.bin
		case ends:
			m := f.open.pop()
			f.most.end(m)
			p := f.pass(m.at)
			if p.Most < -slack && f.level.Impossible == nil {
				f.level.Impossible = &p
			}
			if n := f.left(*certain.row(m.id)); n >= 0 {
				f.told, f.tells = ToldLevel{m.at, int(n)}, true
			}
		default:
			return
		}
	}
}

// at is the band at a moment.
func (f *follower) at(d time.Duration) LevelPoint {
	p := LevelPoint{At: d, Most: f.most.left(d)}
	p.Least = min(max(f.least.left(d), 0), p.Most)
	return p
}

// pass looks at a moment, and keeps it if it is the deepest in its stretch.
func (f *follower) pass(d time.Duration) LevelPoint {
	p := f.at(d)
	if !f.any || p.Least < f.lowLeast.Least {
		f.lowLeast = p
	}
	if !f.any || p.Most < f.lowMost.Most {
		f.lowMost = p
	}
	f.any = true
	return p
}

// flush writes down what was deepest since the last moment of the grid.
func (f *follower) flush() {
	if f.any {
		first, second := f.lowLeast, f.lowMost
		if first.At > second.At {
			first, second = second, first
		}
		f.level.Points = append(f.level.Points, first)
		if second != first {
			f.level.Points = append(f.level.Points, second)
		}
	}
	if f.tells {
		f.level.Told = append(f.level.Told, f.told)
	}
	f.any, f.tells = false, false
}

// A top tells the most that a limit can have left on a key: what every request
// that certainly was decided leaves, each as early as it can have been (theorem
// T3 of theory.md). Requests end one after the other, and moments do not fall.
type top struct {
	strand   strand
	capacity float64
	rate     float64       // of a bucket, per nanosecond; 0: a log
	window   time.Duration // of a log

	exact *starts // where requests overtook each other
	best  float64 // else: the largest rate·start − number over the starts
	n     int     // requests that ended
	begun int     // as many of them began, in order
	gone  int     // requests that have left the window of a log
	first int     // the first that has not
}

func newTop(s strand, l limiter.Limit) *top {
	t := &top{strand: s, capacity: float64(l.Capacity()) * (1 + l.Tolerance), best: math.Inf(-1)}
	if l.Reading == limiter.SlidingLog {
		t.window = time.Duration(float64(l.Window) * (1 - clockDrift))
		return t
	}
	t.rate = float64(l.Limit) / float64(l.Window) * (1 + l.Tolerance) * (1 + clockDrift)
	if !s.inOrder() {
		t.exact = newStarts(s, t.rate)
	}
	return t
}

// end takes the next admitted request that was answered.
func (t *top) end(m ending) {
	t.n++
	if t.exact != nil {
		t.exact.mark(m.id)
		return
	}
	if t.rate == 0 {
		return
	}
	for !isAdmitted(*t.strand.row(t.begun)) {
		t.begun++
	}
	t.best = max(t.best, t.rate*float64(t.strand.from(t.strand.row(t.begun)))-float64(t.n-1))
	t.begun++
}

// left returns the most that can be left at a moment.
func (t *top) left(d time.Duration) float64 {
	switch {
	case t.exact != nil:
		return t.capacity - max(0, t.exact.max()-t.rate*float64(d))
	case t.rate > 0:
		return t.capacity - max(0, t.best+float64(t.n)-t.rate*float64(d))
	}
	for ; t.first < t.strand.len(); t.first++ {
		r := t.strand.row(t.first)
		if t.strand.from(r) > d-t.window {
			break
		}
		if isAdmitted(*r) {
			t.gone++
		}
	}
	return t.capacity - max(0, float64(t.n-t.gone))
}
