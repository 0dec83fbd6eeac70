package scenarios

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"duckload/limiter"
)

// A driver sends a plan in virtual time. It stands for package attack and for
// a server with one limiter for each key.
type driver struct {
	plan  Plan
	now   time.Duration
	seen  []Seen
	calls int // of reactive paces

	key    func(Lane) string
	fresh  func() limiter.Limiter
	state  map[string]limiter.Limiter
	answer func(Seen) Seen // changes an answer, to surprise

	up, down func() time.Duration
}

func newDriver(plan Plan, fresh func() limiter.Limiter, r *rand.Rand, trip time.Duration) *driver {
	jitter := func() time.Duration {
		d := trip/4 + time.Duration(r.ExpFloat64()*float64(trip)/4)
		return min(d, 20*trip)
	}
	return &driver{plan: plan, fresh: fresh, state: map[string]limiter.Limiter{},
		key:    func(l Lane) string { return l.Source.String() },
		answer: func(s Seen) Seen { return s }, up: jitter, down: jitter}
}

// run sends one track and returns when it ended.
func (d *driver) run(t *testing.T, track Track) {
	t.Helper()
	var batch []Shot
	for i, p := range track.Phases {
		pace, ok := PaceOf(p)
		if !ok {
			t.Fatalf("no pace for phase %q", p.Pace)
		}
		if pace.Next == nil {
			n := 0
			pace.Offsets(p, func(at time.Duration) bool {
				batch = append(batch, Shot{At: d.now + at, Lane: p.Lane(n), Phase: i})
				n++
				return true
			})
			d.now += pace.Length(p)
			if want := pace.Requests(p); n != want {
				t.Errorf("%s: %d moments, want %d", p.Label, n, want)
			}
			continue
		}
		d.send(batch)
		batch = nil
		before := len(d.seen)
		d.react(t, track, i, pace)
		if got, most := len(d.seen)-before, pace.Requests(p); got > most {
			t.Errorf("%s: sent %d requests, the bound is %d", p.Label, got, most)
		}
	}
	d.send(batch)
}

// send decides a batch of requests in the order in which they arrive.
func (d *driver) send(shots []Shot) {
	type flying struct {
		Seen
		decided time.Duration
	}
	var all []flying
	for _, s := range shots {
		f := flying{Seen: Seen{Lane: s.Lane, Phase: s.Phase, Intended: s.At, Sent: s.At}}
		f.decided = f.Sent + d.up()
		f.Answered = f.decided + d.down()
		all = append(all, f)
	}
	slices.SortStableFunc(all, func(a, b flying) int { return cmp.Compare(a.decided, b.decided) })
	for _, f := range all {
		key := d.key(d.plan.Lanes[f.Lane])
		l, ok := d.state[key]
		if !ok {
			l = d.fresh()
		}
		decision, next := l.Take(f.decided)
		d.state[key] = next
		f.Outcome, f.RetryAfter = limiter.Admitted, -1
		if !decision.OK {
			f.Outcome = limiter.Rejected
			f.RetryAfter = (decision.Wait + time.Second - 1).Truncate(time.Second)
		}
		d.seen = append(d.seen, d.answer(f.Seen))
	}
	for _, s := range d.seen[len(d.seen)-len(shots):] {
		if lost(s) {
			s.Answered = s.Sent + time.Second // the sender's patience
		}
		d.now = max(d.now, s.Answered)
	}
	slices.SortStableFunc(d.seen, func(a, b Seen) int { return cmp.Compare(a.Sent, b.Sent) })
}

func (d *driver) react(t *testing.T, track Track, i int, pace Pace) {
	t.Helper()
	start := d.now
	for calls := 0; ; calls++ {
		if calls > 20_000 {
			t.Fatalf("%s never ends", track.Phases[i].Label)
		}
		d.calls++
		m := pace.Next(track.Phases[i], View{Now: d.now, Start: start, Phase: i, Seen: d.seen})
		for k, s := range m.Shots {
			if s.At < d.now || k > 0 && s.At <= m.Shots[k-1].At {
				t.Fatalf("%s: shot %d at %v, now is %v: shots must rise and must not be in the past", track.Phases[i].Label, k, s.At, d.now)
			}
		}
		if len(m.Shots) == 0 && !m.Done && m.Wake <= d.now {
			t.Fatalf("%s: asks to be woken at %v, now is %v", track.Phases[i].Label, m.Wake, d.now)
		}
		d.send(m.Shots)
		d.now = max(d.now, m.Wake)
		if m.Done {
			return
		}
	}
}

func model(t *testing.T, l limiter.Limit) func() limiter.Limiter {
	t.Helper()
	for _, m := range limiter.Models {
		if m.Reading == l.Reading {
			return func() limiter.Limiter {
				made, err := m.New(l)
				if err != nil {
					t.Fatal(err)
				}
				return made
			}
		}
	}
	t.Fatalf("no model for %s", l.Reading)
	return nil
}

func spaceDuck(t *testing.T, o CompileOptions) Plan {
	t.Helper()
	s, err := BuiltIn("space-duck", Env{})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := Compile(s, o)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}
