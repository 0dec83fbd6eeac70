package analyze

import (
	"math"
	"strings"
	"time"

	"duckload/limiter"
)

// A defect is what is wrong with a Retry-After, in the words of a finding.
// The empty defect is a well-formed one.
type defect string

const (
	missing    defect = "missing"
	twice      defect = "sent twice"
	empty      defect = "empty"
	negative   defect = "negative"
	fractional defect = "fractional"
	wrongZone  defect = "a date in a zone that is not GMT"
	wrongDate  defect = "a date that is not an HTTP-date"
	unreadable defect = "neither a number nor a date"
)

// A retryAfter is the Retry-After of one answer.
type retryAfter struct {
	text   string // as it was sent
	defect defect // empty: well formed by RFC 9110 section 10.2.3

	isDate  bool
	undated bool          // a date, but the answer carries no Date to count from
	delay   time.Duration // from receipt; for a date: until it, from the answer's own Date; may be negative then
}

// parseRetryAfter reads the Retry-After of an answer by the grammar of
//
//	Retry-After   = HTTP-date / delay-seconds
//	delay-seconds = 1*DIGIT
//
// of RFC 9110 section 10.2.3. The two obsolete forms of HTTP-date are read,
// as section 5.6.7 asks of recipients. A number that a Duration cannot hold is
// the longest Duration.
func parseRetryAfter(evidence limiter.Fields) retryAfter {
	var r retryAfter
	count := 0
	for _, f := range evidence {
		if strings.EqualFold(f.Name, "Retry-After") {
			count++
			r.text = f.Value
		}
	}
	if count != 1 {
		r.defect = missing
		if count > 1 {
			r.defect = twice
		}
		return r
	}
	r.text = strings.Trim(r.text, " \t")
	if seconds, ok := digits(r.text); ok {
		r.delay = seconds
		return r
	}
	if at, ok := httpDate(r.text); ok {
		r.isDate = true
		date, dated := ownDate(evidence)
		if !dated {
			r.undated = true
			return r
		}
		r.delay = at.Sub(date)
		return r
	}
	r.defect = malformation(r.text)
	return r
}

// ownDate returns the moment at which an answer says it was made.
func ownDate(evidence limiter.Fields) (time.Time, bool) {
	for _, f := range evidence {
		if strings.EqualFold(f.Name, "Date") {
			return httpDate(strings.Trim(f.Value, " \t"))
		}
	}
	return time.Time{}, false
}

// digits reads delay-seconds.
func digits(s string) (time.Duration, bool) {
	if s == "" {
		return 0, false
	}
	const most = math.MaxInt64 / int64(time.Second)
	var n int64
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		if n <= most {
			n = n*10 + int64(s[i]-'0')
		}
	}
	if n > most {
		return math.MaxInt64, true
	}
	return time.Duration(n) * time.Second, true
}

// The three forms of HTTP-date. Only the first may be sent, all must be read.
var httpDates = []string{
	"Mon, 02 Jan 2006 15:04:05 GMT",
	"Monday, 02-Jan-06 15:04:05 GMT",
	"Mon Jan _2 15:04:05 2006",
}

// httpDate reads an HTTP-date. The zone is the word GMT and no other: that is
// what the grammar says, and what clients compare.
func httpDate(s string) (time.Time, bool) {
	if len(s) < len("Mon Jan _2 15:04:05 2006") || len(s) > len("Wednesday, 02-Jan-06 15:04:05 GMT") {
		return time.Time{}, false
	}
	for _, form := range httpDates {
		t, err := time.Parse(form, s)
		// Parse takes "2:04:05" and a fraction of a second where the grammar does not.
		if err == nil && len(t.Format(form)) == len(s) {
			return t, true
		}
	}
	return time.Time{}, false
}

// malformation names what is wrong with a value that the grammar refuses.
func malformation(s string) defect {
	switch {
	case s == "":
		return empty
	case s[0] == '-' && numeral(s[1:]):
		return negative
	case numeral(s):
		return fractional
	case isTwo(s):
		return twice
	case zoned(s):
		return wrongZone
	case timestamp(s):
		return wrongDate
	}
	return unreadable
}

// numeral reports whether s is a number with or without a fraction.
func numeral(s string) bool {
	whole, fraction, dotted := strings.Cut(s, ".")
	_, a := digits(whole)
	_, b := digits(fraction)
	return a && (b || !dotted) || b && whole == ""
}

// isTwo reports whether s is several values in one field, as a proxy leaves
// them that has joined two.
func isTwo(s string) bool {
	parts := strings.Split(s, ",")
	for _, part := range parts {
		if !numeral(strings.TrimPrefix(strings.Trim(part, " \t"), "-")) {
			return false
		}
	}
	return len(parts) > 1
}

// zoned reports whether s would be an HTTP-date if its zone were GMT.
func zoned(s string) bool {
	i := strings.LastIndexByte(s, ' ')
	if i < 0 {
		return false
	}
	if _, ok := httpDate(s[:i] + " GMT"); ok {
		return true
	}
	_, ok := httpDate(s + " GMT")
	return ok
}

// timestamp reports whether s is a date of another kind, such as RFC 3339.
func timestamp(s string) bool {
	for _, form := range []string{time.RFC3339, time.DateTime, "2006-01-02T15:04:05", time.DateOnly, time.RFC822, time.RFC822Z, time.UnixDate} {
		if _, err := time.Parse(form, s); err == nil {
			return true
		}
	}
	return false
}
