package scenarios

import (
	"slices"
	"strings"
	"testing"
	"time"

	"duckload/limiter"
)

const turning = `version: 1
target: emulator
defaults:
  errors: {json: error.code, codes: {E4001: {status: 401}, E4002: {status: 403}}}
identities:
  me: {headers: {Authorization: "Bearer ${env:KEY:-demo}"}}
  nobody: {}
  low: {headers: {Authorization: "Bearer ${env:LOW:-low}"}}
groups:
  g:
    promise: {limit: 5/min, burst: 2, scope: ip}
    identity: me
    requests: [GET /x]
    expect: {nobody: E4001, low: E4002}
`

// Who is told what is asked last, from lanes of its own at the address of the
// first.
func TestWhatOthersAreToldIsAskedLast(t *testing.T) {
	for _, text := range []string{turning, turning + "    pacing: [{burst: 5}]\n"} {
		s, err := Load("x.yaml", []byte(text), Env{})
		if err != nil {
			t.Fatal(err)
		}
		plan, err := Compile(s, CompileOptions{Run: "r"})
		if err != nil {
			t.Fatal(err)
		}
		phases := plan.Tracks[0].Phases
		last := phases[len(phases)-1]
		if last.Pace != "expect" || len(last.Others) != 2 {
			t.Fatalf("got %+v as the last phase, want one that asks as two others", last)
		}
		for i, want := range []string{"nobody", "low"} {
			l := plan.Lanes[last.Others[i]]
			if l.Identity != want || l.Source != plan.Lanes[0].Source {
				t.Errorf("lane %d: got %s, want %s from %s", i, l, want, plan.Lanes[0].Source)
			}
		}
		if plan.Duration() > 100*time.Second {
			t.Errorf("the plan takes %s, want no longer for what is asked last", plan.Duration())
		}
	}
}

func TestWhoWasRejectedIsAskedAgain(t *testing.T) {
	p := Phase{Pace: "expect", Lanes: []int{0}, Others: []int{1, 2}, For: 20 * time.Second,
		Limit: limiter.Limit{Limit: 5, Window: time.Minute, Burst: 2, Reading: limiter.TokenBucket}}
	v := View{Now: time.Second}
	ask := func() Move { return nextExpected(p, v) }
	answer := func(m Move, outcome limiter.Outcome, wait time.Duration) {
		t.Helper()
		if len(m.Shots) != 1 {
			t.Fatalf("got %+v, want one request", m)
		}
		s := m.Shots[0]
		v.Seen = append(v.Seen, Seen{Lane: s.Lane, Sent: s.At, Answered: s.At + time.Millisecond, Outcome: outcome, RetryAfter: wait})
		v.Now = s.At + time.Millisecond
	}
	var lanes []int
	m := ask()
	answer(m, limiter.Rejected, 5*time.Second)
	from := v.Now
	m = ask()
	if at := m.Shots[0].At; at < from+5*time.Second || at > from+6*time.Second {
		t.Errorf("got the second try at %s, want it 5 s after %s", at, from)
	}
	answer(m, limiter.Unknown, -1)
	m = ask()
	lanes = append(lanes, m.Shots[0].Lane)
	answer(m, limiter.Rejected, time.Hour)
	if m = ask(); !m.Done {
		t.Errorf("got %+v after a wait of an hour, want it given up", m)
	}
	if !slices.Equal(lanes, []int{2}) {
		t.Errorf("got lanes %v next, want 2", lanes)
	}
}

func TestMistakesInErrorTables(t *testing.T) {
	for _, c := range []struct{ change, to, want string }{
		{"nobody: E4001", "nobody: E9999", `expect.nobody: unknown code "E9999"`},
		{"nobody: E4001", "nobdy: E4001", `unknown identity "nobdy" (did you mean "nobody"?)`},
		{"nobody: E4001", "me: E4001", "sends for the group (identity)"},
		{"json: error.code", "json: error..code", "names with dots between them"},
		{"json: error.code, ", "", "json is missing (write json: error.code"},
		{"E4001: {status: 401}", "E4001: {means: x}", "status is missing"},
		{"E4001: {status: 401}", "E4001: {status: 4010}", "must be from 100 to 599"},
		{"codes: {E4001: {status: 401}, E4002: {status: 403}}", "codes: {}", "names no code"},
	} {
		_, err := Load("x.yaml", []byte(strings.Replace(turning, c.change, c.to, 1)), Env{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v\nwant …%s…", c.to, err, c.want)
		}
	}
}
