package attack

import (
	"math"
	"time"

	"duckload/scenarios"
)

// Workers of a lane: as many requests as its plan could have under way at
// once, and few over all lanes together.
const (
	leastWorkers = 16
	mostWorkers  = 1024
	allWorkers   = 1 << 15
)

// Of many lanes each has less than it might use: what they hold together is
// what counts. Few have the most.
const (
	crowd         = 1000    // lanes from which on they are many
	crowdWorkers  = 1 << 13 // that they have at least, together
	crowdedBuffer = 1 << 10 // bytes to read and to write for a connection of theirs
)

// crowded reports whether a run has many lanes.
func (r *run) crowded() bool { return len(r.plan.Lanes) > crowd }

// slowest is how long answers may take before a lane has too few senders to
// hold its rate, as long as that are no more than mostWorkers. A target that is
// slower than that is told about: what was offered is set beside what left.
const slowest = 10 * time.Second

// queue is how many shots a lane holds that are not due yet, and allQueues how
// many all lanes hold together, about.
const (
	queue     = 256
	allQueues = 1 << 15
)

// A room is how much a lane needs to send its plan.
type room struct {
	workers int // requests under way at once
	shots   int // requests in all; for reactive phases, at most
	last    int // index of the last phase that needs the lane
}

// rooms returns the room of each lane of a plan.
func rooms(plan scenarios.Plan) []room {
	all := make([]room, len(plan.Lanes))
	for _, t := range plan.Tracks {
		for i, p := range t.Phases {
			once, shots := needs(p)
			for _, lanes := range [][]int{p.Lanes, p.Others} {
				for _, lane := range lanes {
					r := &all[lane]
					r.workers = max(r.workers, once)
					r.shots += shots
					r.last = i
				}
			}
		}
	}
	sum, least := 0, leastWorkers
	if len(all) > crowd {
		least = min(least, crowdWorkers/len(all))
	}
	for i := range all {
		r := &all[i]
		r.workers = max(1, min(r.shots, max(least, r.workers), mostWorkers))
		if bound := plan.Scenario.Groups[plan.Lanes[i].Group].Transport.Connections; bound > 0 {
			r.workers = max(1, min(r.shots, bound))
		}
		sum += r.workers
	}
	for i := range all {
		if sum > allWorkers {
			all[i].workers = max(1, all[i].workers*allWorkers/sum)
		}
	}
	return all
}

// needs returns how many requests of a phase a lane may have under way at once,
// and how many it sends in all: all of a burst, and of a rate what comes while
// the slowest answers take their time.
func needs(p scenarios.Phase) (once, shots int) {
	pace, _ := scenarios.PaceOf(p)
	if pace.Next != nil {
		return int(min(int64(pace.Requests(p)), p.Limit.Capacity()+2)), pace.Requests(p)
	}
	lanes := max(1, len(p.Senders()))
	rate := max(float64(p.Peak), p.Rate+p.Swing, p.To)
	most := int(math.Ceil(min(rate*slowest.Seconds(), float64(mostWorkers*lanes), float64(pace.Requests(p)))))
	// Lanes take turns, so none has many more than another.
	each := func(n int) int { return (n + lanes - 1) / lanes }
	at := 0
	for _, n := range within(p, pace, time.Second) {
		at = max(at, n)
	}
	return max(at, each(most)), each(pace.Requests(p))
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
