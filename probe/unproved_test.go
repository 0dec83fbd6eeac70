package probe

import (
	"strings"
	"testing"
	"time"

	"duckload/limiter"
)

// said is what one client finds out about a limiter.
func said(t *testing.T, o Options, fresh func() limiter.Limiter, serve time.Duration) (Result, string) {
	t.Helper()
	w := newWorld(3, trips(time.Millisecond), func(began, first time.Duration) (limiter.Limiter, time.Duration) { return fresh(), 0 })
	w.serve = serve
	r := Identify(w, o)
	words := strings.Join(r.Words(), "\n")
	t.Logf("%d requests, %s: %s", r.Requests, r.Took, words)
	return r, words
}

func wants(t *testing.T, words string, all ...string) {
	t.Helper()
	for _, want := range all {
		if !strings.Contains(words, want) {
			t.Errorf("%q is not said:\n%s", want, words)
		}
	}
}

// Of a window that is longer than the run it is said how long nothing came
// back, and no family and no length is made up.
func TestALongWindowIsNotGuessed(t *testing.T) {
	r, words := said(t, Options{Budget: 2000, MaxTime: 5 * time.Minute}, func() limiter.Limiter {
		return model("anchored-window", limiter.Limit{Limit: 20, Window: time.Hour})
	}, 0)
	wants(t, words, "open: 20 were admitted, then nothing came back within 4m5", "anchored-window: limit 20, window above 4m")
	for _, f := range r.Answers {
		if s, ok := f.Values["window"]; ok && f.Family == "anchored-window" && (s.Low > 3.6e12 || s.High < 3.6e12) {
			t.Errorf("%s: an hour is not within %v", f.Family, s)
		}
	}
}

// Of a limit beyond the budget it is said how far it was looked for.
func TestALimitBeyondTheBudgetIsNotGuessed(t *testing.T) {
	_, words := said(t, Options{Budget: 300, MaxTime: time.Minute}, func() limiter.Limiter {
		return model("anchored-window", limiter.Limit{Limit: 10_000, Window: time.Hour})
	}, 0)
	wants(t, words, "no limit was met in 300 requests")
}

// What one client cannot tell is said.
func TestOneClientSaysWhatItCannotTell(t *testing.T) {
	_, words := said(t, Options{Budget: 2000, MaxTime: 5 * time.Minute}, func() limiter.Limiter {
		return model("fixed-window", limiter.Limit{Limit: 8, Window: 3 * time.Second})
	}, 0)
	wants(t, words, "fixed-window: limit 8", "who shares the counter is not known", "one client cannot tell")
}

// A limit of what is under way comes with how long each is, and the scenario
// counts on a bit less.
func TestHowLongEachTakesIsFound(t *testing.T) {
	r, words := said(t, Options{Budget: 2000, MaxTime: 5 * time.Minute}, func() limiter.Limiter {
		return model("concurrency", limiter.Limit{Limit: 4})
	}, 250*time.Millisecond)
	wants(t, words, "concurrency: limit 4", "each takes the server")
	if s := r.Service(); s < 245*time.Millisecond || s > 260*time.Millisecond {
		t.Errorf("got a service of %s, want 250 ms", s)
	}
	promise, err := r.Promise()
	if err != nil || !strings.Contains(promise.Limit, "service_time: 1") {
		t.Errorf("the promise %q, %v lacks a service time", promise.Limit, err)
	}
}

// drunk admits as it likes.
type drunk struct{ n int }

func (d drunk) Take(at time.Duration) (limiter.Decision, limiter.Limiter) {
	d.n++
	ok := d.n < 6 || (d.n*d.n*7)%11 < 4
	return limiter.Decision{OK: ok, Wait: time.Second}, d
}

// Where nothing explains what was seen, what comes nearest is named, with what
// it lacks; or that nothing does.
func TestWhatComesNearestIsNamed(t *testing.T) {
	_, words := said(t, Options{Budget: 300, MaxTime: time.Minute}, func() limiter.Limiter { return drunk{} }, 0)
	if !strings.Contains(words, "nearest comes ") && !strings.Contains(words, "no family comes near") {
		t.Errorf("what comes nearest is not said:\n%s", words)
	}
	wants(t, words, "unknown: none of the families")
}
