package probe

import (
	"slices"
	"time"

	"duckload/limiter"
)

// A Way is another way of asking: from another address, with another key, in
// another disguise. Its lanes are for nothing else.
type Way struct {
	Name  string
	Lanes []int
	Fresh bool // each lane may be a client of its own, if the first turns out to be one
}

// A Counted says whether a way of asking has a counter of its own.
type Counted string

const (
	Apart   Counted = "apart"   // it was admitted while the usual way was not
	Shared  Counted = "shared"  // it was rejected with the usual way
	Unclear Counted = "unclear" // the usual way was admitted again too soon to say
)

// A Scope is what came of asking in another way.
type Scope struct {
	Way     string
	Counted Counted
}

// scopes asks in each other way while the usual one is exhausted.
func (l *loop) scopes() {
	for _, w := range l.Ways {
		counted, try, lane := Unclear, 0, 0
		for ; try < 3 && counted == Unclear && l.over == ""; try++ {
			lane = w.Lanes[min(try, len(w.Lanes)-1)]
			counted = l.scope(lane, try)
		}
		l.found = append(l.found, Scope{w.Name, counted})
		switch {
		case counted != Apart:
		case !w.Fresh:
			l.doubtful[lane], l.askedOn[w.Name] = true, lane
		default:
			l.fresh = append(l.fresh, w.Lanes[min(try, len(w.Lanes)):]...)
			if l.prompt == 0 {
				l.rivalled(w)
			}
		}
	}
}

// scope asks on another lane between two rejections on the usual one.
func (l *loop) scope(lane, try int) Counted {
	usual := l.key
	if l.prompt > 0 {
		return l.scopeAmid(lane)
	}
	if _, rejected := l.ask(l.asker.Now(), 1); rejected == 0 {
		l.drain(l.capacity + 2)
	}
	began := len(l.answers)
	l.key = lane
	admitted, rejected := l.ask(l.asker.Now(), 1)
	if again := 0; admitted == 1 && l.capacity > 1 {
		again, rejected = l.ask(l.asker.Now(), 1)
		admitted += again
	}
	l.key = usual
	mine := l.answers[began:]
	_, shut := l.ask(l.asker.Now(), 1)
	// A path or a method that the server does not know is not refused by a limiter.
	strange := slices.ContainsFunc(mine, func(a Answer) bool { return a.Status != l.base && !l.refuses(usual, a.Status) })
	switch {
	case strange:
	case rejected > 0 && admitted == 0:
		l.alias[lane] = usual
		return Shared
	case shut > 0 && admitted == min(2, l.capacity) && l.asker.Now()-mine[0].Sent < l.soon():
		return Apart
	}
	for i := range mine { // whether it counted with the others is not known
		mine[i].Key, mine[i].Outcome = usual, limiter.Unknown
	}
	return Unclear
}

// scopeAmid is the same where answers take long: whoever waits for them finds
// nothing exhausted any more, so everything is asked within one lump.
func (l *loop) scopeAmid(lane int) Counted {
	start, few := l.asker.Now()+l.turn+2*l.serves, min(2, l.capacity)
	var shots []Shot
	ask := func(after time.Duration, key, n int) {
		for range n {
			shots = append(shots, Shot{At: start + after, Key: key})
		}
	}
	began := len(l.answers)
	ask(0, l.key, l.capacity+2)
	ask(l.prompt/2, lane, few)
	ask(l.prompt, l.key, few)
	l.send(shots)
	mine, admitted, last, strange := 0, 0, 0, false
	for _, a := range l.answers[began:] {
		switch {
		case a.Key == lane:
			strange = strange || a.Status != l.base && !l.refuses(l.key, a.Status)
			mine++
			if a.Outcome == limiter.Admitted {
				admitted++
			}
		case a.Sent >= start+l.prompt && a.Outcome == limiter.Rejected:
			last++
		}
	}
	switch {
	case strange || mine < few:
	case admitted == 0:
		l.alias[lane] = l.key
		return Shared
	case admitted == few && last == few:
		return Apart
	}
	for i := began; i < len(l.answers); i++ { // whether it counted with the others is not known
		if a := &l.answers[i]; a.Key == lane {
			a.Key, a.Outcome = l.key, limiter.Unknown
		}
	}
	return Unclear
}

// refuses reports whether a lane has been refused with a status.
func (l *loop) refuses(lane, status int) bool {
	return slices.ContainsFunc(l.answers, func(a Answer) bool {
		return a.Key == lane && a.Outcome == limiter.Rejected && a.Status == status
	})
}

// soon is how quickly a question about another lane must be over: had a token
// come back meanwhile, both could have been admitted by one counter. Where the
// usual way is still shut afterwards, two tokens would have had to come back
// and be taken by the other one.
func (l *loop) soon() time.Duration { return 100*l.trip + time.Second }
