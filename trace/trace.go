// Package trace reads recordings of traffic from elsewhere: when requests were
// sent, as CSV, access logs and vegeta's result files tell it. It does not
// read what was sent, and sends nothing.
package trace

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// A Trace is when the requests of a recording were sent, counted from the
// first of them. It does not change.
type Trace struct {
	Format  string // "CSV", "access log", "vegeta results"
	moments []time.Duration
}

// Len returns how many requests were recorded, at least one.
func (t *Trace) Len() int { return len(t.moments) }

// At returns when request i was sent. Moments rise from 0, and no two are
// alike: what has the same time in the recording is a nanosecond apart.
func (t *Trace) At(i int) time.Duration { return t.moments[i] }

// Length returns the moment of the last request.
func (t *Trace) Length() time.Duration { return t.moments[len(t.moments)-1] }

// Bounds of what a recording may be.
const (
	maxRequests = 10_000_000
	maxBytes    = 4 << 30  // read, after decompression
	maxLine     = 64 << 10 // bytes of a line of text
	maxResult   = 16 << 20 // bytes of one of vegeta's results, which holds a body
	maxMistakes = 10       // after which nobody reads on

	// maxGap is how long a recording may be silent. Beyond it, it is two.
	maxGap = time.Hour

	// logDisorder is how far an access log may go back: it is written when a
	// request ends, and some servers write when it began.
	logDisorder = time.Minute
)

// A Mistake is one thing that is wrong in a recording.
type Mistake struct {
	Name string // of the recording
	Line int    // from 1; of a binary file, the number of the result; 0: the recording as a whole
	Text string
}

// Error returns "name, line 3: text".
func (m Mistake) Error() string {
	if m.Line == 0 {
		return m.Name + ": " + m.Text
	}
	return fmt.Sprintf("%s, line %d: %s", m.Name, m.Line, m.Text)
}

// Mistakes are the first ten things that are wrong in a recording.
type Mistakes []Mistake

// Error returns one line for each mistake.
func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i, mistake := range m {
		lines[i] = mistake.Error()
	}
	return strings.Join(lines, "\n")
}

// Read reads a recording; name is for messages. It may be compressed by gzip.
// The format is found from the content:
//
//   - CSV with commas, semicolons or tabs, a header line allowed: times as in
//     RFC 3339, or as seconds, milliseconds, microseconds or nanoseconds since
//     1970, with or without a fraction; column names the column, empty: one that
//     is called time or timestamp, or the first;
//   - an access log in common or combined format;
//   - the results of a vegeta attack, as gob, JSON or CSV.
//
// Times that go back, negative ones, and silence of more than an hour are
// [Mistakes] with the number of the line. Results and logs are written as
// requests end, so results are put in order, and logs where the time goes back
// by a minute at most.
func Read(name string, r io.Reader, column string) (*Trace, error) {
	c := &collector{name: name}
	c.read(r, column)
	if len(c.mistakes) == 0 && len(c.times) == 0 {
		c.bad(0, "holds no request")
	}
	if len(c.mistakes) > 0 {
		return nil, c.mistakes
	}
	return &Trace{Format: c.format, moments: c.offsets()}, nil
}

// A collector takes the times of a recording as they come.
type collector struct {
	name     string
	format   string
	disorder time.Duration // how far times may go back
	times    []int64       // nanoseconds since 1970
	latest   int64
	mistakes Mistakes
}

func (c *collector) bad(line int, format string, args ...any) {
	c.mistakes = append(c.mistakes, Mistake{Name: c.name, Line: line, Text: fmt.Sprintf(format, args...)})
}

// take takes a time, and reports whether it is worth reading on.
func (c *collector) take(line int, at int64) bool {
	switch gap := time.Duration(at - c.latest); {
	case len(c.times) == maxRequests:
		c.bad(line, "more than %d requests", maxRequests)
		return false
	case len(c.times) == 0:
	case -gap > c.disorder:
		c.bad(line, "time goes back by %s (sort the recording by time)", -gap)
	case gap > maxGap && c.disorder < anyDisorder:
		c.bad(line, "nothing for %s before it (at most %s; cut the recording there)", gap, maxGap)
	}
	if len(c.times) == 0 || at > c.latest {
		c.latest = at
	}
	c.times = append(c.times, at)
	return len(c.mistakes) < maxMistakes
}

// anyDisorder is more than a recording can go back.
const anyDisorder = time.Duration(1<<63 - 1)

// offsets returns the times in order, from the first, and no two alike.
func (c *collector) offsets() []time.Duration {
	slices.Sort(c.times)
	moments := make([]time.Duration, len(c.times))
	for i, at := range c.times {
		moments[i] = time.Duration(at - c.times[0])
		if i > 0 {
			moments[i] = max(moments[i], moments[i-1]+1)
		}
	}
	return moments
}
