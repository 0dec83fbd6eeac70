package probe

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"duckload/limiter"
)

// A Promise is what was found as the promise of a scenario, in YAML.
type Promise struct {
	Limit   string   // the value of promise
	Reject  string   // the value of on_reject
	Without []string // what a scenario has no words for, a sentence each
}

// Promise returns what was found as a promise. Times are rounded to what people
// would write; the tolerance covers what the rounding and the measurement leave
// open. A family that no reading describes is respected and not judged. It
// fails if nothing unique was found.
func (r Result) Promise() (Promise, error) {
	if !r.Limited || !r.Unique() {
		return Promise{}, errors.New("nothing certain was found that a scenario could promise")
	}
	var promise Promise
	if len(r.Both) > 0 {
		inner, _ := r.Both[0].Inner.promise(r.scope())
		outer, _ := r.Both[0].Outer.promise(r.scope())
		promise.Limit = "[" + inner + ", " + outer + "]"
	} else {
		var judged bool
		f := r.Answers[0]
		f.service = time.Duration(sure * float64(r.Service())).Truncate(time.Millisecond)
		if promise.Limit, judged = f.promise(r.scope()); !judged {
			promise.Without = append(promise.Without, f.Family+" has no reading in a scenario: the limit is described here and not judged (verify: false), and a run sends one request")
		}
	}
	var closed bool
	if promise.Reject, closed = r.rejects(); closed {
		promise.Without = append(promise.Without, "requests too many get no answer, which no scenario can promise: they count as unknown, and only too much is judged")
	}
	return promise, nil
}

// promise returns what was found of one limit as a promise, and whether it can
// be judged.
func (f Found) promise(scope string) (text string, judged bool) {
	var p []string
	add := func(format string, args ...any) { p = append(p, fmt.Sprintf(format, args...)) }
	judged = true
	switch f.Family {
	case "token-bucket", "leaky-queue":
		n, per, off := ratio(f.Values["token"])
		burst, unsure := middle(f.Values["burst"])
		add("limit: %d/%s, burst: %.0f, reading: %s, %s", n, per, burst, f.Family, tolerance(max(off, unsure)))
	case "fixed-window", "anchored-window", "sliding-log", "sliding-counter":
		w, off := round(f.Values["window"])
		limit, unsure := middle(f.Values["limit"])
		add("limit: %.0f/%s, reading: %s, %s", limit, w, strings.Replace(f.Family, "anchored", "fixed", 1), tolerance(max(off, unsure)))
	case "stepped-bucket":
		w, off := round(f.Values["window"])
		step, unsure := middle(f.Values["step"])
		burst, more := middle(f.Values["burst"])
		add("limit: %.0f/%s, burst: %.0f, reading: %s, %s", step, w, burst, f.Family, tolerance(max(off, unsure, more)))
	case "concurrency":
		add("limit: %.0f, reading: concurrency", f.Values["limit"].High)
		if f.service > 0 {
			add("service_time: %s", f.service)
		}
	default: // idle-window, elastic-window, block
		w, _ := round(f.Values["window"])
		add("limit: %.0f/%s, reading: open, verify: false", f.Values["limit"].Low, w)
		judged = false
	}
	if f.RejectsConsume && judged {
		add("rejects_consume: true")
	}
	if scope == "ip" || scope == "key" || scope == "global" {
		add("scope: %s", scope)
	}
	return "{" + strings.Join(p, ", ") + "}", judged
}

// rejects is how requests too many are answered, in YAML, and whether some of
// them are not.
func (r Result) rejects() (text string, closed bool) {
	var statuses []string
	for _, k := range r.rejections() {
		if k.Answer == "closed" {
			closed = true
			continue
		}
		statuses = append(statuses, k.Answer)
	}
	if len(statuses) == 0 {
		statuses = []string{"429"}
	}
	rule, c := "none", r.claims()
	if c.RetryAfter == "always" && c.TooEarly == 0 && c.TooLate == 0 {
		rule = "required"
	}
	return fmt.Sprintf("{status: [%s], retry_after: %s}", strings.Join(statuses, ", "), rule), closed
}

// tolerance is the tolerance that a promise needs whose numbers may be off by a
// share, in tenths of a percent.
func tolerance(off float64) string {
	percent := math.Ceil((off+2*drift)*1000) / 10
	return fmt.Sprintf("tolerance: best-effort %g%%", percent)
}

// middle returns the whole number of a span that none of it is far from, and by
// what share of it the others may be off.
func middle(s Span) (n, off float64) {
	n = math.Ceil((s.Low + s.High) / 2)
	return n, max(s.High-n, n-s.Low) / n
}

// ratio writes a rate as people do, 100/min, and returns by what share the
// interval of its token may be off that.
func ratio(token Span) (n int64, per string, off float64) {
	best := math.Inf(1)
	for _, unit := range []struct {
		name  string
		width time.Duration
	}{{"s", time.Second}, {"min", time.Minute}, {"h", time.Hour}, {"day", 24 * time.Hour}} {
		low, high := float64(unit.width)/token.High, float64(unit.width)/token.Low
		v, zeros := roundest(low, high)
		if v < 1 {
			continue
		}
		cost := digits(v) - zeros + boolean(unit.name != "s" && unit.name != "min")
		if cost < best {
			best, n, per = cost, int64(v), unit.name
			off = max(high/v-1, 1-low/v)
		}
	}
	return n, per, max(0, off)
}

// roundest returns the whole number between two bounds with the most zeros at
// its end, or else the nearest to their middle.
func roundest(low, high float64) (v, zeros float64) {
	for k := 6.0; k >= 0; k-- {
		unit := math.Pow(10, k)
		for _, step := range []float64{10, 5, 2, 1} {
			if step == 10 && k == 6 {
				continue
			}
			if x := math.Ceil(low/(unit*step)) * unit * step; x <= high && x > 0 {
				return x, k
			}
		}
	}
	return math.Round((low + high) / 2), 0
}

func digits(v float64) float64 { return math.Floor(math.Log10(v)) + 1 }

// round returns a window as people write it, and by what share it may be off.
func round(window Span) (text string, off float64) {
	for _, unit := range []time.Duration{24 * time.Hour, time.Hour, 10 * time.Minute, time.Minute, 10 * time.Second, 5 * time.Second, time.Second, 500 * time.Millisecond, 100 * time.Millisecond, 10 * time.Millisecond, time.Millisecond} {
		if v := math.Ceil(window.Low/float64(unit)) * float64(unit); v <= window.High {
			return named(time.Duration(v)), max(window.High/v-1, 1-window.Low/v)
		}
	}
	v := math.Round((window.Low + window.High) / 2)
	return time.Duration(v).String(), max(window.High/v-1, 1-window.Low/v)
}

// named returns a window as it stands behind a slash.
func named(d time.Duration) string {
	text := limiter.Per(d)
	for _, tail := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, tail) {
			text = text[:len(text)-2]
		}
	}
	return text
}
