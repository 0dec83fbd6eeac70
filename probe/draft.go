package probe

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

// Promise returns what was found as the promise of a scenario, in YAML, and
// how it rejects. Times are rounded to what people would write; the tolerance
// covers what the rounding and the measurement leave open. It fails if nothing
// unique was found, or something that a promise has no reading for.
func (r Result) Promise() (promise, reject string, err error) {
	if !r.Limited || !r.Unique() {
		return "", "", errors.New("nothing certain was found that a scenario could promise")
	}
	f := r.Answers[0]
	var p []string
	switch f.Family {
	case "token-bucket", "leaky-queue":
		n, per, off := ratio(f.Values["token"])
		p = append(p, fmt.Sprintf("limit: %d/%s", n, per), "burst: "+whole(Span{f.Values["burst"].Low, f.Values["burst"].Low}), "reading: "+f.Family)
		p = tolerate(p, off)
	case "fixed-window", "anchored-window", "sliding-log", "sliding-counter":
		w, off := round(f.Values["window"])
		reading := strings.Replace(f.Family, "anchored", "fixed", 1)
		p = append(p, fmt.Sprintf("limit: %.0f/%s", f.Values["limit"].Low, w), "reading: "+reading)
		p = tolerate(p, off)
	case "stepped-bucket":
		w, off := round(f.Values["window"])
		p = append(p, fmt.Sprintf("limit: %.0f/%s", f.Values["step"].Low, w), fmt.Sprintf("burst: %.0f", f.Values["burst"].Low), "reading: "+f.Family)
		p = tolerate(p, off)
	case "concurrency":
		p = append(p, fmt.Sprintf("limit: %.0f", f.Values["limit"].High), "reading: concurrency")
	default:
		return "", "", fmt.Errorf("a scenario has no reading for %s: it can be described, not promised", f.Family)
	}
	if f.RejectsConsume {
		p = append(p, "rejects_consume: true")
	}
	if s := r.scope(); s == "ip" || s == "key" || s == "global" {
		p = append(p, "scope: "+s)
	}
	reject, err = r.rejects()
	return "{" + strings.Join(p, ", ") + "}", reject, err
}

// rejects is how requests too many are answered, in YAML.
func (r Result) rejects() (string, error) {
	var statuses []string
	for _, k := range r.rejections() {
		if k.Answer == "closed" {
			return "", errors.New("a scenario cannot promise that connections are closed without an answer")
		}
		statuses = append(statuses, k.Answer)
	}
	rule, c := "none", r.claims()
	if c.RetryAfter == "always" && c.TooEarly == 0 && c.TooLate == 0 {
		rule = "required"
	}
	return fmt.Sprintf("{status: [%s], retry_after: %s}", strings.Join(statuses, ", "), rule), nil
}

// tolerate adds the tolerance that a promise needs, in tenths of a percent.
func tolerate(p []string, off float64) []string {
	percent := math.Ceil((off+2*drift)*1000) / 10
	return append(p, fmt.Sprintf("tolerance: best-effort %g%%", percent))
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
	text := d.String()
	for _, tail := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, tail) {
			text = text[:len(text)-2]
		}
	}
	return text
}
