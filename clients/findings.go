package clients

import (
	"fmt"

	"duckload/analyze"
	"duckload/english"
)

// A Finding is the result of one check: a sentence with numbers, and a witness
// where it fails.
type Finding struct {
	Check   string          `json:"id"`
	Outcome analyze.Verdict `json:"outcome"`
	Message string          `json:"message"` // one sentence, lower case, no full stop
	Witness *Witness        `json:"witness"` // never nil when the outcome is fail
}

// A Witness is the smallest set of requests that proves a failure. Where
// requests are missing, it has none.
type Witness struct {
	Sentence string `json:"sentence"` // a person can check it by hand
	Requests []int  `json:"requests"` // numbers of exchanges, in order
}

// A Judgement is what a run says about its clients.
type Judgement struct {
	Run
	Outcome  analyze.Verdict
	Findings []Finding
}

// Judge asks every check that applies to a run.
func Judge(r Run) Judgement {
	j := Judgement{Run: r, Outcome: analyze.Pass}
	if r.Stop == Interrupted {
		j.Outcome = analyze.Inconclusive
	}
	for _, c := range Checks {
		if !c.Applies(r) {
			continue
		}
		f := c.Judge(r)
		f.Check = c.ID
		j.Findings = append(j.Findings, f)
		j.Outcome = j.Outcome.Worse(f.Outcome)
	}
	return j
}

func pass(format string, args ...any) Finding {
	return Finding{Outcome: analyze.Pass, Message: fmt.Sprintf(format, args...)}
}

func open(format string, args ...any) Finding {
	return Finding{Outcome: analyze.Inconclusive, Message: fmt.Sprintf(format, args...)}
}

func fail(w Witness, format string, args ...any) Finding {
	if w.Requests == nil {
		w.Requests = []int{}
	}
	return Finding{Outcome: analyze.Fail, Message: fmt.Sprintf(format, args...), Witness: &w}
}

// numbers are those of some exchanges.
func numbers(all []Exchange) []int {
	var list []int
	for _, e := range all {
		list = append(list, e.Number)
	}
	return list
}

// list writes numbers: "1, 2 and 5", "1 to 10".
func list(all []int) string {
	if n := len(all); n > 3 && all[n-1]-all[0] == n-1 {
		return fmt.Sprintf("%d to %d", all[0], all[n-1])
	}
	return english.List(all, "and")
}
