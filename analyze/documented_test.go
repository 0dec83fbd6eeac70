package analyze

import (
	"strings"
	"testing"

	"duckload/limiter"
)

func documented() limiter.Promise {
	p := tenPerMinute
	p.Errors = limiter.ErrorTable{JSON: "code", Codes: []limiter.ErrorCode{
		{Code: "E1", Status: []int{401}}, {Code: "E2", Status: []int{403, 404}}, {Code: "E4", Status: []int{429}},
	}}
	p.Expect = []limiter.Expectation{{Identity: "b", Code: "E1"}}
	return p
}

func TestDocumentedErrorsStories(t *testing.T) {
	served := documented()
	served.Expect = []limiter.Expectation{{Identity: "b"}}
	for _, c := range []struct {
		name    string
		check   Check
		promise limiter.Promise
		story   string
		want    Verdict
		says    string
	}{
		{"as documented", errorTable, documented(), `
			a 0s 1s 401 json:code=E1
			a 1s 2s 404 json:code=E2
			a 2s 3s 429 json:code=E4
			a 3s 4s 200`, Pass, "every one of 3 answers with an error code is as documented: 1 × E1; 1 × E2; 1 × E4"},
		{"another status", errorTable, documented(), `
			a 0s 1s 401 json:code=E1
			a 1s 2s 500 json:code=E2`, Fail, "1 of 2 answers with an error code are not as documented: 1 × E2 with status 500 instead of 403 or 404"},
		{"a success with an error in its body", errorTable, documented(), `a 0s 1s 200 json:code=E1`, Fail, "E1 with status 200 instead of 401"},
		{"unknown code", errorTable, documented(), `a 0s 1s 400 json:code=E9`, Fail, `1 × unknown code "E9" with status 400`},
		{"no code at all", errorTable, documented(), `a 0s 1s 429`, Inconclusive, "none of 1 answer carried an error code at code"},

		{"told as documented", errorExpected, documented(), `b 0s 1s 401 json:code=E1`, Pass, "b E1"},
		{"rejected first", errorExpected, documented(), `
			b 0s 1s 429 json:code=E4
			b 2s 3s 401 json:code=E1`, Pass, "b E1"},
		{"rejected only", errorExpected, documented(), `b 0s 1s 429 json:code=E4`, Inconclusive, "b got no answer that tells"},
		{"not asked", errorExpected, documented(), `a 0s 1s 200`, Inconclusive, "b got no answer"},
		{"no answer", errorExpected, documented(), `b 0s - 0`, Inconclusive, "b got no answer"},
		{"in trouble", errorExpected, documented(), `b 0s 1s 503`, Inconclusive, "b got no answer"},
		{"served", errorExpected, documented(), `b 0s 1s 200`, Fail, "b was told status 200 instead of E1"},
		{"told another code", errorExpected, documented(), `b 0s 1s 403 json:code=E2`, Fail, `b was told "E2" with status 403 instead of E1`},
		{"told no code", errorExpected, documented(), `b 0s 1s 401`, Fail, `b was told status 401 instead of E1`},
		{"must be served and is", errorExpected, served, `b 0s 1s 200`, Pass, "b admitted"},
		{"must be served and is not", errorExpected, served, `b 0s 1s 401 json:code=E1`, Fail, `b was told "E1" with status 401 instead of a success`},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := story(t, c.story)
			f := judge(t, c.check, caseOf(c.promise, o), o)
			if f.Outcome != c.want || !strings.Contains(f.Message, c.says) {
				t.Errorf("got %s: %s\nwant %s: …%s…", f.Outcome, f.Message, c.want, c.says)
			}
		})
	}
}

func TestWhoIsTurnedAwayIsNoError(t *testing.T) {
	p := documented()
	p.Objectives.Errors = new(float64)
	o := story(t, `
		a 0s 1s 200
		b 1s 2s 401 json:code=E1`)
	if f := judge(t, errorsObjective, caseOf(p, o), o); f.Outcome != Pass {
		t.Errorf("got %s: %s, want pass", f.Outcome, f.Message)
	}
}
