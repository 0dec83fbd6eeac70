package analyze

import (
	"math/bits"
	"time"

	"duckload/history"
	"duckload/limiter"
)

// LatencyBins are the latencies of answers over time, from Sent to Done, by the
// moment at which the request was sent. Quantiles are taken from histograms and
// are right within 5 %; the greatest is exact.
type LatencyBins struct {
	Bin  time.Duration
	Bins [][3]LatencyBin // from moment 0 on, by outcome
}

// A LatencyBin is what one stretch of time holds of one outcome.
type LatencyBin struct {
	N             int
	P50, P99, Max time.Duration
}

// mostLatencyBins is how many bins there are at most.
const mostLatencyBins = 150

// latencyBins collects them, in memory that does not grow with their number.
type latencyBins struct {
	widths
	bins [][3]*histogram
}

func newLatencyBins() *latencyBins { return &latencyBins{widths: finest} }

// Widths of bins begin fine and grow with the run: 1 and 5 times powers of ten.
type widths struct {
	width time.Duration
	grown int
}

var finest = widths{width: time.Millisecond}

// grow returns how many bins are joined to one.
func (w *widths) grow() int {
	n := 5 - 3*(w.grown%2)
	w.grown++
	w.width *= time.Duration(n)
	return n
}

// Observe takes the next observation. An attempt that the transport sent again
// is no answer.
func (l *latencyBins) Observe(o *history.Observation, outcome limiter.Outcome) {
	if o.Resent {
		return
	}
	at := max(o.Sent, 0)
	for at/l.width >= mostLatencyBins {
		l.widen()
	}
	i := int(at / l.width)
	for len(l.bins) <= i {
		l.bins = append(l.bins, [3]*histogram{})
	}
	h := &l.bins[i][outcome]
	if *h == nil {
		*h = &histogram{}
	}
	(*h).add(o.Done - o.Sent)
}

func (l *latencyBins) widen() {
	n := l.grow()
	joined := make([][3]*histogram, (len(l.bins)+n-1)/n)
	for i := range l.bins {
		for k, h := range l.bins[i] {
			switch into := &joined[i/n][k]; {
			case *into == nil:
				*into = h
			case h != nil:
				(*into).join(h)
			}
		}
	}
	l.bins = joined
}

// summary returns what was collected.
func (l *latencyBins) summary() LatencyBins {
	all := LatencyBins{Bin: l.width, Bins: make([][3]LatencyBin, len(l.bins))}
	for i := range l.bins {
		for k, h := range l.bins[i] {
			if h != nil {
				all.Bins[i][k] = LatencyBin{N: h.n, P50: h.quantile(0.5), P99: h.quantile(0.99), Max: h.max}
			}
		}
	}
	return all
}

// A histogram counts durations in steps of a sixteenth of an octave, from 1 µs
// to 140 s; what lies outside is counted at the ends.
type histogram struct {
	counts [octaves * perOctave]uint32
	n      int
	max    time.Duration
}

const (
	perOctave  = 16
	leastShift = 10 // 1.024 µs
	octaves    = 27
)

func (h *histogram) add(d time.Duration) {
	h.n++
	h.max = max(h.max, d)
	h.counts[step(d)]++
}

// step is the number of the step in which a duration lies.
func step(d time.Duration) int {
	if d < 1<<leastShift {
		return 0
	}
	shift := bits.Len64(uint64(d)) - 1
	within := int(uint64(d)>>(shift-4)) & (perOctave - 1)
	return min((shift-leastShift)*perOctave+within, octaves*perOctave-1)
}

// join adds what another one holds.
func (h *histogram) join(other *histogram) {
	h.n += other.n
	h.max = max(h.max, other.max)
	for i, n := range other.counts {
		h.counts[i] += n
	}
}

// quantile returns the middle of the step that holds the quantile, by nearest
// rank; never more than the greatest.
func (h *histogram) quantile(q float64) time.Duration {
	left := rank(h.n, 100*q)
	for i, n := range h.counts {
		if left -= int(n); left <= 0 {
			low := uint64(perOctave+i%perOctave) << (i/perOctave + leastShift - 4)
			return min(time.Duration(low+low/uint64(2*(perOctave+i%perOctave))), h.max)
		}
	}
	return h.max
}
