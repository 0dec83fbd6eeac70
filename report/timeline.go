package report

import (
	"fmt"
	"math"
	"slices"
	"time"

	"duckload/analyze"
	"duckload/limiter"
)

// A timelineView is what the picture of requests over time shows of one key of
// a group: a limit is documented for a key, and can only be drawn beside the
// requests of one. It is finished values, so that it can be compared in a test.
type timelineView struct {
	Bin                                  time.Duration
	Offered, Admitted, Rejected, Unknown []int

	// Allowance is the most that each bin could admit if the promise were kept,
	// given what the bins before it admitted. Flat says that it is a limit per
	// window instead, the same for all bins. Empty: no limit was promised.
	Allowance []float64
	Flat      bool
	Begin     time.Duration // nothing happened before; 0 if that was not for long
	Whose     string        // the senders that share the key; empty: all of the group

	Proof    bool // a check of the limit fails
	From, To time.Duration
	Violated string // what is proved
}

// A stretch is the part of a run that pictures of a group show.
type stretch struct{ From, To time.Duration }

// stretch is all of it but a long silence at the beginning.
func (v timelineView) stretch() stretch {
	end := max(time.Duration(len(v.Offered))*v.Bin, v.Bin, 1)
	return stretch{max(0, v.Begin-(end-v.Begin)/20), end}
}

func timelineOf(g analyze.Group) timelineView {
	t, whose := g.Timeline, ""
	if of := g.Drawn.Lanes; len(of) > 0 && !slices.Equal(of, g.Lanes) {
		t, whose = g.Drawn.Timeline, printable(of[0])
		if len(of) > 1 {
			whose += fmt.Sprintf(" and %d more", len(of)-1)
		}
	}
	v := timelineView{Bin: t.Bin, Offered: t.Offered, Admitted: t.Admitted, Rejected: t.Rejected, Unknown: t.Unknown, Begin: begin(t), Whose: whose}
	for _, l := range g.Promise.Limits {
		line, flat := allowance(l, t)
		if len(v.Allowance) == 0 {
			v.Allowance, v.Flat = line, flat
			continue
		}
		for i := range line {
			v.Allowance[i] = min(v.Allowance[i], line[i])
		}
		v.Flat = v.Flat && flat
	}
	for _, f := range g.Findings {
		if f.Outcome == analyze.Fail && f.Witness != nil && slices.Contains([]string{"limit.ceiling", "limit.floor"}, f.Check) {
			v.Proof, v.From, v.To = true, f.Witness.From, min(f.Witness.To, time.Duration(len(t.Offered))*t.Bin)
			v.Violated = f.Message
			break
		}
	}
	return v
}

// begin is the start of the first bin in which something happened, if a
// picture of the time before would be empty for a fifth of its width or more.
func begin(t analyze.Timeline) time.Duration {
	for i := range t.Offered {
		if t.Offered[i]+t.Unknown[i] > 0 {
			if 5*i < len(t.Offered) {
				return 0
			}
			return time.Duration(i) * t.Bin
		}
	}
	return 0
}

// allowance follows a documented limit through the bins. Within a bin nobody
// knows what came first, so it is what was there at its beginning and all that
// came in during it: never less than what the limiter could admit.
func allowance(l limiter.Limit, t analyze.Timeline) (line []float64, flat bool) {
	line = make([]float64, len(t.Admitted))
	switch l.Reading {
	case limiter.Concurrency: // no number of requests in a time
		return nil, false
	case limiter.TokenBucket, limiter.SteppedBucket, limiter.LeakyQueue:
		most, gain := float64(l.Burst), l.Rate()*t.Bin.Seconds()
		level := most
		for i, n := range t.Admitted {
			line[i] = level + gain
			level = max(0, min(most, level+gain-float64(n)))
		}
		return line, false
	case limiter.SlidingLog:
		bins := int(l.Window / max(t.Bin, 1))
		spent := 0
		for i, n := range t.Admitted {
			line[i] = max(0, float64(l.Limit)-float64(spent))
			spent += n
			if i >= bins-1 && bins > 0 {
				spent -= t.Admitted[i-bins+1]
			}
		}
		return line, false
	}
	for i := range line {
		line[i] = float64(l.Limit)
	}
	return line, true
}

// from names the senders in a sentence, if they are not all.
func (v timelineView) from() string {
	if v.Whose == "" {
		return ""
	}
	return " from one key (" + v.Whose + ")"
}

// Caption says what the dashed line is.
func (v timelineView) Caption() string {
	if len(v.Allowance) == 0 {
		return ""
	}
	if v.Flat {
		return "the documented limit per window"
	}
	return "the most that the documented limit could admit at that moment"
}

// totals adds up what the picture shows.
func (v timelineView) totals() (offered, admitted, rejected, unknown int) {
	for i := range v.Offered {
		offered += v.Offered[i]
		admitted += v.Admitted[i]
		rejected += v.Rejected[i]
		unknown += v.Unknown[i]
	}
	return
}

// Rows are the bins in which something happened, as words.
func (v timelineView) Rows() [][]string {
	var rows [][]string
	for i := range v.Offered {
		if v.Offered[i]+v.Admitted[i]+v.Rejected[i]+v.Unknown[i] == 0 {
			continue
		}
		row := []string{when(time.Duration(i) * v.Bin), thousands(v.Offered[i]), thousands(v.Admitted[i]), thousands(v.Rejected[i]), thousands(v.Unknown[i]), ""}
		if i < len(v.Allowance) {
			row[5] = rounded(v.Allowance[i], 1, math.Round)
		}
		rows = append(rows, row)
	}
	return rows
}
