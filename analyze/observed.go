package analyze

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"time"

	"duckload/history"
	"duckload/limiter"
)

// A judgement is a history on its way to its findings.
type judgement struct {
	history  *history.History
	groups   []*groupState
	counters map[string]*counter
	rows     []Row // of all counters, in order of the record until they are sorted
	lateness lateness
	sending  *dispatch
	rates    rates
	agents   map[string]int // requests, by name of the agent
	ordinal  uint32
	resent   int
	span     time.Duration // until the last moment on record
}

type groupState struct {
	kase     *Case
	watchers []Watcher
	latency  latencies
	over     *latencyBins
	timeline *timeline
	searches searches
	counts   [3]int
	sent     int
	lanes    []string
}

// A counter holds the rows of the groups that share it.
type counter struct {
	number int // in order of first appearance
	rows   []Row
	teller *teller
	places bool // some limit counts what is under way
	order  arrangement

	refused string        // why nothing can be said about it; empty: it can
	apart   time.Duration // see Case
	blur    time.Duration // see Case
	origin  time.Duration // of the moments of the rows, by the axis of the history
}

// mostRows is for how many rows there is room at once, whatever a record says.
const mostRows = 1 << 24

func newJudgement(h *history.History) *judgement {
	j := &judgement{history: h, counters: map[string]*counter{}, sending: newDispatch(), rates: make(rates, len(h.Header.Phases)), agents: map[string]int{}}
	for i, g := range h.Header.Groups {
		s := &groupState{kase: &Case{Header: &h.Header, Group: i, Promise: g.Promise}, timeline: newTimeline(), over: newLatencyBins()}
		s.kase.service = &s.latency.service
		for _, check := range Checks {
			s.watchers = append(s.watchers, nil)
			if check.Watch != nil && check.Applies(g.Promise) {
				s.watchers[len(s.watchers)-1] = check.Watch(s.kase)
			}
		}
		j.groups = append(j.groups, s)
		if j.counters[g.Counter] == nil {
			j.counters[g.Counter] = &counter{number: len(j.counters), teller: newTeller(), places: slices.ContainsFunc(g.Promise.Limits, func(l limiter.Limit) bool { return l.Reading == limiter.Concurrency })}
		}
	}
	if h.End != nil {
		// Rows that grow by appending take up to three times as much memory.
		j.rows = make([]Row, 0, min(max(h.End.Offered, 0), mostRows))
	}
	for _, l := range h.Header.Lanes {
		j.groups[l.Group].lanes = append(j.groups[l.Group].lanes, laneName(l))
	}
	return j
}

// laneName says who a lane is: "beak from 127.0.0.2".
func laneName(l history.Lane) string {
	name := l.Identity
	if name == "" {
		name = "anybody"
	}
	if l.Source != "" {
		name += " from " + l.Source
	}
	if l.Trick != "" {
		name += ", " + l.Trick
	}
	if l.Agent != "" {
		name += " (agent " + l.Agent + ")"
	}
	return name
}

// observe takes the next observation of the record.
func (j *judgement) observe(o *history.Observation) error {
	h := &j.history.Header
	switch {
	case o.Lane < 0 || o.Lane >= len(h.Lanes):
		return fmt.Errorf("the record is damaged: observation %d is from lane %d of %d", j.ordinal, o.Lane, len(h.Lanes))
	case o.Phase < 0 || o.Phase >= len(h.Phases):
		return fmt.Errorf("the record is damaged: observation %d is from phase %d of %d", j.ordinal, o.Phase, len(h.Phases))
	case o.Sent < 0 || o.Answered < o.Sent || o.Done < o.Sent:
		return fmt.Errorf("the record is damaged: observation %d was sent at %s, answered at %s, done at %s", j.ordinal, o.Sent, o.Answered, o.Done)
	}
	outcome := j.history.Outcome(*o)
	s := j.groups[h.Lanes[o.Lane].Group]
	follows := o.Look == limiter.LookAfter // none of the requests that are limited
	for _, w := range s.watchers {
		if w != nil && !follows {
			w.Observe(o, outcome)
		}
	}
	if !follows && !s.kase.Promise.Turned(h.Lanes[o.Lane].Identity) {
		j.measure(s, o, outcome)
	}
	if o.Resent {
		j.resent++
	} else if len(h.Agents) > 0 {
		j.agents[h.Lanes[o.Lane].Agent]++
	}
	j.span = max(j.span, o.Done)
	if o.Unsent { // no limiter saw it
		j.ordinal++
		return nil
	}
	j.row(o, outcome)
	return nil
}

// measure counts an observation of those that the numbers of a group are about.
func (j *judgement) measure(s *groupState, o *history.Observation, outcome limiter.Outcome) {
	s.latency.Observe(o, outcome)
	s.over.Observe(o, outcome)
	s.timeline.Observe(o, outcome)
	s.searches.observe(&j.history.Header.Phases[o.Phase], o, outcome)
	j.lateness.Observe(o, outcome)
	j.sending.Observe(o, outcome)
	j.rates.Observe(o, outcome)
	if !o.Resent {
		s.sent++
		s.counts[outcome]++
	}
}

// row keeps what the rules about limits need.
func (j *judgement) row(o *history.Observation, outcome limiter.Outcome) {
	group := j.history.Header.Lanes[o.Lane].Group
	g := j.history.Header.Groups[group]
	r := Row{
		Sent: o.Sent, Answered: o.Answered, Ordinal: j.ordinal,
		Lane: uint16(o.Lane), Phase: uint16(o.Phase), Outcome: outcome,
	}
	if outcome == limiter.Unknown && o.Status == 0 {
		r.Answered = history.Never
		if g.DecidedWithin > 0 {
			r.Answered = o.Sent + g.DecidedWithin
		}
	}
	c := j.counters[g.Counter]
	if c.places && r.Answered != history.Never {
		// A request holds its place while its answer is read, and one that was
		// given up may hold it for ever.
		if r.Answered = max(o.Answered, o.Done); o.Status == 0 || o.Error != "" {
			r.Answered = history.Never
		}
	}
	if o.Look != limiter.LookAfter {
		c.teller.tell(&r, o, group)
	}
	j.rows = append(j.rows, r)
	j.ordinal++
}

// share sorts the rows, and gives each counter its own.
func (j *judgement) share() {
	h := &j.history.Header
	number := make([]int, len(h.Lanes)) // of the counter, by lane
	for i, l := range h.Lanes {
		number[i] = j.counters[h.Groups[l.Group].Counter].number
	}
	sortNearly(j.rows, func(a, b Row) int {
		if n := number[a.Lane] - number[b.Lane]; n != 0 {
			return n
		}
		if n := cmp.Compare(a.Sent, b.Sent); n != 0 {
			return n
		}
		return cmp.Compare(a.Ordinal, b.Ordinal)
	})
	for _, c := range j.counters {
		from := sort.Search(len(j.rows), func(i int) bool { return number[j.rows[i].Lane] >= c.number })
		to := sort.Search(len(j.rows), func(i int) bool { return number[j.rows[i].Lane] > c.number })
		c.rows = j.rows[from:to:to]
	}
}
