package probe

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"duckload/limiter"
)

// Options bound an identification.
type Options struct {
	Budget    int           // the most requests; at least 1
	MaxTime   time.Duration // the most time; above 0
	Ways      []Way         // other ways of asking than by lane 0
	Clock     time.Duration // the step of the limiter's clock that is allowed for
	Precision float64       // how narrow times are to be measured, as a share; 0: 2 %
	Hold      int           // how many requests to send at the edge of what was found, in search of a second limit; 0: only where one may look like what was found
	Seed      uint64        // of what is drawn to choose experiments
	Say       func(string)  // what happens, a line each; nil: nobody listens
}

// A loop is one identification under way.
type loop struct {
	Options
	asker Asker
	began time.Duration

	answers []Answer // all of them, by the usual way
	base    int      // the status of an admission
	sent    int
	over    string // why no more may be sent; empty: it may

	trip     time.Duration // typical, from sending to answer
	capacity int           // the most admitted before a rejection
	prompt   time.Duration // within what a limiter decides whose refusals come long before other answers; 0: they do not
	serves   time.Duration // how long those take
	turn     time.Duration // how long each of them keeps the others waiting, if they come one after the other
	key      int
	alias    map[int]int // lanes that count on the counter of another one
	fresh    []int       // lanes that were never used, with counters of their own
	clients  []int       // those that experiments have used
	found    []Scope
	rivals   []*rival
	met      int            // how often the rivals were confronted
	doubtful map[int]bool   // lanes of which it is not certain that they are apart
	askedOn  map[string]int // the lane of each way that is
	refined  int
	counted  int // how often was asked for nothing but how many are admitted at once
	belief   *belief
	both     []both // where no limit alone explains anything
}

// Identify finds out what limits an asker's requests.
func Identify(a Asker, o Options) Result {
	if o.Precision == 0 {
		o.Precision = 0.02
	}
	l := &loop{Options: o, asker: a, began: a.Now(), alias: map[int]int{}, doubtful: map[int]bool{}, askedOn: map[string]int{}, clients: []int{0}, belief: believe(Families)}
	if l.exhaust() {
		l.scopes()
		if l.turn > 0 && l.queue() {
			return l.concluded()
		}
		if l.serves > 0 && l.overlap() {
			return l.concluded()
		}
		l.await()
		l.drain(l.capacity + 2)
		l.separate()
		l.edge()
		if r := l.result(); len(r.Answers) == 0 || r.vague() {
			l.two()
		}
	}
	return l.concluded()
}

