package analyze

import "time"

// An extent is a closed stretch of time, and the rows that it is about, the
// others nil. There may be one for each of a million requests.
type extent struct {
	from, to time.Duration
	rows     [3]*Row
}

func (s extent) length() float64 { return float64(s.to - s.from) }

// about returns the rows that an extent is about.
func (s extent) about() []Row {
	var all []Row
	for _, r := range s.rows {
		if r != nil {
			all = append(all, *r)
		}
	}
	return all
}

// Narrowed are the extents that hold no other one, in order. They are added in
// order of their beginnings.
type narrowed []extent

func (all *narrowed) add(s extent) {
	kept := *all
	for len(kept) > 0 && kept[len(kept)-1].to >= s.to {
		kept = kept[:len(kept)-1]
	}
	if len(kept) == 0 || kept[len(kept)-1].from < s.from {
		kept = append(kept, s)
	}
	*all = kept
}

// Widened are the extents that lie in no other one, in order. They are added
// in order of their beginnings.
type widened []extent

func (all *widened) add(s extent) {
	kept := *all
	n := len(kept)
	switch {
	case n > 0 && s.to <= kept[n-1].to:
		return
	case n > 0 && s.from == kept[n-1].from:
		kept[n-1] = s
	default:
		kept = append(kept, s)
	}
	*all = kept
}

func compareExtents(a, b, c, d time.Duration) int {
	switch {
	case a < b || a == b && c < d:
		return -1
	case a > b || c > d:
		return 1
	}
	return 0
}
