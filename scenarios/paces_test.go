package scenarios

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"duckload/limiter"
	"duckload/trace"
)

const week = 7 * 24 * time.Hour

// anyPhase draws a phase of a static pace that sends a number of requests that
// a test can walk.
func anyPhase(t *rapid.T, pace string) Phase {
	p := Phase{Pace: pace, Count: rapid.IntRange(1, 5000).Draw(t, "count")}
	p.Rate = math.Exp(rapid.Float64Range(math.Log(1e-4), math.Log(1e5)).Draw(t, "log rate"))
	p.To = math.Exp(rapid.Float64Range(math.Log(1e-4), math.Log(1e5)).Draw(t, "log to"))
	if rapid.Bool().Draw(t, "to nothing") {
		p.To = 0
	}
	if rapid.Bool().Draw(t, "from nothing") && pace == "ramp" && p.To > 0 {
		p.Rate = 0
	}
	if pace == "sine" {
		p.Swing = p.Rate * rapid.SampledFrom([]float64{0, 0.3, 1}).Draw(t, "swing")
		p.Period = time.Duration(rapid.Int64Range(1e3, int64(week)).Draw(t, "period"))
	}
	if pace == "replay" {
		p.trace = anyTrace(t)
		return p.atSpeed(rapid.SampledFrom([]float64{0.001, 0.3, 1, 2, 1000}).Draw(t, "speed"))
	}
	longest := min(float64(week), 5000/max(p.Rate+p.Swing, p.To, 1e-9)*1e9)
	p.For = time.Duration(rapid.Float64Range(1e3, max(1e3, longest)).Draw(t, "for"))
	return p
}

func anyTrace(t *rapid.T) *trace.Trace {
	var b strings.Builder
	at := time.Duration(1.7e18)
	for _, gap := range rapid.SliceOfN(rapid.IntRange(0, 1e9), 1, 300).Draw(t, "gaps") {
		at += time.Duration(gap)
		fmt.Fprintln(&b, int64(at))
	}
	recorded, err := trace.Read("t", strings.NewReader(b.String()), "")
	if err != nil {
		t.Fatal(err)
	}
	return recorded
}

func TestMomentsRiseWithinTheLength(t *testing.T) {
	for _, pace := range Paces {
		if pace.Offsets == nil {
			continue
		}
		t.Run(pace.Name, rapid.MakeCheck(func(t *rapid.T) {
			p := anyPhase(t, pace.Name)
			last, n, length := time.Duration(-1), 0, pace.Length(p)
			pace.Offsets(p, func(at time.Duration) bool {
				if at <= last || at < 0 || at >= length {
					t.Fatalf("moment %d is %v after %v, want it later and within %v", n, at, last, length)
				}
				last, n = at, n+1
				return true
			})
			if want := pace.Requests(p); n != want {
				t.Fatalf("%d moments, Requests says %d", n, want)
			}
		}))
	}
}

func TestMomentsStopWhenNobodyWantsMore(t *testing.T) {
	for _, pace := range Paces {
		if pace.Offsets == nil || pace.Name == "rest" || pace.Name == "replay" {
			continue
		}
		n := 0
		pace.Offsets(Phase{Count: 10, Rate: 10, To: 20, Swing: 5, Period: time.Second, For: time.Second}, func(time.Duration) bool { n++; return n < 3 })
		if n != 3 {
			t.Errorf("%s: %d moments after the third was refused, want 3", pace.Name, n)
		}
	}
}

