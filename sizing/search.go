package sizing

import "math"

// A trial is a bucket that rejects, and how much it did.
type trial struct {
	rate     rate
	room     int64 // work that it holds
	most     int   // that it may reject
	rejected int
}

// trials lets some buckets take every request. One that has rejected more than
// it may is given up: only that it did counts.
func (e engine) trials(all []*trial) error {
	return e.batches(len(all), 8, func(from, to int) error {
		trials := all[from:to]
		n := len(trials)
		work := make([]int64, n*e.keys())
		last := make([]int64, e.keys())
		owner := make([]int, n) // which trial a column belongs to
		buckets := make([]trial, n)
		for i, t := range trials {
			owner[i], buckets[i] = i, *t
		}
		live := n
		p := e.spool.Pass()
		for live > 0 && p.Next() {
			key := e.counter(p)
			gap := p.At - last[key]
			last[key] = p.At
			own := work[key*n : key*n+live : key*n+live]
			for i := 0; i < live; i++ {
				b := &buckets[i]
				w := b.rate.fallen(own[i], gap)
				if w <= b.room-b.rate.cost {
					own[i] = w + b.rate.cost
					continue
				}
				own[i] = w
				if b.rejected++; b.rejected > b.most {
					trials[owner[i]].rejected = b.rejected
					live--
					owner[i], buckets[i] = owner[live], buckets[live]
					for k := i; k < len(work); k += n {
						work[k] = work[k-i+live]
					}
					i--
				}
			}
		}
		for i := range live {
			trials[owner[i]].rejected = buckets[i].rejected
		}
		return p.Err()
	})
}

// A search looks for the least whole number that rejects no more than wanted.
// More of it never rejects more.
type search struct {
	few, enough int64 // few rejects too much; enough does not, or is not known to yet
	known       bool  // that enough is enough
	want        int
	try         func(x int64) *trial
}

func (s *search) solved() bool { return s.known && s.enough-s.few <= 1 }
func (s *search) found() int64 { return s.enough }

// unbounded is the greatest limit that is looked at.
const unbounded = 1 << 40

// over reports whether there is nothing left to try.
func (s *search) over() bool { return s.solved() || !s.known && s.enough > unbounded }

// next returns what to try in one pass.
func (s *search) next() []int64 {
	if !s.known {
		return []int64{s.enough, min(s.enough*4, 2*unbounded)}
	}
	var all []int64
	for _, part := range []float64{0.25, 0.5, 0.75} {
		x := s.few + int64(part*float64(s.enough-s.few))
		if s.enough > 8*max(s.few, 1) { // bursts are spread over powers
			x = max(s.few, 1) + int64(math.Pow(float64(s.enough-s.few), part))
		}
		if x > s.few && x < s.enough && (len(all) == 0 || x > all[len(all)-1]) {
			all = append(all, x)
		}
	}
	if len(all) == 0 {
		all = append(all, s.few+(s.enough-s.few)/2)
	}
	return all
}

func (s *search) learn(x int64, rejected int) {
	switch {
	case rejected > s.want:
		s.few = max(s.few, x)
		if !s.known && x >= s.enough {
			s.enough = 4 * x
		}
	case !s.known || x < s.enough:
		s.enough, s.known = x, true
	}
}

// solve ends some searches, all of them in the same passes.
func (e engine) solve(searches []*search) error {
	for {
		var trials []*trial
		var owners []*search
		var tried []int64
		for _, s := range searches {
			if s.over() {
				continue
			}
			for _, x := range s.next() {
				t := s.try(x)
				t.most = s.want
				trials, owners, tried = append(trials, t), append(owners, s), append(tried, x)
			}
		}
		if len(trials) == 0 {
			return nil
		}
		if err := e.trials(trials); err != nil {
			return err
		}
		for i, t := range trials {
			owners[i].learn(tried[i], t.rejected)
		}
	}
}

// burstFor looks for the least burst at the limit of a queue.
func burstFor(q *queue, want int) *search {
	s := &search{known: true, want: want, try: func(x int64) *trial { return &trial{rate: q.rate, room: roomOf(q.rate, x)} }}
	s.few, s.enough = q.bounds(want)
	return s
}

// limitFor looks for the least limit with the burst that goes with it.
func limitFor(e engine, burst func(limit int64) int64, growth float64, want int) *search {
	return &search{few: 0, enough: 1, want: want, try: func(x int64) *trial {
		r := rateOf(x, e.window, growth)
		return &trial{rate: r, room: roomOf(r, burst(x))}
	}}
}

// within narrows a search for a limit by what is known of some queues without
// growth.
func (s *search) within(curve []*queue, limits []int64, burst func(limit int64) int64) *search {
	for i, q := range curve {
		switch {
		case q.burst() <= burst(limits[i]):
			s.enough, s.known = limits[i], true
			return s
		case s.want == 0:
			s.few, s.enough = limits[i], limits[i]+1
		}
	}
	s.enough = max(s.enough, limits[len(limits)-1])
	return s
}

func roomOf(r rate, burst int64) int64 {
	if burst > most/r.cost {
		return most
	}
	return burst * r.cost
}

func fixedBurst(burst int64) func(int64) int64 { return func(int64) int64 { return burst } }

// proportional gives a limit the burst that it would have if the documented one
// were a page from a longer price list.
func proportional(burst, documented int64) func(int64) int64 {
	return func(limit int64) int64 {
		return max(1, int64(math.Ceil(float64(burst)*float64(limit)/float64(documented))))
	}
}
