package trace

import (
	"bufio"
	"encoding/csv"
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

func (c *collector) accessLog(in *bufio.Reader) {
	c.format, c.disorder = "access log", logDisorder
	c.lines(in, func(n int, text string) bool {
		written := stamp(text)
		if written == "" {
			c.bad(n, "has no time as in [10/Oct/2000:13:55:36 -0700], got %q", shortened(text))
			return len(c.mistakes) < maxMistakes
		}
		at, err := time.Parse(clfTime, written)
		nanos, wrong := sinceEpoch(at)
		if err != nil {
			wrong = "no such time: " + written
		}
		if wrong != "" {
			c.bad(n, "%s", wrong)
			return len(c.mistakes) < maxMistakes
		}
		return c.take(n, nanos)
	})
}

// timeColumns are what columns of times are called, where nobody says it.
var timeColumns = []string{"timestamp", "time", "@timestamp", "ts", "datetime", "date"}

func (c *collector) csv(in *bufio.Reader, column string) {
	c.format = "CSV"
	var units units
	var between rune
	at, headed := -1, false
	c.lines(in, func(n int, text string) bool {
		if between == 0 {
			between = separator(text)
		}
		fields, ok := split(text, between)
		if !ok {
			c.bad(n, "a quotation mark too many or too few")
			return len(c.mistakes) < maxMistakes
		}
		if at < 0 {
			if at, headed = c.header(n, fields, column); headed || at < 0 {
				return at >= 0
			}
		}
		if at >= len(fields) {
			c.bad(n, "has %d columns, the times are in column %d", len(fields), at+1)
			return len(c.mistakes) < maxMistakes
		}
		nanos, wrong := units.parse(strings.TrimSpace(fields[at]))
		if wrong != "" {
			c.bad(n, "%s", wrong)
			return len(c.mistakes) < maxMistakes
		}
		return c.take(n, nanos)
	})
}

// header finds the column of the times in the first line, and says whether
// that is a header. A negative column means that there is none.
func (c *collector) header(n int, fields []string, column string) (at int, headed bool) {
	if column == "" {
		var first units
		if _, wrong := first.parse(strings.TrimSpace(fields[0])); wrong == "" || looksLikeTime(fields[0]) {
			return 0, false
		}
	}
	wanted := timeColumns
	if column != "" {
		wanted = []string{column}
	}
	for _, name := range wanted {
		at := slices.IndexFunc(fields, func(f string) bool { return strings.EqualFold(strings.TrimSpace(f), name) })
		if at >= 0 {
			return at, true
		}
	}
	switch {
	case column != "":
		c.bad(n, "no column is called %q (have %s)", shortened(column), shortened(strings.Join(fields, ", ")))
	case len(fields) == 1:
		return 0, true
	default:
		c.bad(n, "which column holds the times? (have %s; write column: NAME)", shortened(strings.Join(fields, ", ")))
	}
	return -1, false
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
	if !strings.Contains(line, `"`) {
		return strings.Split(line, string(between)), true
	}
	r := csv.NewReader(strings.NewReader(line))
	r.Comma = between
	fields, err := r.Read()
	return fields, err == nil && len(fields) > 0
}
