package scenarios

// Paces are all rhythms of requests, in the order in which they are shown.
var Paces = []Pace{
	rest,
	refill,
	lone,
	turns,
	comeback,
	burst,
	exhaust,
	hold,
	ramp,
	sine,
	replay,
	edges,
	obey,
	scope,
	meet,
	window,
	effects,
	expect,
	steered,
	findCapacity,
}

// PaceOf returns the pace of a phase. Compiled phases always have one.
func PaceOf(p Phase) (Pace, bool) {
	for _, pace := range Paces {
		if pace.Name == p.Pace {
			if p.share != nil {
				pace = p.share.of(pace)
			}
			return pace, true
		}
	}
	return Pace{}, false
}