// The request number i of a week at 100/min must come at i·0.6 s, whatever i.
func TestHoldDoesNotDriftInAWeek(t *testing.T) {
	for _, l := range []limiter.Limit{
		{Limit: 100, Window: time.Minute}, {Limit: 7, Window: time.Second}, {Limit: 5, Window: time.Minute},
		{Limit: 999_983, Window: time.Second}, {Limit: 1000, Window: 24 * time.Hour},
	} {
		total := int64(week) / int64(l.Window) * l.Limit
		for _, i := range []int64{0, 1, 2, total / 3, total - 1} {
			whole, rest := i/l.Limit, i%l.Limit
			want := time.Duration(whole)*l.Window + time.Duration(float64(rest)*float64(l.Window)/float64(l.Limit))
			if got := holdMoment(l.Rate(), int(i)); (got - want).Abs() > 1 {
				t.Errorf("%s: request %d at %v, want %v: off by %v", l, i, got, want, got-want)
			}
		}
		p := Phase{Rate: l.Rate(), For: week}
		if got := hold.Requests(p); int64(got) != total {
			t.Errorf("%s for a week: %d requests, want %d", l, got, total)
		}
	}
}

func TestRampReachesItsRates(t *testing.T) {
	p := Phase{Rate: 10, To: 30, For: 100 * time.Second}
	var at []time.Duration
	ramp.Offsets(p, func(d time.Duration) bool { at = append(at, d); return true })
	if len(at) != 2000 {
		t.Fatalf("%d requests, want the area below the ramp, 2000", len(at))
	}
	first, last := 1/(at[1]-at[0]).Seconds(), 1/(at[1999]-at[1998]).Seconds()
	if math.Abs(first-10) > 0.1 || math.Abs(last-30) > 0.1 {
		t.Errorf("from %.2f to %.2f a second, want 10 to 30", first, last)
	}
}

// A week of swings around 100/min: whole periods bring exactly the mean, and
// each moment is where the area below the curve says.
func TestSineDoesNotDriftInAWeek(t *testing.T) {
	p := Phase{Rate: 100.0 / 60, Swing: 1, Period: 30 * time.Second, For: week}
	if got, want := sine.Requests(p), int(week/time.Minute)*100; got != want {
		t.Errorf("%d requests, want %d", got, want)
	}
	for _, period := range []int{0, 1, 7, 10_000, 20_159} {
		i := period * 50 // requests in one period
		if got, want := sineMoment(p, i), time.Duration(period)*p.Period; (got - want).Abs() > 1 {
			t.Errorf("request %d at %v, want %v", i, got, want)
		}
	}
	quarter := p
	quarter.For = p.Period / 4 // the mean's share, and s·T/2π of the swing
	if got, want := sine.Requests(quarter), int(math.Ceil(12.5+30/(2*math.Pi))); got != want {
		t.Errorf("%d requests in the first quarter, want %d", got, want)
	}
	previous := time.Duration(0)
	sine.Offsets(Phase{Rate: 50, Swing: 50, Period: time.Second, For: time.Second}, func(at time.Duration) bool {
		if at > 700*time.Millisecond && at < 800*time.Millisecond && previous > 700*time.Millisecond {
			if gap := at - previous; gap < 20*time.Millisecond {
				t.Errorf("%v between two requests where the rate is nearly 0", gap)
			}
		}
		previous = at
		return true
	})
}

func TestMomentsNeedNoMemory(t *testing.T) {
	p := Phase{Rate: 1000, To: 2000, Count: 1000, Swing: 500, Period: time.Second / 3, For: time.Second}
	for _, pace := range []Pace{hold, ramp, burst, sine} {
		sum := time.Duration(0)
		yield := func(at time.Duration) bool { sum += at; return true }
		if allocs := testing.AllocsPerRun(5, func() { pace.Offsets(p, yield) }); allocs > 0 {
			t.Errorf("%s: %g allocations for %d moments, want none", pace.Name, allocs, pace.Requests(p))
		}
	}
}

func TestEveryPaceIsStaticOrReactive(t *testing.T) {
	seen := map[string]bool{}
	for _, pace := range Paces {
		static := pace.Offsets != nil && pace.Length != nil
		if static == (pace.Next != nil) || pace.Doc == "" || pace.Requests == nil {
			t.Errorf("%s: static %v, reactive %v: want one of them, a sentence and a bound", pace.Name, static, pace.Next != nil)
		}
		if seen[pace.Name] {
			t.Errorf("%s is listed twice", pace.Name)
		}
		seen[pace.Name] = true
	}
}
