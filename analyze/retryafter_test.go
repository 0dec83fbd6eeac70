package analyze

import (
	"strings"
	"testing"

	"duckload/limiter"
)

// burst is five admitted at once, so that the next token comes at 6 s, the one
// after it at 12 s.
const burst = `
a 0s 0.002s 200
a 0s 0.002s 200
a 0s 0.002s 200
a 0s 0.002s 200
a 0s 0.002s 200
`

func TestRetryAfterStories(t *testing.T) {
	required := tenPerMinute
	required.Reject.RetryAfter = limiter.RetryAfterRequired
	undocumented := tenPerMinute
	undocumented.Limits = []limiter.Limit{undocumented.Limits[0]}
	undocumented.Limits[0].Scope = limiter.ScopeUnknown
	consuming := undocumented
	consuming.Limits = []limiter.Limit{tenPerMinute.Limits[0]}
	consuming.Limits[0].RejectsConsume = true

	for _, c := range []struct {
		name    string
		promise limiter.Promise
		check   Check
		story   string
		want    Verdict
		says    string
	}{
		{"honest seconds", tenPerMinute, retryAfterSufficient, burst + `
			a 1.5s 1.502s 429 Retry-After=5
			a 6.6s 6.602s 200`, Pass, "1 retry was sent within a second"},
		{"honest seconds are tight", tenPerMinute, retryAfterTight, burst + `
			a 1.5s 1.502s 429 Retry-After=5
			a 5.9s 5.902s 429 Retry-After=1
			a 6.6s 6.602s 200`, Pass, "2 of 2"},
		{"rounded down", tenPerMinute, retryAfterSufficient, burst + `
			a 1.2s 1.202s 429 Retry-After=4
			a 5.75s 5.752s 429 Retry-After=0
			a 6.1s 6.102s 200`, Fail, "rounded down instead of up"},
		{"rounded to the nearest", tenPerMinute, retryAfterSufficient, burst + `
			a 1.7s 1.702s 429 Retry-After=4
			a 5.8s 5.802s 429 Retry-After=0
			a 6.1s 6.102s 200
			a 7.2s 7.202s 429 Retry-After=5
			a 12.01s 12.012s 200`, Fail, "rounded to the nearest second"},
		{"always zero", tenPerMinute, retryAfterSufficient, burst + `
			a 1s 1.002s 429 Retry-After=0
			a 2s 2.002s 429 Retry-After=0
			a 4s 4.002s 429 Retry-After=0
			a 5.5s 5.502s 429 Retry-After=0
			a 6.1s 6.102s 200`, Fail, "constant: always 0"},
		{"another request may have taken the token", tenPerMinute, retryAfterSufficient, burst + `
			a 1.5s 1.502s 429 Retry-After=5
			a 6.1s 6.102s 200
			a 6.6s 6.602s 429 Retry-After=6`, Inconclusive, "none was followed"},
		{"the other request was still on its way", tenPerMinute, retryAfterSufficient, burst + `
			a 1.4s 6.102s 200
			a 1.5s 1.502s 429 Retry-After=5
			a 6.6s 6.602s 429 Retry-After=6`, Inconclusive, "none was followed"},
		{"the other request came while the retry was decided", tenPerMinute, retryAfterSufficient, burst + `
			a 1.5s 1.502s 429 Retry-After=5
			a 6.6s 6.7s 429 Retry-After=6
			a 6.65s 6.66s 200`, Pass, "1 retry was sent within a second"},
		{"of another lane of the key", tenPerMinute, retryAfterSufficient, burst + `
			a 1.5s 1.502s 429 Retry-After=5
			b 6.1s 6.102s 200
			a 6.6s 6.602s 429 Retry-After=6`, Inconclusive, ""},
		{"an unanswered request may be decided at any time", tenPerMinute, retryAfterSufficient, burst + `
			a 1s - 0
			a 1.5s 1.502s 429 Retry-After=5
			a 6.6s 6.602s 429 Retry-After=6`, Inconclusive, "decided_within"},
		{"rejected requests that consume come between", consuming, retryAfterSufficient, burst + `
			a 1.5s 1.502s 429 Retry-After=5
			a 3.5s 3.502s 429 Retry-After=9
			a 6.6s 6.602s 429 Retry-After=12`, Inconclusive, ""},
		{"rejected requests that do not consume do not matter", tenPerMinute, retryAfterSufficient, burst + `
			a 1.5s 1.502s 429 Retry-After=4
			a 3.5s 3.502s 429 Retry-After=3
			a 5.6s 5.602s 429 Retry-After=1
			a 6.65s 6.652s 200`, Fail, "1 retry was sent as told and rejected again; 1 came"},
		{"lanes of a scope that is not documented are not compared", undocumented, retryAfterSufficient, burst + `
			a 1.5s 1.502s 429 Retry-After=2
			b 4.6s 4.602s 429 Retry-After=2`, Inconclusive, ""},
		{"a retry within the clock's step is no proof", tenPerMinute, retryAfterSufficient, burst + `
			a 2s 2.002s 429 Retry-After=4
			a 6.005s 6.007s 429 Retry-After=1`, Inconclusive, ""},
		{"a retry long after says nothing", tenPerMinute, retryAfterSufficient, burst + `
			a 1.5s 1.502s 429 Retry-After=1
			a 60s 60.002s 200`, Inconclusive, "admitted later than that"},
		{"honest date", tenPerMinute, retryAfterSufficient, burst + `
			a 1.5s 1.502s 429 Date=Tue,_24_Nov_2026_10:00:01_GMT Retry-After=Tue,_24_Nov_2026_10:00:06_GMT
			a 7.6s 7.602s 200`, Pass, ""},
		{"date too early", tenPerMinute, retryAfterSufficient, burst + `
			a 1.5s 1.502s 429 Date=Tue,_24_Nov_2026_10:00:01_GMT Retry-After=Tue,_24_Nov_2026_10:00:03_GMT
			a 4.6s 4.602s 429 Date=Tue,_24_Nov_2026_10:00:04_GMT Retry-After=Tue,_24_Nov_2026_10:00:04_GMT`, Fail, "1 retry"},
		{"past date", tenPerMinute, retryAfterSufficient, burst + `
			a 1.5s 1.502s 429 Date=Tue,_24_Nov_2026_10:00:01_GMT Retry-After=Tue,_24_Nov_2026_09:00:03_GMT
			a 4.6s 4.602s 429 Date=Tue,_24_Nov_2026_10:00:04_GMT Retry-After=Tue,_24_Nov_2026_10:00:04_GMT`, Fail, "1 retry"},
		{"a date without Date", tenPerMinute, retryAfterSufficient, burst + `
			a 1.5s 1.502s 429 Retry-After=Tue,_24_Nov_2026_10:00:03_GMT
			a 4.6s 4.602s 429 Retry-After=Tue,_24_Nov_2026_10:00:04_GMT`, Inconclusive, "no Date"},
		{"nobody was rejected", tenPerMinute, retryAfterSufficient, burst, Inconclusive, "send more than the burst"},

		{"constant 60", tenPerMinute, retryAfterTight, burst + `
			a 1.5s 1.502s 429 Retry-After=60
			a 3.5s 3.502s 429 Retry-After=60
			a 5.5s 5.502s 429 Retry-After=60
			a 6.1s 6.102s 200`, Fail, "never asks for more than 6.0"},
		{"constant, within what the limit may ask for", tenPerMinute, retryAfterTight, burst + `
			a 0.5s 0.502s 429 Retry-After=6
			a 3.5s 3.502s 429 Retry-After=6
			a 5.5s 5.502s 429 Retry-After=6
			a 6.1s 6.102s 200`, Fail, "constant: always 6"},
		{"milliseconds", tenPerMinute, retryAfterTight, burst + `
			a 0.5s 0.502s 429 Retry-After=5500
			a 3.5s 3.502s 429 Retry-After=2500
			a 5.5s 5.502s 429 Retry-After=500
			a 6.005s 6.006s 200`, Fail, "milliseconds"},
		{"growing", tenPerMinute, retryAfterTight, burst + `
			a 0.5s 0.502s 429 Retry-After=8
			a 3.5s 3.502s 429 Retry-After=16
			a 5.5s 5.502s 429 Retry-After=32
			a 6.1s 6.102s 200`, Fail, "grows"},
		{"one second more than the ceiling may be rounding", tenPerMinute, retryAfterTight, burst + `
			a 1.1s 1.102s 429 Retry-After=5
			a 5.1s 5.102s 429 Retry-After=1
			a 6.05s 6.052s 200`, Pass, ""},
		{"no retry shows that the wait was needed", tenPerMinute, retryAfterTight, burst + `
			a 1.1s 1.102s 429 Retry-After=5
			a 6.05s 6.052s 200`, Inconclusive, "none of 1 told wait was shown to be needed"},
		{"too long is told, and no failure, where only required", required, retryAfterSufficient, burst + `
			a 1.5s 1.502s 429 Retry-After=60
			a 6.1s 6.102s 200
			a 6.2s 6.202s 429 Retry-After=60
			a 66.3s 66.302s 200`, Pass, "up to 54.3"},

		{"present", tenPerMinute, retryAfterPresent, burst + `a 1s 1.002s 429 Retry-After=soon`, Pass, ""},
		{"missing", tenPerMinute, retryAfterPresent, burst + `a 1s 1.002s 429 Date=x`, Fail, "1 of 1 rejection carried no Retry-After"},
		{"never rejected", tenPerMinute, retryAfterPresent, burst, Inconclusive, "none of 5 requests was rejected"},

		{"seconds", tenPerMinute, retryAfterWellFormed, burst + `a 1s 1.002s 429 Retry-After=5`, Pass, ""},
		{"a constant of 60", tenPerMinute, retryAfterWellFormed, burst + `a 1s 1.002s 429 Retry-After=60`, Pass, ""},
		{"fraction", tenPerMinute, retryAfterWellFormed, burst + `a 1s 1.002s 429 Retry-After=0.493`, Fail, `fractional, such as "0.493"`},
		{"negative", tenPerMinute, retryAfterWellFormed, burst + `a 1s 1.002s 429 Retry-After=-1`, Fail, `negative, such as "-1"`},
		{"two", tenPerMinute, retryAfterWellFormed, burst + `a 1s 1.002s 429 Retry-After=1 Retry-After=2`, Fail, "sent twice"},
		{"UTC", tenPerMinute, retryAfterWellFormed, burst + `a 1s 1.002s 429 Retry-After=Tue,_24_Nov_2026_10:00:07_UTC`, Fail, "not GMT"},
		{"a past date is one", tenPerMinute, retryAfterWellFormed, burst + `
			a 1s 1.002s 429 Date=Tue,_24_Nov_2026_10:00:01_GMT Retry-After=Tue,_24_Nov_2026_09:00:03_GMT`, Fail, "in the past"},
		{"a date of this second is none", tenPerMinute, retryAfterWellFormed, burst + `
			a 1s 1.002s 429 Date=Tue,_24_Nov_2026_10:00:01_GMT Retry-After=Tue,_24_Nov_2026_10:00:00_GMT`, Pass, ""},
		{"epoch", tenPerMinute, retryAfterWellFormed, burst + `a 1s 1.002s 429 Retry-After=1795514406`, Fail, "seconds since 1970"},
		{"epoch in milliseconds", tenPerMinute, retryAfterWellFormed, burst + `a 1s 1.002s 429 Retry-After=1795514406000`, Fail, "milliseconds since 1970"},
		{"milliseconds fail", tenPerMinute, retryAfterWellFormed, burst + `a 1s 1.002s 429 Retry-After=5000`, Fail, "milliseconds, it seems"},
		{"huge", tenPerMinute, retryAfterWellFormed, burst + `a 1s 1.002s 429 Retry-After=99999999999999999999999`, Fail, "far beyond"},
		{"none to read", tenPerMinute, retryAfterWellFormed, burst + `a 1s 1.002s 429`, Inconclusive, "none of 1 rejection carried"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := story(t, c.story)
			f := judge(t, c.check, caseOf(c.promise, o), o)
			if f.Outcome != c.want || !strings.Contains(f.Message, c.says) {
				t.Errorf("got %s: %s\nwant %s: …%s…", f.Outcome, f.Message, c.want, c.says)
			}
			if f.Witness != nil && (len(f.Witness.Requests) == 0 || f.Witness.Sentence == "" || f.Witness.To < f.Witness.From) {
				t.Errorf("got the witness %+v, want requests, a sentence and a stretch of time", f.Witness)
			}
			t.Log(f.Message)
		})
	}
}
