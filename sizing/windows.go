package sizing

import "time"

// counted is how many windows held how many requests.
type counted map[int]int

// windows counts requests in windows that are aligned to the clock.
func (e engine) windows() (counted, error) {
	type own struct {
		window int64
		count  int
	}
	now := make([]own, e.keys())
	all := counted{}
	p := e.spool.Pass()
	for p.Next() {
		key := e.counter(p)
		o := &now[key]
		if w := p.At / int64(e.window); w != o.window || o.count == 0 {
			all[o.count]++
			*o = own{window: w}
		}
		o.count++
	}
	for _, o := range now {
		all[o.count]++
	}
	return all, p.Err()
}

// least returns the least limit under which no more than some requests exceed
// their window.
func (c counted) least(want int) int64 {
	low, high := 0, 1
	for count := range c {
		high = max(high, count)
	}
	for high-low > 1 {
		middle := low + (high-low)/2
		excess := 0
		for count, windows := range c {
			excess += max(0, count-middle) * windows
		}
		if excess > want {
			low = middle
		} else {
			high = middle
		}
	}
	return int64(high)
}

// log returns the most requests of any window at all, half open, that one
// counter saw: a second pass follows a window behind and takes them off.
func (e engine) log(window time.Duration) (int64, error) {
	counts := make([]int64, e.keys())
	peak := int64(0)
	ahead, behind := e.spool.Pass(), e.spool.Pass()
	left := behind.Next()
	for ahead.Next() {
		for left && behind.At <= ahead.At-int64(window) {
			counts[e.counter(behind)]--
			left = behind.Next()
		}
		key := e.counter(ahead)
		counts[key]++
		peak = max(peak, counts[key])
	}
	if err := behind.Err(); err != nil {
		return 0, err
	}
	return peak, ahead.Err()
}
