package analyze

// mostSteps bounds the work that is spent to make a witness small.
const mostSteps = 4_000_000

// smallest returns a stretch that breaks a rule with as few requests as can be
// found in bounded work: a person has to check it. Any stretch that breaks the
// rule will do to begin with.
func (s spans) smallest(r rule, x excess) excess {
	fewest, steps := len(s.within(x.from, x.to)), 0
	for j, end := range s.to {
		n := 0
		for i := s.begun(end) - 1; i >= 0 && n < fewest; i-- {
			if steps++; steps > mostSteps {
				return x
			}
			if s.to[i] <= end {
				n++
			}
			if i > 0 && s.from[i-1] == s.from[i] {
				continue // those that begin at one moment are in together
			}
			if y := (excess{s.from[i], s.to[j]}); n < fewest && r.brokenBy(n, y) {
				fewest, x = n, y
			}
		}
	}
	return x
}

// brokenBy reports whether so many are too many for a stretch.
func (r rule) brokenBy(n int, x excess) bool {
	length := x.to - x.from
	if r.short > 0 {
		return length < r.short && float64(n) > r.most+slack
	}
	return float64(n) > r.allows(length)+slack
}
