package analyze

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"sort"
	"time"

	"duckload/english"
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

// whole reports whether nothing can be missing that counts where a group does.
func (j *judgement) whole(group int) bool {
	h := j.history
	if h.End != nil && len(h.Missing) == 0 {
		return true
	}
	counter := h.Header.Groups[group].Counter
	for i, g := range h.Header.Groups {
		if g.Counter == counter && (i >= len(h.Lost) || h.Lost[i]) {
			return false
		}
	}
	return true
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

// spared says of which groups nothing is missing, if something is of others.
func (j *judgement) spared() string {
	var names []string
	lost := false
	for i, g := range j.history.Header.Groups {
		if j.whole(i) {
			names = append(names, g.Name)
		} else {
			lost = true
		}
	}
	if !lost || len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("what is missing is not of %s", list(names))
}

func (j *judgement) caveats() []string {
	all := slices.Concat(j.history.Missing, j.history.Notes)
	if said := j.spared(); said != "" {
		all = append(all, said)
	}
	for _, a := range j.history.Header.Agents {
		if a.Unbounded != "" {
			all = append(all, fmt.Sprintf("%s: its moments cannot be set beside the others': %s", a.Name, a.Unbounded))
		}
	}
	switch end := j.history.End; {
	case end == nil:
		all = append(all, "the record breaks off: what was sent last may be missing")
	default:
		if end.Reason != "" {
			all = append(all, "the run ended early: "+end.Reason)
		}
		all = append(all, end.Notes...)
	}
	if j.resent > 0 {
		all = append(all, fmt.Sprintf("%s sent again by the transport: each attempt may have been counted", english.Count(j.resent, "request was")))
	}
	return all
}
