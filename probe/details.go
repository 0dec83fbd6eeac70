package probe

// Details are what stands behind a result: every answer that is left, with its
// intervals in seconds and requests, how requests too many are rejected, what
// the target claimed, and which ways of asking share a counter.
type Details struct {
	Answers    []DetailedAnswer   `json:"answers"`
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

// Details lays a result out.
func (r Result) Details() Details {
	d := Details{Answers: []DetailedAnswer{}, Rejections: r.rejections(), Claims: r.claims(), Counters: map[string]Counted{}}
	for _, f := range r.Answers {
		a := DetailedAnswer{f.Family, f.RejectsConsume, f.Variants, map[string]Span{}}
		for name, s := range f.Values {
			switch name {
			case "limit", "burst", "step":
			default:
				s = Span{s.Low / 1e9 * (1 - drift), s.High / 1e9 * (1 + drift)}
			}
			a.Values[name] = s
		}
		d.Answers = append(d.Answers, a)
	}
	for _, s := range r.Scopes {
		d.Counters[s.Way] = s.Counted
	}
	return d
}
