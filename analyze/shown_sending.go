package analyze

import (
	"cmp"
	"slices"
	"time"

	"duckload/history"
	"duckload/limiter"
)

// Sending tells how well the sender kept to its plan: what a reader must know
// to trust the rest. No verdict rests on it, for checks use the moments at which
// requests really left.
type Sending struct {
	Bin  time.Duration
	Bins []SendingBin // from moment 0 on; at most mostSendingBins

	Open int // the most requests that were under way at the end of a bin

	// The longest stretch in which requests were due and none left, as far as
	// bins show it. From is To if there is none.
	GapFrom, GapTo time.Duration

	Rates []Rate // of the phases that send at one, in the order of the plan

	Resent int          // attempts that the transport made again by itself
	Errors []ErrorCount // why no whole answer came, the most frequent first; at most mostErrors
}

// A SendingBin is one stretch of a run.
type SendingBin struct {
	Due, Sent int           // requests that the plan wanted then, and that left then
	Open      int           // under way at its end
	Mean, Max time.Duration // how late those that left then were
}

// An ErrorCount is a class of failures, such as "timeout", and how many there were.
type ErrorCount struct {
	Class string
	N     int
}

const (
	mostSendingBins = 300
	mostErrors      = 8
)

// dispatch collects it, in memory that does not grow with the run.
type dispatch struct {
	widths
	bins   []sendingBin
	resent int
	errors map[string]int
	lost   int // errors of classes that there was no room for
}

type sendingBin struct {
	due, sent, done int
	late            time.Duration // all of them together
	most            time.Duration
}

func newDispatch() *dispatch { return &dispatch{widths: finest, errors: map[string]int{}} }

// Observe takes the next observation.
func (s *dispatch) Observe(o *history.Observation, _ limiter.Outcome) {
	if o.Resent {
		s.resent++
		return
	}
	if o.Error != "" {
		s.fail(o.Error)
	}
	s.bin(o.Intended).due++
	s.bin(o.Done).done++
	b := s.bin(o.Sent)
	late := max(o.Sent-o.Intended, 0)
	b.sent++
	b.late += late
	b.most = max(b.most, late)
}

func (s *dispatch) fail(class string) {
	if _, ok := s.errors[class]; !ok && len(s.errors) >= 8*mostErrors {
		s.lost++
		return
	}
	s.errors[class]++
}

// bin returns the bin of a moment. What never ends is in none.
func (s *dispatch) bin(at time.Duration) *sendingBin {
	if at == history.Never {
		return &sendingBin{}
	}
	at = max(at, 0)
	for at/s.width >= mostSendingBins {
		s.widen()
	}
	i := int(at / s.width)
	for len(s.bins) <= i {
		s.bins = append(s.bins, sendingBin{})
	}
	return &s.bins[i]
}

func (s *dispatch) widen() {
	n := s.grow()
	joined := make([]sendingBin, (len(s.bins)+n-1)/n)
	for i, b := range s.bins {
		into := &joined[i/n]
		into.due += b.due
		into.sent += b.sent
		into.done += b.done
		into.late += b.late
		into.most = max(into.most, b.most)
	}
	s.bins = joined
}

// summary returns what was collected.
func (s *dispatch) summary() Sending {
	all := Sending{Bin: s.width, Resent: s.resent}
	due, sent, done := 0, 0, 0
	gap := time.Duration(-1) // since when nothing left that was due
	for i, b := range s.bins {
		behind := due > sent // before this bin
		due, sent, done = due+b.due, sent+b.sent, done+b.done
		v := SendingBin{Due: b.due, Sent: b.sent, Open: max(sent-done, 0), Max: b.most}
		if b.sent > 0 {
			v.Mean = b.late / time.Duration(b.sent)
		}
		all.Bins = append(all.Bins, v)
		all.Open = max(all.Open, v.Open)
		at := time.Duration(i) * s.width
		switch {
		case b.sent > 0 || !behind:
			gap = -1
		case gap < 0:
			gap = at
			fallthrough
		default:
			if at+s.width-gap > all.GapTo-all.GapFrom {
				all.GapFrom, all.GapTo = gap, at+s.width
			}
		}
	}
	for class, n := range s.errors {
		all.Errors = append(all.Errors, ErrorCount{class, n})
	}
	slices.SortFunc(all.Errors, func(a, b ErrorCount) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Class, b.Class)) })
	if rest := all.Errors[min(len(all.Errors), mostErrors):]; len(rest) > 0 || s.lost > 0 {
		other := ErrorCount{Class: "other", N: s.lost}
		for _, e := range rest {
			other.N += e.N
		}
		all.Errors = append(all.Errors[:min(len(all.Errors), mostErrors)], other)
	}
	return all
}
