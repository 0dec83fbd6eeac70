package probe

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// plain are families that a second limit does not make look like another one.
// What it rejects refutes them; it may pass for a whim of the others.
var plain = []string{"token-bucket", "fixed-window", "anchored-window", "sliding-log", "leaky-queue", "concurrency"}

// edge asks at the edge of the one answer that is left, whenever it should
// admit the next request. What is rejected there is another limit's.
func (l *loop) edge() {
	r := l.result()
	if l.over != "" || !r.Unique() || len(l.belief.alive) == 0 {
		return
	}
	n := l.Hold
	if !slices.Contains(plain, r.Answers[0].Family) {
		n = max(n, 2*l.capacity)
	}
	if n = min(n, l.Budget-l.sent); n == 0 {
		return
	}
	closest := beliefs{l.belief}.particles(rand.New(rand.NewPCG(l.Seed, 13)))[0]
	state := playing{state: closest.states[l.key], at: l.asker.Now()}
	if state.state.limiter == nil {
		return
	}
	l.say(fmt.Sprintf("%d at the edge of %s", n, r.Answers[0].title()))
	began, refused := l.asker.Now(), 0
	for range n {
		now := l.asker.Now()
		state.at = now
		due := state.admits()
		at := due + max(0, (due-now)/8) + l.Clock
		if at-began > l.MaxTime/4 && l.Hold == 0 {
			break
		}
		admitted, rejected := l.ask(at, 1)
		if l.over != "" {
			return
		}
		last := l.answers[len(l.answers)-1]
		state.at = last.Sent + (last.Answered-last.Sent)/2
		state.take()
		if refused += rejected; admitted > 0 {
			refused = 0
		}
		if refused == inARow {
			break
		}
	}
	l.learn()
}

// vague reports whether one answer is left that a second limit may look like,
// and that is not measured well.
func (r Result) vague() bool {
	if !r.Unique() || len(r.Answers) == 0 || slices.Contains(plain, r.Answers[0].Family) {
		return false
	}
	for name, s := range r.Answers[0].Values {
		if name == "token" || name == "window" && r.Answers[0].Family != "block" {
			return s.High > 1.25*s.Low
		}
	}
	return false
}
