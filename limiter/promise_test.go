package limiter

import (
	"math"
	"testing"
	"time"
)

func TestAnAnswerIsClassifiedByThePromise(t *testing.T) {
	p := Promise{
		Reject:   Rejection{Status: []int{429}, JSON: []Field{{Name: "error.code", Value: "E4004"}}},
		Admitted: []Statuses{{From: 200, To: 299}, {From: 409, To: 409}},
	}
	code := func(v string) Fields { return Fields{{Name: "json:error.code", Value: v}} }
	for _, c := range []struct {
		status   int
		evidence Fields
		want     Outcome
	}{
		{200, nil, Admitted},
		{299, nil, Admitted},
		{409, code("E4003"), Admitted},
		{429, nil, Rejected},
		{503, code("E4004"), Rejected},
		{503, nil, Unknown},
		{403, code("E4002"), Unknown},
		{302, nil, Unknown},
		{0, nil, Unknown},
		{200, code("E4004"), Admitted},
	} {
		if got := p.Outcome(c.status, c.evidence); got != c.want {
			t.Errorf("%d with %v: %s, want %s", c.status, c.evidence, got, c.want)
		}
	}
}

func TestALimitReadsAsATableSaysIt(t *testing.T) {
	for want, l := range map[string]Limit{
		"100/min, burst 200":    {Limit: 100, Window: time.Minute, Burst: 200},
		"5/s, per ip":           {Limit: 5, Window: time.Second, Scope: ScopeIP},
		"10/s, queue of 20":     {Limit: 10, Window: time.Second, Burst: 20, Reading: LeakyQueue},
		"5 at once, per key":    {Limit: 5, Reading: Concurrency, Scope: ScopeKey},
		"9/1.5s, for everybody": {Limit: 9, Window: 1500 * time.Millisecond, Scope: ScopeGlobal},
	} {
		if got := l.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestAFullRestThatDoesNotFitIsTheLongestDuration(t *testing.T) {
	for _, reading := range Readings {
		l := Limit{Limit: 1, Window: Far, Burst: math.MaxInt64, Reading: reading}
		if got := l.FullRest(); got < Far && reading != Concurrency {
			t.Errorf("%s: %d, want at least %d", reading, got, Far)
		}
	}
	l := Limit{Limit: 100, Window: time.Minute, Burst: 200, Reading: TokenBucket}
	if got := l.FullRest(); got != 2*time.Minute {
		t.Errorf("got %s, want 2m", got)
	}
}
