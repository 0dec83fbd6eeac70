package analyze

import "duckload/limiter"

// fewRows is how many requests are looked at, again and again, for what is
// measured beside the verdicts.
const fewRows = 10_000

// first returns the case of the first n requests alone, or the case itself if
// there are no more. What is certain of them is certain of the run. Answers
// that came after the last of them was sent may be due to later ones, so they
// are taken for unknown.
func (c *Case) first(n int) *Case {
	if len(c.Rows) <= n {
		return c
	}
	few := &Case{Header: c.Header, Group: c.Group, Promise: c.Promise, Whole: c.Whole, apart: c.apart, Evidence: c.Evidence, order: &arrangement{}}
	few.Rows = make([]Row, n)
	copy(few.Rows, c.Rows)
	until := c.Rows[n].Sent
	for i := range few.Rows {
		if r := &few.Rows[i]; r.Answered >= until && r.Outcome == limiter.Rejected {
			r.Outcome = limiter.Unknown
		}
	}
	return few
}

// begun returns the case of the first fewRows requests, the same each time.
func (c *Case) begun() *Case {
	if c.few == nil {
		c.few = c.first(fewRows)
	}
	return c.few
}
