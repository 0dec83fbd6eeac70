package probe

import (
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
		counted, try := Unclear, 0
		for ; try < 3 && counted == Unclear && l.over == ""; try++ {
			counted = l.scope(w.Lanes[min(try, len(w.Lanes)-1)], try)
		}
		l.found = append(l.found, Scope{w.Name, counted})
		if counted == Apart && w.Fresh {
			l.fresh = append(l.fresh, w.Lanes[min(try, len(w.Lanes)):]...)
		}
	}
}

// scope asks on another lane between two rejections on the usual one.
func (l *loop) scope(lane, try int) Counted {
	usual := l.key
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
	switch {
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

// soon is how quickly a question about another lane must be over: had a token
// come back meanwhile, both could have been admitted by one counter. Where the
// usual way is still shut afterwards, two tokens would have had to come back
// and be taken by the other one.
func (l *loop) soon() time.Duration { return 100*l.trip + time.Second }
