package probe

import (
	"fmt"
	"math"
	"time"

	"duckload/limiter"
)

// slow looks whether the lump in which a request was refused shows a queue, or
// a server whose refusals come long before other answers.
func (l *loop) slow(lump, admitted int) {
	last := func() []Answer { return l.answers[len(l.answers)-lump:] }
	if decided, serves := early(last()); decided > 0 && admitted == 1 {
		// Others may have been in the queue before it.
		lump += 2
		admitted, _ = l.ask(l.asker.Now()+2*serves, lump)
		if l.over != "" {
			return
		}
	}
	if l.prompt, l.turn = promptly(last()); l.prompt > 0 {
		l.capacity = admitted
		l.say("answers are held back, one after the other")
	} else if l.prompt, l.serves = early(last()); l.prompt > 0 {
		l.capacity = admitted
		l.say("refusals come long before other answers")
	}
}

// hasten moves the latest moment at which what was admitted may have been
// decided, where refusals show how soon that is: four times the slowest of them.
func (l *loop) hasten(seen []Seen) {
	if l.prompt == 0 {
		return
	}
	for _, s := range seen {
		if s.Outcome == limiter.Rejected {
			l.prompt = max(l.prompt, 4*(s.Answered-s.Sent))
		}
	}
	for i := range seen {
		if s := &seen[i]; s.Outcome == limiter.Admitted {
			s.Done = max(s.Done, s.Answered)
			s.Answered = min(s.Answered, s.Sent+l.prompt)
		}
	}
}

// early returns how soon a limiter decides that has refused some of what came
// at once long before it answered the first of the others: those it must have
// let through as early, and served side by side. 0: nothing of the kind shows.
// Serves is how long the others took.
func early(lump []Answer) (decided, serves time.Duration) {
	var refused, longest time.Duration
	began, shut, opened := time.Duration(math.MaxInt64), time.Duration(0), time.Duration(math.MaxInt64)
	for _, a := range lump {
		began = min(began, a.Sent)
		switch took := a.Answered - a.Sent; {
		case a.Outcome == limiter.Rejected:
			refused, shut = max(refused, took), max(shut, a.Answered)
		case a.Outcome == limiter.Admitted:
			if serves == 0 || took < serves {
				serves = took
			}
			longest, opened = max(longest, took), min(opened, a.Answered)
		}
	}
	// Where this machine stood still amid the lump, what was sent afterwards is
	// answered sooner, but not before the others.
	if refused == 0 || opened-began < 4*(shut-began) || longest > serves*3/2 || serves < max(4*refused, 20*time.Millisecond) {
		return 0, 0
	}
	return max(4*refused, serves/4), serves
}

// overlap looks whether a limit of what is under way at once explains
// everything: it refuses while others are under way, admits as many as before
// as soon as they are not, and never refuses what comes one after the other. A
// window would have to be as long as an answer takes, to a few percent.
func (l *loop) overlap() bool {
	all := l.belief
	n := float64(l.capacity)
	l.suppose("concurrency", box{{n, n}})
	for _, soon := range []float64{1.15, 1.06} {
		start := l.asker.Now() + l.serves/2
		var shots []Shot
		ask := func(share float64, n int) {
			for range n {
				shots = append(shots, Shot{At: start + time.Duration(share*float64(l.serves)), Key: l.key})
			}
		}
		for burst := range 3 {
			after := soon * float64(burst)
			ask(after, l.capacity+2)
			ask(after+0.5, 1)
			ask(after+0.93, 2)
		}
		// A window that is just as long would be over when the last two come.
		ask(4.5, 1)
		ask(5.4, l.capacity-1)
		ask(4.5+soon, 2)
		l.say(fmt.Sprintf("%d at once, two while they are under way, %d as soon as they are not", l.capacity+2, l.capacity+2))
		l.send(shots)
		if l.learn(); len(l.belief.alive) == 0 {
			break
		}
	}
	for range 2*l.capacity + 2 {
		if len(l.belief.alive) > 0 {
			l.send([]Shot{{Key: l.key}})
		}
	}
	if l.learn(); len(l.belief.alive) == 0 {
		l.belief = all
		return false
	}
	return true
}

// suppose makes a part of one family all that is thought of.
func (l *loop) suppose(family string, part box) {
	l.belief = &belief{}
	for _, f := range Families {
		if f.Name == family {
			l.belief.alive = append(l.belief.alive, &hypothesis{Family: f, boxes: []box{part}, begun: true})
		}
	}
}
