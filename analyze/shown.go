package analyze

// Shown is what pictures and tables show of a group beside its findings. No
// verdict rests on it, and its size does not grow with the run.
type Shown struct {
	Levels  []Level     // of each documented limit that can be followed
	Waits   Waits       // Retry-After: what was told, and what was needed
	Latency LatencyBins // over time
	Scope   ScopeMatrix // who may share a counter with whom
	Headers []HeaderFact
}

// shown collects it, when all rows are there and the checks are made.
func (c *Case) shown(key drawnKey, over *latencyBins) Shown {
	return Shown{
		Levels:  c.levels(key),
		Waits:   c.waits(),
		Latency: over.summary(),
		Scope:   c.scopeMatrix(),
		Headers: c.headerFacts(),
	}
}
