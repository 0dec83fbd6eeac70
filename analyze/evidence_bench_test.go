package analyze

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"duckload/history"
	"duckload/limiter"
)

// flood is a client that ignores what it is told: a thousand requests a second
// against a limit of ten a minute, with headers on each answer.
func flood(n int) *Case {
	c := caseOf(tenPerMinute, nil)
	c.Rows = make([]Row, n)
	for i := range c.Rows {
		sent := time.Duration(i) * time.Millisecond
		r := Row{Sent: sent, Answered: sent + 3*time.Millisecond, Ordinal: uint32(i), Outcome: limiter.Rejected, Wait: waitSeconds | 6 - Wait(i/1000%6), Remaining: 1, Claim: 1}
		if i < 5 || i%6000 == 5999 {
			r.Outcome, r.Wait = limiter.Admitted, 0
		}
		c.Rows[i] = r
	}
	c.Evidence = func(rows []Row) []Evidence { return make([]Evidence, len(rows)) }
	return c
}

// BenchmarkJudges shows how the checks that look at rows grow with their number.
func BenchmarkJudges(b *testing.B) {
	for _, check := range []Check{retryAfterSufficient, retryAfterTight, headersTrue} {
		for _, n := range []int{1e5, 1e6, 1e7} {
			c := flood(n)
			b.Run(check.ID+"/"+strconv.Itoa(n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					check.Judge(c)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/row")
			})
		}
	}
}

// BenchmarkWatchers shows what one answer costs each check that sees them all.
func BenchmarkWatchers(b *testing.B) {
	promise := tenPerMinute
	promise.Reject.JSON = []limiter.Field{{Name: "error.code", Value: "E4004"}}
	promise.Objectives.Latency = []limiter.LatencyObjective{{Percentile: 99, Most: time.Second}}
	promise.Objectives.Errors = new(float64)
	o := history.Observation{Status: 429, Answered: 1, Done: 1, Evidence: answerFields("Date", at, "Ratelimit", `"default";r=0;t=6`, "Ratelimit-Policy", `"default";q=10;w=60`, "Retry-After", "6", "json:error.code", "E4004")}
	for _, check := range slices.Concat(evidenceChecks, []Check{{ID: "rows", Watch: func(*Case) Watcher { return &rowWatch{newTeller()} }}}) {
		if check.Watch == nil {
			continue
		}
		b.Run(check.ID, func(b *testing.B) {
			b.ReportAllocs()
			w := check.Watch(caseOf(promise, nil))
			for b.Loop() {
				w.Observe(&o, limiter.Rejected)
			}
		})
	}
}

// rowWatch does what is done to make a row.
type rowWatch struct{ *teller }

func (w *rowWatch) Observe(o *history.Observation, outcome limiter.Outcome) {
	w.tell(&Row{Outcome: outcome}, o, 0)
}

func (w *rowWatch) Findings() []Finding { return nil }
