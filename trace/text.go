package trace

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// clf finds the time of a line in common or combined log format. What stands
// before it is the client and its name, which may hold anything but a bracket.
var clf = regexp.MustCompile(`^[^\[]*\[(\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\]`)

const clfTime = "02/Jan/2006:15:04:05 -0700"

// stamp returns the time of a line of an access log as it is written there;
// empty: it has none.
func stamp(line string) string {
	if found := clf.FindStringSubmatch(line); found != nil {
		return found[1]
	}
	return ""
}

// A logTime reads the times of an access log. Most lines are written in the
// same second as the one before.
type logTime struct {
	text  string
	nanos int64
}

func (l *logTime) parse(text string) (nanos int64, wrong string) {
	if text == l.text {
		return l.nanos, ""
	}
	at, err := time.Parse(clfTime, text)
	if err != nil {
		return 0, "no such time: " + text
	}
	if nanos, wrong = sinceEpoch(at); wrong == "" {
		l.text, l.nanos = strings.Clone(text), nanos
	}
	return nanos, wrong
}

// written returns the time of a line of an access log as it stands there.
func written(line string) string {
	if at := strings.IndexByte(line, '['); at >= 0 && len(line) > at+27 && line[at+27] == ']' && line[at+3] == '/' {
		return line[at+1 : at+27]
	}
	return stamp(line)
}

func (c *collector) accessLog(in *bufio.Reader) {
	c.format, c.disorder = "access log", logDisorder
	key := logKey(c.options.Key)
	switch c.options.Key {
	case NoKey:
	case "", "ip":
		c.keyed = "address"
	case "user":
		c.keyed = "user"
	default:
		c.bad(0, "an access log has no key %q (have ip, user, none)", shortened(c.options.Key))
		return
	}
	var clock logTime
	zone := ""
	c.lines(in, func(n int, text string) bool {
		if !c.matches(text) {
			return true
		}
		stamp := written(text)
		if stamp == "" {
			return c.bad(n, "has no time as in [10/Oct/2000:13:55:36 -0700], got %q", shortened(text))
		}
		nanos, wrong := clock.parse(stamp)
		if wrong != "" {
			return c.bad(n, "%s", wrong)
		}
		if now := stamp[len(stamp)-5:]; now != zone {
			if zone != "" && len(c.notes) == 0 {
				c.notes = append(c.notes, fmt.Sprintf("line %d is written in %s, those before it in %s: all are counted in UTC", n, now, zone))
			}
			zone = strings.Clone(now)
		}
		return c.take(n, nanos, key(text))
	})
}

// logKey returns what finds the client in a line of an access log: what stands
// first, or the name that it gave.
func logKey(key string) func(line string) string {
	switch key {
	case NoKey:
		return func(string) string { return "" }
	case "user":
		return func(line string) string {
			head, _, _ := strings.Cut(line, " [")
			parts := strings.SplitN(head, " ", 3)
			return parts[len(parts)-1]
		}
	default:
		return func(line string) string {
			first, _, _ := strings.Cut(line, " ")
			return first
		}
	}
}

// timeColumns are what columns of times are called, where nobody says it.
var timeColumns = []string{"timestamp", "time", "@timestamp", "ts", "datetime", "date"}

func (c *collector) csv(in *bufio.Reader) {
	c.format = "CSV"
	var units units
	var between rune
	at, key, headed := -1, -1, false
	c.lines(in, func(n int, text string) bool {
		if between == 0 {
			between = separator(text)
		}
		fields, ok := split(text, between)
		if !ok {
			return c.bad(n, "a quotation mark too many or too few")
		}
		if at < 0 {
			if at, key, headed = c.header(n, fields); headed || at < 0 {
				return at >= 0
			}
		}
		if !c.matches(text) {
			return true
		}
		if at >= len(fields) {
			return c.bad(n, "has %d columns, the times are in column %d", len(fields), at+1)
		}
		if key >= len(fields) {
			return c.bad(n, "has %d columns, the keys are in column %d", len(fields), key+1)
		}
		nanos, wrong := units.parse(strings.TrimSpace(fields[at]))
		if wrong != "" {
			return c.bad(n, "%s", wrong)
		}
		if key < 0 {
			return c.take(n, nanos, "")
		}
		return c.take(n, nanos, strings.TrimSpace(fields[key]))
	})
}

// header finds the columns of the times and of the keys in the first line, and
// says whether that is a header. A negative column of times means that there is
// none, and nothing to read.
func (c *collector) header(n int, fields []string) (at, key int, headed bool) {
	column, wantedKey := c.options.Column, c.options.Key
	if column == "" && (wantedKey == "" || wantedKey == NoKey) {
		var first units
		if _, wrong := first.parse(strings.TrimSpace(fields[0])); wrong == "" || looksLikeTime(fields[0]) {
			return 0, -1, false
		}
	}
	named := func(names ...string) int {
		for _, name := range names {
			if at := slices.IndexFunc(fields, func(f string) bool { return strings.EqualFold(strings.TrimSpace(f), name) }); at >= 0 {
				return at
			}
		}
		return -1
	}
	have := shortened(strings.Join(fields, ", "))
	key = -1
	switch wantedKey {
	case NoKey:
	case "":
		key = named(usualKeys...)
	default:
		if key = named(wantedKey); key < 0 {
			c.bad(n, "no column of keys is called %q (have %s)", shortened(wantedKey), have)
			return -1, -1, false
		}
	}
	if key >= 0 {
		c.keyed = "column " + shortened(strings.TrimSpace(fields[key]))
	}
	wanted := timeColumns
	if column != "" {
		wanted = []string{column}
	}
	if at = named(wanted...); at >= 0 {
		return at, key, true
	}
	switch {
	case column != "":
		c.bad(n, "no column is called %q (have %s)", shortened(column), have)
	case len(fields) == 1:
		return 0, key, true
	default:
		c.bad(n, "which column holds the times? (have %s; write column: NAME)", have)
	}
	return -1, -1, false
}

// looksLikeTime reports whether a field is meant as a time, right or wrong: it
// begins with a digit or a sign.
func looksLikeTime(field string) bool {
	field = strings.TrimLeft(strings.TrimSpace(field), "+-")
	return field != "" && field[0] >= '0' && field[0] <= '9'
}

// separator returns which of the usual signs parts the columns of a line.
func separator(line string) rune {
	for _, sign := range ",;\t" {
		if strings.ContainsRune(line, sign) {
			return sign
		}
	}
	return ','
}

func split(line string, between rune) ([]string, bool) {
	if strings.IndexByte(line, '"') < 0 {
		if between == ',' && strings.IndexByte(line, ',') < 0 {
			return []string{line}, true
		}
		return strings.Split(line, string(between)), true
	}
	r := csv.NewReader(strings.NewReader(line))
	r.Comma = between
	fields, err := r.Read()
	return fields, err == nil && len(fields) > 0
}
