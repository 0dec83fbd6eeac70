// Package trace reads recordings of traffic from elsewhere: when requests were
// sent, as CSV, access logs and vegeta's result files tell it. It does not
// read what was sent, and sends nothing.
package trace

import (
	"fmt"
	"io"
	"math"
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
	t := &Trace{}
	c := &collector{name: name, options: Options{Column: column, Key: NoKey}, most: maxRequests, gapless: true}
	var times []int64
	c.order = func(r Request) bool {
		times = append(times, r.At)
		return true
	}
	c.read(r)
	c.flush(math.MinInt64)
	if c.disorder == anyDisorder {
		c.silences(times)
	}
	if len(c.mistakes) == 0 && len(times) == 0 {
		c.bad(0, "holds no request")
	}
	if len(c.mistakes) > 0 {
		return nil, c.mistakes
	}
	t.Format, t.moments = c.format, offsets(times)
	return t, nil
}

// A collector takes the times of a recording as they come.
type collector struct {
	name    string
	options Options
	most    int  // requests
	gapless bool // silence is a mistake
	order   func(Request) bool

	format   string
	keyed    string        // what tells clients from one another
	disorder time.Duration // how far times may go back
	open     bool          // someone listens
	held     []held        // in order, from released on
	released int

	taken    int
	passed   int   // lines that were matched, or not
	latest   int64 // of the times
	grain    int64 // the greatest of 1 s, 1 ms, 1 µs and 1 ns that all times are multiples of
	skipped  int
	mistakes Mistakes
	notes    []string
}

// bad notes a mistake, and reports whether it is worth reading on.
func (c *collector) bad(line int, format string, args ...any) bool {
	c.skipped++
	if len(c.mistakes) < maxMistakes {
		c.mistakes = append(c.mistakes, Mistake{Name: c.name, Line: line, Text: fmt.Sprintf(format, args...)})
	}
	return c.options.SkipBad || len(c.mistakes) < maxMistakes
}

// take takes a request, and reports whether it is worth reading on.
func (c *collector) take(line int, at int64, key string) bool {
	if c.taken == 0 {
		c.open, c.grain = true, int64(time.Second)
	}
	switch gap := time.Duration(at - c.latest); {
	case c.taken == c.most:
		c.bad(line, "more than %d requests", c.most)
		return false
	case c.taken == 0:
	case -gap > c.disorder:
		return c.bad(line, "time goes back by %s (sort the recording by time)", -gap)
	case c.gapless && gap > maxGap && c.disorder < anyDisorder:
		c.bad(line, "nothing for %s before it (at most %s; cut the recording there)", gap, maxGap)
	}
	if c.taken == 0 || at > c.latest {
		c.latest = at
	}
	c.taken++
	for c.grain > 1 && at%c.grain != 0 {
		c.grain /= 1000
	}
	c.hold(at, key)
	return c.open && (c.options.SkipBad || len(c.mistakes) < maxMistakes)
}

// anyDisorder is more than a recording can go back.
const anyDisorder = time.Duration(1<<63 - 1)

// offsets returns times in order, from the first, and no two alike.
func offsets(times []int64) []time.Duration {
	slices.Sort(times)
	moments := make([]time.Duration, len(times))
	for i, at := range times {
		moments[i] = time.Duration(at - times[0])
		if i > 0 {
			moments[i] = max(moments[i], moments[i-1]+1)
		}
	}
	return moments
}
