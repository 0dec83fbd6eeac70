package analyze

// exceeds reports whether some stretch of time breaks a rule. It only looks
// whether there is one: a run that keeps its promise is looked at in little
// memory, and one that does not is looked at again for its witness.
func (s strand) exceeds(rules []rule) bool {
	for _, r := range rules {
		switch {
		case r.short > 0:
			if s.crowded(r) {
				return true
			}
		default:
			if most, _ := s.least(r.rate, r.most+slack); most > r.most+slack {
				return true
			}
		}
	}
	return false
}

// crowded reports whether a stretch that is shorter than the rule's holds more
// than it allows. For each end the longest of them is enough.
func (s strand) crowded(r rule) bool {
	var ended marks            // by the place of their start
	first, early, n := 0, 0, 0 // places of starts that are too early; how many of those ended, and how many in all
	var open underway
	found := false
	s.ends(&open, func() {
		m := open.pop()
		n++
		if ended.add(uint32(m.id)); m.id < first {
			early++
		}
		for ; first < s.len() && s.from(s.row(first)) <= m.at-r.short; first++ {
			if ended.has(uint32(first)) {
				early++
			}
		}
		found = found || float64(n-early) > r.most+slack
	}, func() bool { return found })
	return found
}
