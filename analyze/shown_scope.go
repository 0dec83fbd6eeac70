package analyze

import (
	"fmt"
	"slices"
	"time"

	"duckload/english"
	"duckload/limiter"
)

// A ScopeMatrix shows who would share a counter with whom under each scope that
// the senders of a run can tell apart, and which scopes explain what they saw.
type ScopeMatrix struct {
	Scopes  []ScopeColumn // the documented one first, if one is documented
	Senders []ScopeSender // who sent something, in order of the record; at most mostSenders
	More    int           // senders that are not listed
	Looked  int           // requests that it is made from: the first of the run
}

// A ScopeColumn is one way to put the senders together.
type ScopeColumn struct {
	Words      string // "per ip", "for everybody", "for each sender alone"
	Documented bool
	Counters   int
	Explains   bool
	Why        string // what it does not explain, as a sentence

	// Otherwise says whether a token bucket of any other rate and burst would
	// explain the run under this scope; empty: not asked, because some scope
	// explains it as documented, or because that cannot be asked.
	Otherwise Verdict
}

// A ScopeSender is one lane.
type ScopeSender struct {
	Name                              string
	Sent, Admitted, Rejected, Unknown int
	Counters                          []int // by column: the number of its counter, from 0
}

// mostSenders is how many senders a matrix lists.
const mostSenders = 16

// scopeMatrix returns the matrix; empty if there is one sender alone.
func (c *Case) scopeMatrix() ScopeMatrix {
	few := c.begun()
	all := few.tested()
	var m ScopeMatrix
	lanes := few.senderRows(&m)
	if len(lanes) < 2 || len(all) < 2 {
		return ScopeMatrix{}
	}
	documented := documentedScope(c.Promise)
	for i, h := range all {
		m.Scopes = append(m.Scopes, ScopeColumn{
			Words: h.String(), Documented: i == 0 && documented != limiter.ScopeUnknown,
			Counters: h.keys, Explains: h.explains(), Why: few.whyNot(h),
		})
		numbers := map[int]int{}
		for k, lane := range lanes {
			key := h.key[lane]
			if _, ok := numbers[key]; !ok {
				numbers[key] = len(numbers)
			}
			if k < len(m.Senders) {
				m.Senders[k].Counters = append(m.Senders[k].Counters, numbers[key])
			}
		}
	}
	m.Looked = len(few.Rows)
	few.otherwise(m.Scopes, all)
	return m
}

// mostOtherwise is how many requests are looked at for other numbers: that
// takes a search for each scope.
const mostOtherwise = 3000

// otherwise asks for other numbers, if no scope explains the documented ones.
func (c *Case) otherwise(columns []ScopeColumn, all []hypothesis) {
	limits := c.Promise.Limits
	if len(limits) != 1 || limits[0].Reading != limiter.TokenBucket || !c.refutable() || len(c.Rows) > mostOtherwise ||
		slices.ContainsFunc(columns, func(s ScopeColumn) bool { return s.Explains }) {
		return
	}
	for i, h := range all {
		if empty, known := c.noBucket(h); known {
			columns[i].Otherwise = Pass
			if empty {
				columns[i].Otherwise = Fail
			}
		}
	}
}

// senderRows lists the lanes that sent something, and returns all of them.
func (c *Case) senderRows(m *ScopeMatrix) (lanes []int) {
	for i, sent := range c.active() {
		if !sent {
			continue
		}
		lanes = append(lanes, i)
		if len(m.Senders) == mostSenders {
			m.More++
			continue
		}
		m.Senders = append(m.Senders, ScopeSender{Name: laneName(c.Header.Lanes[i])})
	}
	for i := range c.Rows {
		r := &c.Rows[i]
		at, _ := slices.BinarySearch(lanes, int(r.Lane))
		if at >= len(m.Senders) {
			continue
		}
		s := &m.Senders[at]
		s.Sent++
		switch r.Outcome {
		case limiter.Admitted:
			s.Admitted++
		case limiter.Rejected:
			s.Rejected++
		default:
			s.Unknown++
		}
	}
	return lanes
}

// whyNot says what a hypothesis does not explain.
func (c *Case) whyNot(h hypothesis) string {
	switch {
	case h.over != nil:
		spans, rule, x := h.over.proof()
		n := len(spans.within(x.from, x.to))
		return fmt.Sprintf("between %s and %s, %s admitted; %s admits at most %s",
			secs(x.from), secs(x.to), english.Count(n, "request was"), rule.words, fewerThan(rule.allows(x.to-x.from), n))
	case len(h.wrong) > 0:
		w := h.wrong[0]
		return fmt.Sprintf("the request sent at %s (%s) was rejected, though its counter cannot have been used up",
			secs(max(w.row.Sent, time.Duration(0))), laneName(c.Header.Lanes[w.row.Lane]))
	case h.unfit:
		return "no window of the documented length explains it"
	}
	return ""
}
