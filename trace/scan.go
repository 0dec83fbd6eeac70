package trace

import (
	"io"
	"math"
	"regexp"
	"strings"
	"time"
)

// Options say how a recording is read. The zero value finds everything out.
type Options struct {
	// Column names the column or field of the times; empty: the usual names.
	Column string

	// Key names what tells one client from another: a column of CSV, a field of
	// JSON lines with dots for fields of fields, "ip" or "user" of an access
	// log. Empty: the address in an access log, elsewhere a column of a usual
	// name. NoKey: nothing does.
	Key string

	// Match keeps the lines that it matches; nil: all. Of a HAR file it is
	// matched against "GET https://host/path", of vegeta's results too.
	Match *regexp.Regexp

	// SkipBad counts what is wrong and reads on.
	SkipBad bool
}

// NoKey is the [Options.Key] under which all requests are of one client.
const NoKey = "none"

// A Request is one request of a recording.
type Request struct {
	At  int64  // nanoseconds since 1970, or since whatever the recording counts from
	Key string // who sent it; empty: not told. It is valid until the next request: clone it to keep it
}

// A Summary says what was read.
type Summary struct {
	Format   string // "CSV", "access log", "JSON lines", "HAR", "vegeta results"
	Key      string // what tells clients from one another: "column user", "address"; empty: nothing does
	Requests int
	Skipped  int      // lines that are wrong
	Mistakes Mistakes // the first ten of them
	Notes    []string // what is odd and does no harm, a sentence each

	// Resolution is the step in which the times were written: a second in most
	// access logs. 0: finer than a microsecond.
	Resolution time.Duration
}

// Scan reads a recording and calls a function with each request, in order of
// time, until it returns false. Formats are those of [Read], and JSON lines and
// HAR files; all may be compressed by gzip or zstd. It holds no more than the
// requests of a minute, or of an hour where a recording is written in the order
// of the answers; silence is no mistake here. name is for messages.
func Scan(name string, r io.Reader, o Options, each func(Request) bool) (Summary, error) {
	c := &collector{name: name, options: o, most: math.MaxInt, order: each}
	c.read(r)
	c.flush(math.MinInt64)
	s := Summary{
		Format: c.format, Key: c.keyed, Requests: c.taken, Notes: c.notes,
		Skipped: c.skipped, Mistakes: c.mistakes, Resolution: c.resolution(),
	}
	if len(c.mistakes) == 0 && c.taken == 0 {
		c.bad(0, "holds no request%s", c.unmatched())
	}
	if len(c.mistakes) > 0 && (!o.SkipBad || c.taken == 0) {
		return s, c.mistakes
	}
	return s, nil
}

func (c *collector) unmatched() string {
	if c.options.Match == nil || c.passed == 0 {
		return ""
	}
	return " that matches " + c.options.Match.String()
}

// usualKeys are what columns and fields are called that tell clients from one
// another, where nobody says it.
var usualKeys = []string{"key", "api_key", "client", "client_ip", "remote_addr", "remote_ip", "ip", "user", "user_id", "userid"}

// A held request waits for earlier ones that are written after it.
type held struct {
	at  int64
	key string
}

// hold puts a request where it belongs among those that wait. Recordings are
// nearly in order, so that is almost always the end.
func (c *collector) hold(at int64, key string) {
	if c.disorder == 0 {
		c.open = c.open && c.order(Request{At: at, Key: key})
		return
	}
	c.held = append(c.held, held{at, strings.Clone(key)})
	for i := len(c.held) - 1; i > c.released && c.held[i-1].at > at; i-- {
		c.held[i], c.held[i-1] = c.held[i-1], c.held[i]
	}
	if c.disorder < anyDisorder {
		c.flush(int64(c.disorder))
	}
}

// flush hands on what is older than the latest by more than a disorder; the
// least integer: all.
func (c *collector) flush(disorder int64) {
	for c.open && c.released < len(c.held) && (disorder < 0 || c.latest-c.held[c.released].at > disorder) {
		h := c.held[c.released]
		c.released++
		c.open = c.order(Request{At: h.at, Key: h.key})
	}
	if c.released > 1024 && c.released > len(c.held)/2 {
		c.held = c.held[:copy(c.held, c.held[c.released:])]
		c.released = 0
	}
}

// resolution is the coarsest usual step that all times are multiples of.
func (c *collector) resolution() time.Duration {
	if c.taken < 2 || c.grain == 1 {
		return 0
	}
	return time.Duration(c.grain)
}

// matches reports whether a line or an address is asked for.
func (c *collector) matches(text string) bool {
	c.passed++
	return c.options.Match == nil || c.options.Match.MatchString(text)
}