// words names what is left.
func (b *belief) words() string {
	if len(b.alive) == 0 {
		return "nothing explains this"
	}
	var names []string
	for _, h := range b.alive {
		name := h.Name
		if h.RejectsConsume {
			name += " (refused requests count)"
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// words says what an experiment does.
func (e experiment) words() string {
	var parts []string
	for _, s := range e.steps {
		switch {
		case len(s.sweep) > 0:
			parts = append(parts, fmt.Sprintf("look for the moment of readmission between %s and %s", s.sweep[0].Round(time.Millisecond), s.sweep[len(s.sweep)-1].Round(time.Millisecond)))
		case s.drain:
			parts = append(parts, fmt.Sprintf("use everything up after %s", s.after.Round(time.Millisecond)))
		default:
			parts = append(parts, fmt.Sprintf("%d at once after %s", s.count, s.after.Round(time.Millisecond)))
		}
	}
	return strings.Join(parts, ", ")
}

func (l *loop) say(text string) {
	if l.Say != nil {
		l.Say(text)
	}
}

// may reports whether the identification may go on at a moment.
func (l *loop) may(at time.Duration) bool {
	switch {
	case l.over != "":
	case l.sent >= l.Budget:
		l.over = "budget"
	case at-l.began > l.MaxTime:
		l.over = "time"
	}
	return l.over == ""
}

// ask sends some requests of the key in use at once and returns how many were
// admitted, and how many rejected.
func (l *loop) ask(at time.Duration, n int) (admitted, rejected int) {
	shots := make([]Shot, n)
	for i := range shots {
		shots[i] = Shot{At: at, Key: l.key}
	}
	return l.send(shots)
}

// send sends shots, as many as the budget has room for.
func (l *loop) send(shots []Shot) (admitted, rejected int) {
	if len(shots) == 0 || !l.may(max(shots[0].At, l.asker.Now())) {
		return 0, 0
	}
	shots = shots[:min(len(shots), l.Budget-l.sent)]
	answers := l.asker.Ask(shots)
	if len(answers) < len(shots) {
		l.over = "stopped"
	}
	l.sent += len(answers)
	for _, a := range answers {
		if l.base == 0 && a.Status > 0 {
			l.base = a.Status
		}
		a.Outcome = l.outcome(a)
		switch a.Outcome {
		case limiter.Admitted:
			admitted++
		case limiter.Rejected:
			rejected++
		}
		l.answers = append(l.answers, a)
		if took := a.Answered - a.Sent; l.trip == 0 || took < l.trip {
			l.trip = took
		}
	}
	return admitted, rejected
}

// outcome: what is like the first answer was admitted; a failing status, or a
// connection that ends without an answer, is a rejection if the families can
// explain it as one.
func (l *loop) outcome(a Answer) limiter.Outcome {
	switch {
	case a.Status == l.base && a.Status > 0:
		return limiter.Admitted
	case a.Status >= 400, a.Status == 0 && !a.Resent && (a.Error == "eof" || a.Error == "reset"):
		return limiter.Rejected
	case a.Status == 0:
		return limiter.Unknown
	}
	return limiter.Admitted
}

// exhaust asks more and more at once until one request is rejected.
func (l *loop) exhaust() bool {
	total, lump := 0, 1
	for first := true; l.may(l.asker.Now()); first = false {
		at := l.asker.Now()
		if !first {
			at += max(4*l.trip, 20*time.Millisecond)
		}
		admitted, rejected := l.ask(at, lump)
		if first && (l.base == 429 || l.base == 503) {
			l.over = "refused"
			return false
		}
		total += admitted
		if rejected > 0 {
			l.capacity = max(1, total)
			l.slow(lump, admitted)
			l.say(fmt.Sprintf("a request is refused after %d admitted ones", total))
			return true
		}
		if !first {
			lump = min(2*lump, mostAtOnce)
		}
	}
	return false
}

// mostAtOnce is how many requests are under way at once at most.
const mostAtOnce = 256

// How much longer each silence is than the time until then. Where there are
// fresh clients a rough answer will do, and what counts refused requests
// answers sooner.
const (
	patience      = 0.5
	freshPatience = 1.0
)

// await asks now and then, ever more rarely, until a request is admitted.
// Where a refusal says when to come back, it asks half-way and then: that is
// a guess like any other.
func (l *loop) await() bool {
	since, patience := l.asker.Now(), patience
	if len(l.fresh) > 0 {
		patience = freshPatience
	}
	for hints := 0; l.may(l.asker.Now()); {
		now := l.asker.Now()
		pause := max(time.Duration(patience*float64(now-since)), l.trip, 5*time.Millisecond)
		if told := l.told() - now; hints < mostHints && told > pause && told < l.MaxTime/8 {
			if pause = told + l.Clock + l.trip; hints%2 == 0 {
				pause = told / 2
			}
			hints++
		}
		// The last look comes as late as it may: what it proves lasts longest.
		if left := l.began + l.MaxTime - now - 2*l.trip; pause > left && left > pause/8 {
			pause = left
		}
		if admitted, _ := l.ask(now+pause, 1); admitted > 0 {
			return true
		}
	}
	return false
}

// mostHints is how many guesses come from what refusals say.
const mostHints = 4

// told returns the moment at which the last refusal says to come back; 0: it
// does not say.
func (l *loop) told() time.Duration {
	last := l.answers[len(l.answers)-1]
	if wait, _, ok := retryAfter(last.Evidence); ok && last.Outcome == limiter.Rejected {
		return last.Answered + wait
	}
	return 0
}

// drain asks more and more at once, up to a number, until one is rejected.
func (l *loop) drain(most int) {
	for lump := 1; most > 0; lump *= 2 {
		n := min(lump, most, mostAtOnce)
		if _, rejected := l.ask(l.asker.Now(), n); rejected > 0 || l.over != "" {
			return
		}
		most -= n
	}
}

// separate makes experiments until one answer is left, and it is precise.
func (l *loop) separate() {
	p := planner{rng: rand.New(rand.NewPCG(l.Seed, 11)), perRequest: l.MaxTime / 1000, precise: l.Precision}
	if wait := l.asker.Now() - l.answers[0].Sent; len(l.fresh) == 0 && l.capacity > 1 && wait > 200*time.Millisecond && wait < l.MaxTime/8 {
		l.learn()
		if l.done() {
			return
		}
		l.run([]experiment{opening(l.key, wait, l.capacity)})
	}
	idle := 0
	for l.learn(); l.over == "" && !l.done(); l.learn() {
		if l.confront() {
			continue
		}
		p.capacity, p.trip, p.fresh, p.used = l.capacity, l.trip, l.fresh, l.used()
		p.most = l.MaxTime - (l.asker.Now() - l.began)
		chosen := l.counting()
		if len(chosen) == 0 {
			chosen = p.next(l.suspects(), l.asker.Now())
		}
		if len(chosen) == 0 {
			if idle++; idle > mostIdle {
				return
			}
			p.made = map[string]int{} // what told nothing may tell something of other points
			continue
		}
		idle = 0
		for _, e := range chosen {
			words := e.words()
			if i := slices.Index(l.fresh, e.key); i >= 0 {
				l.fresh, words = slices.Delete(l.fresh, i, i+1), "a fresh client: "+words
				l.clients = append(l.clients, e.key)
			}
			l.say(words)
		}
		l.run(chosen)
	}
}

// counting returns the experiment that tells how many are admitted at once,
// where that is all that is not known of the one answer that is left: a client
// that was never used asks for more.
func (l *loop) counting() []experiment {
	r := l.result()
	if l.counted == mostCounted || len(l.fresh) == 0 || l.capacity+2 > mostAtOnce || !r.Unique() || r.Answers[0].counted() {
		return nil
	}
	l.counted++
	return []experiment{{l.fresh[0], []stage{{count: l.capacity + 2}}}}
}

// mostCounted is how many clients are used up for that: it fails where a new
// window begins amid them.
const mostCounted = 2

// used returns the keys that experiments have used, the one in use first.
func (l *loop) used() []int {
	keys := []int{l.key}
	for _, key := range slices.Backward(l.clients) {
		if key != l.key {
			keys = append(keys, key)
		}
	}
	return keys
}

func (l *loop) learn() {
	l.belief.learn(FactsOf(l.seen(nil), l.Clock))
	l.learnRivals()
	l.say(fmt.Sprintf("%d requests, %s: %s", l.sent, (l.asker.Now() - l.began).Round(100*time.Millisecond), l.belief.words()))
}

// done reports whether one answer is left, or nothing; and is precise.
func (l *loop) done() bool {
	r := l.result()
	if len(r.Answers) == 0 {
		return true
	}
	if !r.Unique() {
		return false
	}
	if l.refined++; l.refined > mostRefined {
		return true
	}
	l.belief.settle()
	r = l.result()
	if !r.Answers[0].counted() {
		return false // of each relative they may be known, and differ
	}
	for _, h := range l.belief.alive {
		if !h.precise(l.Precision, 2*(l.Clock+2*l.trip)) {
			return false
		}
	}
	return true
}

// mostIdle is how often in a row nothing that is worth a try may be found.
const mostIdle = 4

// mostRefined is how many experiments are made for nothing but narrower
// intervals.
const mostRefined = 12
