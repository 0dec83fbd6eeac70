package analyze

// Delivered is what was seen of one kind of event of a group. It is part of
// verdict.json.
type Delivered struct {
	Event    string
	Admitted int // requests that must cause one
	Came     int // of those, how many did
	Lost     int // and how many did not, though somebody listened for long enough
	Repeated int // deliveries of an event that had been accepted

	Lag Latency // from the answer to the first delivery
}

// measureEvents counts what was delivered.
func (c *Case) measureEvents() []Delivered {
	var all []Delivered
	if c.Listened == 0 {
		return nil
	}
	for _, d := range c.delivered() {
		m := Delivered{Event: d.Event}
		var lag sample
		for _, one := range d.causes {
			if taken := d.taken(one.name); len(taken) > d.distinct(one.name) {
				m.Repeated += len(taken) - d.distinct(one.name)
			}
			if one.accepted == 0 {
				continue
			}
			m.Admitted++
			switch events := d.of[one.name]; {
			case len(events) > 0:
				m.Came++
				lag.add(max(0, events[0].At-one.answered))
			case d.awaited(one):
				m.Lost++
			}
		}
		m.Lag = lag.summary()
		all = append(all, m)
	}
	return all
}
