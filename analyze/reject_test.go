package analyze

import (
	"strings"
	"testing"

	"duckload/limiter"
)

func TestRejectionStories(t *testing.T) {
	coded := tenPerMinute
	coded.Reject.JSON = []limiter.Field{{Name: "error.code", Value: "E4004"}}
	for _, c := range []struct {
		name  string
		check Check
		story string
		want  Verdict
		says  string
	}{
		{"documented", rejectStatus, `a 0s 1s 429 json:error.code=E4004`, Pass, "every one of 1 rejection had status 429"},
		{"another status with the documented code", rejectStatus, `
			a 0s 1s 429 json:error.code=E4004
			a 1s 2s 503 json:error.code=E4004`, Fail, "1 of 2 rejections did not have status 429: 1 × status 503"},
		{"nothing rejected", rejectStatus, `a 0s 1s 200`, Inconclusive, "send more than the burst"},
		{"another status without the code", rejectStatus, `
			a 0s 1s 200
			a 1s 2s 503 Retry-After=2
			a 2s 3s 503 Retry-After=1`, Inconclusive, "2 answers look like one: 2 × status 503; if the limiter answers so, write on_reject: {status: 503}"},
		{"two other statuses", rejectStatus, `
			a 1s 2s 503 Retry-After=2
			a 2s 3s 403 Retry-After=1`, Inconclusive, "write on_reject: {status: [503, 403]}"},
		{"a failure that says nothing is no rejection", rejectStatus, `a 0s 1s 503`, Inconclusive, "failures beside them: 1 × status 503; if the limiter answers so, write on_reject: {status: 503}"},
		{"first this, then that", rejectStatus, `
			a 1s 2s 429
			a 2s 3s 403 Retry-After=1`, Pass, "look like rejections: 1 × status 403"},

		{"body", rejectBody, `a 0s 1s 429 json:error.code=E4004`, Pass, `carried error.code "E4004"`},
		{"no body", rejectBody, `a 0s 1s 429`, Fail, `1 × no error.code`},
		{"another code", rejectBody, `
			a 0s 1s 429 json:error.code=E5001
			a 2s 3s 429 json:error.code=E5002
			a 4s 5s 429 json:error.code=E4004`, Fail, `2 of 3 rejections did not carry error.code "E4004": 2 × another error.code, such as "E5001"`},
		{"no rejection", rejectBody, `a 0s 1s 200`, Inconclusive, "none of 1 request"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := story(t, c.story)
			f := judge(t, c.check, caseOf(coded, o), o)
			if f.Outcome != c.want || !strings.Contains(f.Message, c.says) {
				t.Errorf("got %s: %s\nwant %s: …%s…", f.Outcome, f.Message, c.want, c.says)
			}
			if f.Witness != nil && len(f.Witness.Requests)+f.Witness.More != f.Witness.Counted {
				t.Errorf("got %d requests and %d more, want %d together", len(f.Witness.Requests), f.Witness.More, f.Witness.Counted)
			}
		})
	}
}

func TestABodyThatCouldNotBeReadIsNotJudged(t *testing.T) {
	coded := tenPerMinute
	coded.Reject.JSON = []limiter.Field{{Name: "error.code", Value: "E4004"}}
	o := story(t, `a 0s 1s 429`)
	o[0].Error = "reset"
	if f := judge(t, rejectBody, caseOf(coded, o), o); f.Outcome != Inconclusive {
		t.Errorf("got %s: %s, want inconclusive", f.Outcome, f.Message)
	}
}

// What was lost may have broken the promise, and may have come between two
// requests. Only what each seen answer proves alone still fails.
func TestNothingPassesOnARecordWithHoles(t *testing.T) {
	promise := tenPerMinute
	promise.Reject.JSON = []limiter.Field{{Name: "error.code", Value: "E4004"}}
	promise.Objectives.Latency = []limiter.LatencyObjective{{Percentile: 50, Most: 1 << 40}}
	promise.Objectives.Errors = new(float64)
	good := story(t, burst+`
		a 1.5s 1.502s 429 Retry-After=5 json:error.code=E4004
		a 5.9s 5.902s 429 Retry-After=1 json:error.code=E4004
		a 6.6s 6.602s 200`)
	early := story(t, burst+`
		a 1.5s 1.502s 429 Retry-After=2 json:error.code=E4004
		a 5.9s 5.902s 429 Retry-After=1 json:error.code=E4004`)
	for _, check := range evidenceChecks {
		if check.ID == "headers" {
			continue
		}
		c := caseOf(promise, good)
		if f := judge(t, check, c, good); f.Outcome != Pass {
			t.Errorf("%s: got %s (%s) for a whole record, want pass", check.ID, f.Outcome, f.Message)
		}
		c.Whole = false
		if f := judge(t, check, c, good); f.Outcome != Inconclusive {
			t.Errorf("%s: got %s (%s), want inconclusive", check.ID, f.Outcome, f.Message)
		}
	}
	c := caseOf(promise, early)
	c.Whole = false
	if f := judge(t, retryAfterSufficient, c, early); f.Outcome != Inconclusive {
		t.Errorf("got %s (%s), want inconclusive: a lost request may have come between", f.Outcome, f.Message)
	}
}
