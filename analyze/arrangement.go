package analyze

import (
	"slices"

	"duckload/limiter"
)

// An arrangement is the places of rows by key. Of ten million rows it takes a
// while and 40 MB, and one rule after the other asks for the same, so the last
// one is kept.
type arrangement struct {
	rows []Row
	key  []int
	at   []uint32 // places, those of a key together and in order; nil: all are of one
	ends []int    // by key: where its places end
	keys int      // that have any
}

// strands splits the rows of a case by the number that keys gave their lanes,
// in the order of the numbers, as a limit's clock sees them.
func (c *Case) strands(key []int, l limiter.Limit, m reach) []strand {
	rows := c.Rows
	if len(rows) == 0 {
		return nil
	}
	if c.order == nil {
		c.order = &arrangement{}
	}
	a := c.order
	if len(rows) != len(a.rows) || &rows[0] != &a.rows[0] || !slices.Equal(key, a.key) {
		a.arrange(rows, key)
	}
	if a.at == nil {
		return []strand{{rows: rows, lag: stale(l.Clock()), reach: m}}
	}
	all := make([]strand, 0, a.keys)
	from := 0
	for _, to := range a.ends {
		if to > from {
			all = append(all, strand{rows: rows, at: a.at[from:to:to], lag: stale(l.Clock()), reach: m})
		}
		from = to
	}
	return all
}

func (a *arrangement) arrange(rows []Row, key []int) {
	*a = arrangement{rows: rows, key: slices.Clone(key), ends: make([]int, 1+slices.Max(key))}
	for i := range rows {
		a.ends[key[rows[i].Lane]]++
	}
	if slices.Contains(a.ends, len(rows)) {
		return
	}
	// Each number begins where the one before it ends, and has moved to its own
	// end when all places are there.
	n := 0
	for k, count := range a.ends {
		a.ends[k] = n
		n += count
		a.keys += min(count, 1)
	}
	a.at = make([]uint32, n)
	for i := range rows {
		k := key[rows[i].Lane]
		a.at[a.ends[k]] = uint32(i)
		a.ends[k]++
	}
}
