package probe

// Details are what stands behind a result: every answer that is left, with its
// intervals in seconds and requests, how requests too many are rejected, what
// the target claimed, and which ways of asking share a counter.
type Details struct {
	Answers    []DetailedAnswer   `json:"answers"`
	TwoLimits  []DetailedPair     `json:"two_limits,omitempty"` // pairs that hold at once, where no limit alone explains what was seen
	Nearest    *DetailedAnswer    `json:"nearest,omitempty"`    // where nothing explains what was seen: what comes nearest
	Slack      float64            `json:"slack_s,omitempty"`    // by how much: how long before its request a decision would have to lie
	Service    float64            `json:"service_s,omitempty"`  // how long an admitted request takes the server, where so many may be under way at once
	Rejections []Rejection        `json:"rejections"`
	Claims     Claims             `json:"claims"`
	Counters   map[string]Counted `json:"counters"`
}

// A DetailedAnswer is one family that explains what was seen.
type DetailedAnswer struct {
	Family         string          `json:"family"`
	RejectsConsume bool            `json:"rejects_consume"`
	Variants       []string        `json:"variants,omitempty"`
	Values         map[string]Span `json:"values"` // times in seconds
}

// A DetailedPair is two limits that hold at once: what the inner one admits
// must also find room in the outer one.
type DetailedPair struct {
	Inner DetailedAnswer `json:"inner"`
	Outer DetailedAnswer `json:"outer"`
}

// Details lays a result out.
func (r Result) Details() Details {
	d := Details{Answers: []DetailedAnswer{}, Rejections: r.rejections(), Claims: r.claims(), Counters: map[string]Counted{}}
	for _, f := range r.Answers {
		d.Answers = append(d.Answers, f.detailed())
	}
	if r.Near != nil {
		near := r.Near.Family.detailed()
		d.Nearest, d.Slack = &near, r.Near.Slack.Seconds()
	}
	if r.find("concurrency") >= 0 {
		d.Service = r.Service().Seconds()
	}
	for _, t := range r.Both {
		d.TwoLimits = append(d.TwoLimits, DetailedPair{t.Inner.detailed(), t.Outer.detailed()})
	}
	for _, s := range r.Scopes {
		d.Counters[s.Way] = s.Counted
	}
	return d
}

// detailed puts times into seconds.
func (f Found) detailed() DetailedAnswer {
	a := DetailedAnswer{f.Family, f.RejectsConsume, f.Variants, map[string]Span{}}
	for name, s := range f.Values {
		switch name {
		case "limit", "burst", "step":
		default:
			s = Span{s.Low / 1e9 * (1 - drift), s.High / 1e9 * (1 + drift)}
		}
		a.Values[name] = s
	}
	return a
}
