package analyze

import (
	"iter"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"duckload/history"
	"duckload/limiter"
)

// tenPerMinute is the promise of most stories: a token comes back every 6 s.
var tenPerMinute = limiter.Promise{
	Limits:   []limiter.Limit{{Limit: 10, Window: time.Minute, Burst: 5, Scope: limiter.ScopeGlobal, Reading: limiter.TokenBucket}},
	Reject:   limiter.Rejection{Status: []int{429}, RetryAfter: limiter.RetryAfterExact},
	Admitted: []limiter.Statuses{{From: 200, To: 299}},
}

// caseOf is a case of one group whose lanes are named by letters: "a", "b".
func caseOf(promise limiter.Promise, observations []history.Observation) *Case {
	slices.SortStableFunc(observations, func(a, b history.Observation) int { return int(a.Sent - b.Sent) })
	c := &Case{
		Header: &history.Header{
			Started: time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC),
			Groups:  []history.Group{{Name: "g", Counter: "g", Promise: promise, Exclusive: true, Fresh: true}},
			Lanes:   []history.Lane{{Identity: "a", Source: "127.0.0.2"}, {Identity: "b", Source: "127.0.0.3"}},
			Phases:  []history.Phase{{Label: "story"}},
		},
		Promise: promise,
		Whole:   true,
	}
	c.teller = newTeller()
	for i, o := range observations {
		r := Row{Sent: o.Sent, Answered: o.Answered, Ordinal: uint32(i), Lane: uint16(o.Lane), Outcome: outcomeOf(promise, o)}
		c.teller.tell(&r, &o, 0)
		c.Rows = append(c.Rows, r)
	}
	c.All = func() iter.Seq2[*history.Observation, limiter.Outcome] {
		return func(yield func(*history.Observation, limiter.Outcome) bool) {
			for i := range observations {
				if !yield(&observations[i], outcomeOf(promise, observations[i])) {
					return
				}
			}
		}
	}
	c.Evidence = func(rows []Row) []Evidence {
		var all []Evidence
		for _, r := range rows {
			all = append(all, shown(&observations[r.Ordinal], r.Outcome))
		}
		return all
	}
	return c
}

func outcomeOf(promise limiter.Promise, o history.Observation) limiter.Outcome {
	if o.Resent || o.Answered == history.Never {
		return limiter.Unknown
	}
	return promise.Outcome(o.Status, o.Evidence)
}

// judge runs one check over a case, as a run does.
func judge(t *testing.T, check Check, c *Case, observations []history.Observation) Finding {
	t.Helper()
	all := findings(check, c, observations)
	if len(all) != 1 {
		t.Fatalf("%s: got %d findings, want 1: %+v", check.ID, len(all), all)
	}
	f := all[0]
	if f.Check != check.ID {
		t.Errorf("got a finding of %q, want %q", f.Check, check.ID)
	}
	if (f.Outcome == Fail) != (f.Witness != nil) {
		t.Errorf("%s: got %s with witness %+v; a failure has a witness and nothing else has", check.ID, f.Outcome, f.Witness)
	}
	return f
}

// story reads a timeline, one request a line:
//
//	lane  sent  answered  status  name=value …
//
// An answer that never came is "-". Spaces in values are underscores.
func story(t *testing.T, text string) []history.Observation {
	t.Helper()
	var all []history.Observation
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		o := history.Observation{Lane: int(words[0][0] - 'a'), Seq: uint64(len(all)), Answered: history.Never}
		o.Sent = duration(t, words[1])
		o.Intended = o.Sent
		o.Done = o.Sent + 30*time.Second
		o.Error = "timeout"
		if words[2] != "-" {
			o.Answered = duration(t, words[2])
			o.Done = o.Answered
			o.Error = ""
		}
		var err error
		if o.Status, err = strconv.Atoi(words[3]); err != nil {
			t.Fatal(err)
		}
		for _, pair := range words[4:] {
			name, value, _ := strings.Cut(pair, "=")
			o.Evidence = append(o.Evidence, limiter.Field{Name: name, Value: strings.ReplaceAll(value, "_", " ")})
		}
		all = append(all, o)
	}
	return all
}

func duration(t *testing.T, s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
