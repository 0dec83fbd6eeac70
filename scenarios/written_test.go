package scenarios

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"duckload/limiter"
)

// byHand compiles a scenario with one group of this promise and pacing.
func byHand(t *testing.T, promise, pacing string) Plan {
	t.Helper()
	s, err := Load("f", []byte(around("promise: "+promise+",\nrequests: [GET /x],\npacing: "+pacing)), world())
	if err != nil {
		t.Fatal(err)
	}
	plan, err := Compile(s, CompileOptions{Run: "r"})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func TestEveryRhythmIsReadAsItsExampleSays(t *testing.T) {
	seen := map[string]bool{}
	for _, h := range rhythms {
		if seen[h.name] || h.doc == "" || !strings.HasPrefix(h.write, h.name+":") {
			t.Errorf("%s: listed twice, without a sentence, or its example is %q", h.name, h.write)
		}
		seen[h.name] = true
		item := h.write
		for _, b := range beside {
			for _, needed := range h.needs {
				if needed == b.name {
					item += ", " + b.write
				}
			}
		}
		for _, p := range byHand(t, "{limit: 100/min, burst: 20}", "[{"+item+"}]").Tracks[0].Phases {
			if _, ok := PaceOf(p); !ok || p.Label == "" || p.place.line == 0 || p.Limit.Limit != 100 || p.About == 0 {
				t.Errorf("{%s} comes to %+v, want a pace, a label, a place, a limit and a time", item, p)
			}
		}
	}
}

func TestPacesByHandComeToPhases(t *testing.T) {
	for _, c := range []struct{ pacing, want string }{
		{"[{steps: [50%, 100%, 3/s], for: 1m}]", "step 1 of 3: 50% 50 in 1m0s|step 2 of 3: 100% 100 in 1m0s|step 3 of 3: 3/s 180 in 1m0s"},
		{"[{spike: {from: 20%, to: 300%}, for: 180s}]", "before the spike: 20% 20 in 1m0s|spike 300% 300 in 1m0s|after the spike: 20% 20 in 1m0s"},
		{"[{soak: 80%, for: 10m}]", "soak 80% 800 in 10m0s"},
		{"[{sine: {mean: 80%, amplitude: 40%, period: 30s}, for: 2m}]", "sine 80% ± 40% each 30s 160 in 2m0s"},
		{"[{replay: traffic.csv}]", "replay traffic.csv 4 in 4.000000001s"},
		{"[{replay: traffic.csv, time_scale: 2}]", "replay traffic.csv ×2 4 in 2.000000001s"},
	} {
		var got []string
		for _, p := range byHand(t, "{limit: 100/min, burst: 20}", c.pacing).Tracks[0].Phases {
			pace, _ := PaceOf(p)
			got = append(got, p.Label+" "+strconv.Itoa(pace.Requests(p))+" in "+p.About.String())
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%s: got %q, want %q", c.pacing, strings.Join(got, "|"), c.want)
		}
	}
}

// Obeying by hand uses the allowance up by itself, whatever the model, and
// waits as often as it is asked to.
func TestObeyingByHandObeys(t *testing.T) {
	for _, promise := range []string{
		"{limit: 100/min, burst: 20}", "{limit: 5/min, burst: 2}", "{limit: 500/min, burst: 1000}",
		"{limit: 60/min, reading: fixed-window}", "{limit: 30/10s, reading: sliding-log}",
	} {
		plan := byHand(t, promise, "[{rest: full}, {obey: retry-after, times: 6}]")
		track := plan.Tracks[0]
		p := track.Phases[1]
		d := newDriver(plan, model(t, p.Limit), rand.New(rand.NewPCG(5, 5)), 5*time.Millisecond)
		d.run(t, track)
		var until time.Duration
		obeyed := 0
		for _, s := range d.seen {
			switch {
			case until > 0 && s.Sent >= until:
				if obeyed++; s.Outcome != limiter.Admitted {
					t.Errorf("%s: rejected at %v, promised for %v", promise, s.Sent, until)
				}
				until = 0
			case s.Outcome == limiter.Rejected:
				until = s.Answered + s.RetryAfter
			}
		}
		if obeyed < 6 {
			t.Errorf("%s: obeyed %d times with %d requests, want 6", promise, obeyed, len(d.seen))
		}
		if off := len(d.seen) - p.Likely; off > p.Likely/4+8 || off < -p.Likely/4-8 {
			t.Errorf("%s: sent %d requests, foreseen were %d", promise, len(d.seen), p.Likely)
		}
	}
}

// Probing by hand finds both sides of the moments at which allowance comes
// back, though nothing was used up before.
func TestProbingByHandFindsTheEdges(t *testing.T) {
	for _, promise := range []string{
		"{limit: 100/min, burst: 20}", "{limit: 5/min, burst: 2}", "{limit: 500/min, burst: 1000}", "{limit: 20/10s, reading: fixed-window}",
	} {
		plan := byHand(t, promise, "[{probe: edges, for: 1m}]")
		track := plan.Tracks[0]
		p := track.Phases[0]
		d := newDriver(plan, model(t, p.Limit), rand.New(rand.NewPCG(5, 5)), 5*time.Millisecond)
		d.run(t, track)
		admitted, rejected, pairs := 0, 0, 0
		for i, s := range d.seen {
			if s.Outcome == limiter.Admitted {
				if admitted++; i > 0 && d.seen[i-1].Outcome == limiter.Rejected {
					pairs++
				}
				continue
			}
			rejected++
		}
		if least := min(4, p.Count); pairs < least || rejected < least || int64(admitted) <= p.Limit.Capacity() {
			t.Errorf("%s: %d admitted, %d rejected, %d times one after the other, want more than the capacity and %d", promise, admitted, rejected, pairs, least)
		}
		if d.now > p.For+2*time.Second {
			t.Errorf("%s: took %v, want about %v", promise, d.now, p.For)
		}
		t.Logf("%s: %d requests (foreseen %d, at most %d), %d pairs", promise, len(d.seen), p.Likely, mostOf(p), pairs)
	}
}

func mostOf(p Phase) int { pace, _ := PaceOf(p); return pace.Requests(p) }

func TestReplaysKeepTheirMoments(t *testing.T) {
	s, err := Load("f", []byte(around("promise: {limit: 1/s}, requests: [GET /], pacing: [{replay: traffic.csv, time_scale: 2}, {rest: 1s}]")), world())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		scale float64
		want  string
		peak  int
	}{{0, "0s 500ms 500.000001ms 2s", 3}, {1, "0s 1s 1.000000001s 4s", 2}, {0.5, "0s 2s 2.000000002s 8s", 2}} {
		plan, err := Compile(s, CompileOptions{Run: "r", TimeScale: c.scale})
		if err != nil {
			t.Fatal(err)
		}
		p := plan.Tracks[0].Phases[0]
		var got []string
		replay.Offsets(p, func(at time.Duration) bool { got = append(got, at.String()); return true })
		if strings.Join(got, " ") != c.want || p.Peak != c.peak {
			t.Errorf("×%g: got %q with %d in a second, want %q with %d", c.scale, got, p.Peak, c.want, c.peak)
		}
	}
	if _, err := Compile(s, CompileOptions{Run: "r", TimeScale: 1e9}); err == nil {
		t.Error("a time scale of 1e9: got no error")
	}
}
