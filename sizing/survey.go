package sizing

import (
	"math"
	"slices"
	"time"

	"duckload/trace"
)

// surveyed is what a first pass finds: how much there is of what.
type surveyed struct {
	traffic Traffic

	// The mean and the peak rate, in requests per second, of the busiest client
	// and of all together.
	mean, peak map[Scope]float64
}

// survey passes over a recording once.
func survey(s *trace.Spool, window time.Duration) (surveyed, error) {
	t := surveyed{
		traffic: Traffic{Requests: s.Len(), Clients: s.Keys(), First: s.First(), Length: float64(s.Last()-s.First()) / 1e9},
		mean:    map[Scope]float64{}, peak: map[Scope]float64{},
	}
	counts := make([]int, s.Keys())
	type second struct {
		at    int64
		count int
	}
	seconds := make([]second, s.Keys())
	var all second
	var minute Minute
	peakOfEach, peakOfAll, together, day := 0, 0, 0, int64(-1)
	moment := int64(-1)
	for p := s.Pass(); ; {
		if !p.Next() {
			if p.Err() != nil {
				return t, p.Err()
			}
			break
		}
		counts[p.Key]++
		now := p.At / 1e9
		if own := &seconds[p.Key]; own.at != now || own.count == 0 {
			*own = second{now, 1}
		} else {
			own.count++
		}
		peakOfEach = max(peakOfEach, seconds[p.Key].count)
		if all.at != now || all.count == 0 {
			all = second{now, 0}
			if d := now / 86400; d != day {
				day = d
				t.traffic.Days++
			}
			if begin := now / 60 * 60e9; begin != minute.Begin || minute.Count == 0 {
				minute = Minute{Begin: begin}
			}
		}
		all.count++
		minute.Count++
		if minute.Count > t.traffic.Busiest.Count {
			t.traffic.Busiest = minute
		}
		peakOfAll = max(peakOfAll, all.count)
		if p.At != moment {
			moment, together = p.At, 0
		}
		together++
		t.traffic.Together = max(t.traffic.Together, together)
	}
	length := max(t.traffic.Length, 1)
	t.traffic.Mean = float64(s.Len()) / length * window.Seconds()
	t.mean[All], t.peak[All] = float64(s.Len())/length, float64(peakOfAll)
	t.mean[Each], t.peak[Each] = float64(slices.Max(counts))/length, float64(peakOfEach)
	return t, nil
}

// steps is how many limits the curve is drawn from.
const steps = 40

// grid returns the limits that are examined: from the mean rate, below which
// the burst would have to hold ever more of the recording, to the peak, and
// those that were asked about.
func (t surveyed) grid(scope Scope, q Question) []int64 {
	window := q.Window.Seconds()
	least := max(1, math.Ceil(t.mean[scope]*window))
	most := max(2*least, math.Ceil(t.peak[scope]*window))
	var limits []int64
	for i := range steps {
		limits = append(limits, int64(math.Round(least*math.Pow(most/least, float64(i)/(steps-1)))))
	}
	if d := q.Documented; d != nil {
		limits = append(limits, max(1, d.Limit*int64(q.Window)/int64(d.Window)))
	}
	for _, c := range q.Candidates {
		if c.Window == q.Window && bucket(c) {
			limits = append(limits, c.Limit)
		}
	}
	slices.Sort(limits)
	return slices.Compact(limits)
}
