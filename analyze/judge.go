package analyze

import (
	"fmt"
	"iter"
	"slices"

	"duckload/history"
	"duckload/limiter"
)

// Checks are all questions, in the order in which they are answered.
var Checks = slices.Concat(limitChecks, evidenceChecks, documentedChecks, webhookChecks)

// Judge judges a history. The error says why it cannot be judged at all: a
// record that contradicts itself gets no verdict.
func Judge(h *history.History) (Findings, error) {
	if err := sound(&h.Header); err != nil {
		return Findings{}, err
	}
	j := newJudgement(h)
	var o history.Observation // one for all: those who watch keep none of it but its evidence
	for next, err := range h.All() {
		if err != nil {
			return Findings{}, fmt.Errorf("reading the record: %w", err)
		}
		o = next
		if err := j.observe(&o); err != nil {
			return Findings{}, err
		}
	}
	return j.findings()
}

// sound reports what in a header makes a record meaningless.
func sound(h *history.Header) error {
	if len(h.Groups) == 0 {
		return fmt.Errorf("the record names no groups")
	}
	if most := 1 << 16; len(h.Lanes) > most || len(h.Phases) > most {
		return fmt.Errorf("the record names %d senders and %d steps (at most %d of each can be judged)", len(h.Lanes), len(h.Phases), most)
	}
	for i, l := range h.Lanes {
		if l.Group < 0 || l.Group >= len(h.Groups) {
			return fmt.Errorf("the record is damaged: lane %d belongs to group %d of %d", i, l.Group, len(h.Groups))
		}
	}
	for _, g := range h.Groups {
		for _, l := range g.Promise.Limits {
			if l.Limit < 1 || l.Window <= 0 && l.Reading != limiter.Concurrency || l.Capacity() < 1 || beyond(l) {
				return fmt.Errorf("group %s: the record promises an impossible limit: %+v", g.Name, l)
			}
		}
	}
	return nil
}

// beyond reports whether a limit is larger than any that a scenario may
// promise, and than what the arithmetic here is made for.
func beyond(l limiter.Limit) bool {
	const most, mostRequestTime = 1_000_000_000, 1 << 61 // 73 years
	largest := max(l.Limit, l.Burst)
	return largest > most || l.Burst < 0 || float64(largest)*float64(l.Window) > mostRequestTime
}

// findings runs the judges and puts everything together.
func (j *judgement) findings() (Findings, error) {
	f := Findings{Run: j.run(), Outcome: Pass, Lateness: j.lateness.summary(), Sending: j.sending.summary()}
	f.Sending.Rates = j.rates.summary(&j.history.Header)
	j.lateness = lateness{} // nobody asks again, and it may be large
	j.share()
	for _, c := range j.counters {
		c.together(j.history)
	}
	for i, s := range j.groups {
		s.kase.Whole = j.whole(i)
		s.kase.Evidence = j.evidence
		s.kase.Events = j.history.Events
		if j.history.End != nil {
			s.kase.Listened, s.kase.Blind = j.history.End.Listened, j.history.End.Blind
		}
		s.kase.All = func() iter.Seq2[*history.Observation, limiter.Outcome] { return j.of(i) }
		c := j.counters[j.history.Header.Groups[i].Counter]
		s.kase.teller, s.kase.apart, s.kase.blur, s.kase.order = c.teller, c.apart, c.blur, &c.order
		g := j.group(s, c)
		f.Groups = append(f.Groups, g)
		f.Outcome = f.Outcome.Worse(g.Outcome)
	}
	f.Agents = j.who()
	f.Caveats = append(j.caveats(), saturated(f.Sending.Rates)...)
	f.Assumptions = assumptions(&j.history.Header)
	f.Sentence = sentence(f)
	return f, nil
}

func (j *judgement) run() Run {
	h := j.history
	r := Run{
		ID: h.Header.Run, Scenario: h.Header.Scenario, Target: h.Header.Target, Started: h.Header.Started,
		Duration: j.span, Requests: int(j.ordinal) - j.resent, Seed: h.Header.Seed,
	}
	switch {
	case h.End == nil:
		r.Reason = "the record breaks off"
	default:
		r.Duration = max(r.Duration, h.End.At)
		r.Complete = h.End.Complete && len(h.Missing) == 0
		r.Reason = h.End.Reason
	}
	return r
}

// group judges one group.
func (j *judgement) group(s *groupState, c *counter) Group {
	k := s.kase
	g := Group{
		Name: k.Header.Groups[k.Group].Name, Promise: k.Promise, Outcome: Pass,
		Sent: s.sent, Admitted: s.counts[limiter.Admitted], Rejected: s.counts[limiter.Rejected], Unknown: s.counts[limiter.Unknown],
		Latency: s.latency.summaries(), Timeline: s.timeline.summary(), Lanes: s.lanes,
	}
	for i, check := range Checks {
		if !check.Applies(k.Promise) {
			continue
		}
		var findings []Finding
		if w := s.watchers[i]; w != nil {
			k.Rows = nil
			findings = append(findings, w.Findings()...)
		}
		switch {
		case check.Judge != nil && c.refused != "":
			findings = append(findings, Finding{Outcome: Inconclusive, Message: c.refused})
		case check.Judge != nil:
			k.Rows = c.rows
			findings = append(findings, check.Judge(k)...)
		}
		for _, f := range findings {
			f.Check = check.ID
			g.Outcome = g.Outcome.Worse(f.Outcome)
			g.Findings = append(g.Findings, f)
		}
	}
	k.Rows = c.rows
	k.diagnose(g.Findings)
	if c.refused == "" {
		g.Measured = measure(k)
	}
	key := toDraw(k.Header, k.Group, c.rows, g.Findings)
	g.Drawn = drawn(k.Header, k.Group, c.rows, g.Timeline, key)
	g.Shown = k.shown(key, s.over)
	g.Events = k.measureEvents()
	k.hooks, k.lives = nil, nil // nobody asks again, and they may be large
	g.Capacity = s.searches.results(k.Header)
	return g
}

// evidence reads again what was recorded of some rows. A row that is listed
// twice is shown twice.
func (j *judgement) evidence(rows []Row) []Evidence {
	places := map[uint32][]int{}
	for i, r := range rows {
		places[r.Ordinal] = append(places[r.Ordinal], i)
	}
	all := make([]Evidence, len(rows))
	if len(rows) == 0 {
		return all
	}
	var n uint32
	for o, err := range j.history.All() {
		if err != nil {
			break
		}
		for _, i := range places[n] {
			all[i] = shown(&o, rows[i].Outcome).since(j.counters[j.history.Header.Groups[j.history.Header.Lanes[o.Lane].Group].Counter].origin)
		}
		if delete(places, n); len(places) == 0 {
			break
		}
		n++
	}
	return all
}

// of reads the observations of a group again.
func (j *judgement) of(group int) iter.Seq2[*history.Observation, limiter.Outcome] {
	return func(yield func(*history.Observation, limiter.Outcome) bool) {
		for o, err := range j.history.All() {
			if err != nil {
				return // it was read once without
			}
			if j.history.Header.Lanes[o.Lane].Group == group && !yield(&o, j.history.Outcome(o)) {
				return
			}
		}
	}
}
