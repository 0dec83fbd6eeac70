package trace

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// units reads the times of one recording. In what unit numbers are is seen
// from the first, and all others must be like it.
type units struct {
	nanos int64 // in one; 0: not known yet
}

// scales are the units by what they make of the present: 1.7e9 seconds are as
// far from 1970 as 1.7e12 milliseconds.
var scales = []struct {
	name  string
	below float64
	nanos int64
}{
	{"seconds", 1e11, 1e9},
	{"milliseconds", 1e14, 1e6},
	{"microseconds", 1e17, 1e3},
	{"nanoseconds", 1e19, 1},
}

var decimal = regexp.MustCompile(`^([+-]?)([0-9]{1,19})(?:\.([0-9]{0,40}))?$`)

// parse returns a time in nanoseconds since 1970, or says what is wrong.
func (u *units) parse(text string) (nanos int64, wrong string) {
	found := decimal.FindStringSubmatch(text)
	if found == nil {
		return parseDate(text)
	}
	whole, err := strconv.ParseUint(found[2], 10, 64)
	switch {
	case found[1] == "-" && strings.Trim(found[2]+found[3], "0") != "":
		return 0, fmt.Sprintf("negative time %s", text)
	case err != nil || whole > math.MaxInt64/2:
		return 0, fmt.Sprintf("time %s is too far away", text)
	}
	if u.nanos == 0 {
		for _, s := range scales {
			if float64(whole) < s.below {
				u.nanos = s.nanos
				break
			}
		}
	}
	if int64(whole) > math.MaxInt64/2/u.nanos {
		return 0, fmt.Sprintf("time %s is too far away (the first time was in %s)", text, u.name())
	}
	fraction := (found[3] + "000000000")[:9]
	part, err := strconv.ParseInt(fraction, 10, 64)
	if err != nil {
		return 0, "not a time: " + shortened(text)
	}
	return int64(whole)*u.nanos + part*u.nanos/1e9, ""
}

func (u *units) name() string {
	for _, s := range scales {
		if s.nanos == u.nanos {
			return s.name
		}
	}
	return ""
}

// layouts are those of RFC 3339, and the same with a blank.
var layouts = []string{time.RFC3339Nano, "2006-01-02 15:04:05Z07:00"}

func parseDate(text string) (nanos int64, wrong string) {
	for _, layout := range layouts {
		if at, err := time.Parse(layout, text); err == nil {
			return sinceEpoch(at)
		}
	}
	return 0, fmt.Sprintf("not a time: %q (write 2026-01-02T15:04:05.123Z, or seconds since 1970)", shortened(text))
}

// sinceEpoch returns nanoseconds since 1970, as far as they can be written.
func sinceEpoch(at time.Time) (nanos int64, wrong string) {
	switch {
	case at.Unix() < 0:
		return 0, "negative time: it is before 1970"
	case at.Year() > 2100:
		return 0, "time is too far away: it is after the year 2100"
	}
	return at.UnixNano(), ""
}
