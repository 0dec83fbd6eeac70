package attack

import (
	"math"
	"slices"
	"time"

	"duckload/scenarios"
)

// workersFor returns how many requests a lane may have under way at once.
func workersFor(plan scenarios.Plan, lane int) int {
	most := leastWorkers
	for _, t := range plan.Tracks {
		for _, p := range t.Phases {
			if slices.Contains(p.Lanes, lane) || slices.Contains(p.Others, lane) {
				most = max(most, atOnce(p))
			}
		}
	}
	if bound := plan.Scenario.Groups[plan.Lanes[lane].Group].Transport.Connections; bound > 0 {
		return bound
	}
	return min(most, mostWorkers)
}

// atOnce returns how many requests of a phase may be under way at once if each
// takes a second.
func atOnce(p scenarios.Phase) int {
	pace, _ := scenarios.PaceOf(p)
	if pace.Next != nil {
		return int(min(int64(pace.Requests(p)), p.Limit.Capacity()+2))
	}
	most := 0
	for _, n := range within(p, pace, time.Second) {
		most += n
	}
	return max(most, p.Peak, int(math.Ceil(min(mostWorkers, max(p.Rate+p.Swing, p.To)))))
}

// within counts the requests that each lane sends at the start of a static
// phase.
func within(p scenarios.Phase, pace scenarios.Pace, d time.Duration) map[int]int {
	counts := map[int]int{}
	n := 0
	pace.Offsets(p, func(at time.Duration) bool {
		if at >= d || n == len(p.Lanes)*mostWorkers {
			return false
		}
		counts[p.Lane(n)]++
		n++
		return true
	})
	return counts
}
