package attack

import (
	"runtime/debug"

	"duckload/scenarios"
)

// Little is held while requests are sent, and the garbage collector would come
// dozens of times a second: it is told to let garbage grow to five times what is
// held. What many lanes hold is not little, so that it comes sooner there: what
// it lets grow is at most garbage, about.
const (
	seldom   = 400      // percent, where little is held
	oftenest = 40       // where much is
	garbage  = 96 << 20 // bytes
	perLane  = 24 << 10 // bytes that a lane holds which waits for its next request
)

// Seldom makes the garbage collector come as seldom as memory allows, for the
// time of a run. restore puts things back as they were.
func Seldom(plan scenarios.Plan) (restore func()) {
	percent := 100 * garbage / (perLane * max(1, len(plan.Lanes)))
	before := debug.SetGCPercent(max(oftenest, min(seldom, percent)))
	return func() { debug.SetGCPercent(before) }
}
