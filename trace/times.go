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
	zones zones // whether dates have one
}

// zones says whether the dates of a recording name a time zone.
type zones uint8

const (
	unseen zones = iota
	zoned
	bare // counted in UTC
)

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
	if nanos, ok := u.plain(text); ok {
		return nanos, ""
	}
	found := decimal.FindStringSubmatch(text)
	if found == nil {
		return u.date(text)
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

// plain reads the most frequent numbers, a few digits and a fraction of nine at
// most, in a unit that is known.
func (u *units) plain(text string) (nanos int64, ok bool) {
	if u.nanos == 0 || len(text) == 0 || len(text) > 28 {
		return 0, false
	}
	var whole, part int64
	i := 0
	for ; i < len(text) && text[i] != '.'; i++ {
		digit := int64(text[i]) - '0'
		if digit < 0 || digit > 9 || i >= 18 {
			return 0, false
		}
		whole = 10*whole + digit
	}
	if i == 0 || whole > math.MaxInt64/2/u.nanos {
		return 0, false
	}
	scale := int64(1e9)
	for i++; i < len(text); i++ {
		digit := int64(text[i]) - '0'
		if digit < 0 || digit > 9 || scale == 1 {
			return 0, false
		}
		scale /= 10
		part += digit * scale
	}
	return whole*u.nanos + part*u.nanos/1e9, true
}

// date reads a date. Either all have a zone or none has: a recording with both
// has been put together from two, and nobody knows how they lie.
func (u *units) date(text string) (nanos int64, wrong string) {
	if nanos, wrong = parseDate(text); wrong == "" {
		if u.zones == bare {
			return 0, "has a time zone, those before it have none (write all with one)"
		}
		u.zones = zoned
		return nanos, ""
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05"} {
		at, err := time.Parse(layout, text)
		switch {
		case err != nil:
		case u.zones == zoned:
			return 0, "has no time zone, those before it have one (write all with one)"
		default:
			u.zones = bare
			return sinceEpoch(at)
		}
	}
	return 0, wrong
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
