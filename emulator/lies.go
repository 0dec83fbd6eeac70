package emulator

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Dishonest forms of Retry-After.

func negative(wait time.Duration, _ time.Time) []string {
	return []string{fmt.Sprintf("-%d", seconds(wait))}
}

func fractional(wait time.Duration, _ time.Time) []string {
	ms := (wait + time.Millisecond - 1) / time.Millisecond
	return []string{fmt.Sprintf("%d.%03d", ms/1000, ms%1000)}
}

func milliseconds(wait time.Duration, _ time.Time) []string {
	return []string{strconv.FormatInt(int64((wait+time.Millisecond-1)/time.Millisecond), 10)}
}

func epoch(wait time.Duration, now time.Time) []string {
	return []string{strconv.FormatInt(date(wait, now).Unix(), 10)}
}

func pastDate(_ time.Duration, now time.Time) []string {
	return []string{now.UTC().Add(-time.Hour).Format(http.TimeFormat)}
}

func wrongZone(wait time.Duration, now time.Time) []string {
	return []string{strings.Replace(RetryAfterDate(wait, now)[0], "GMT", "UTC", 1)}
}

func twice(wait time.Duration, now time.Time) []string {
	once := RetryAfterSeconds(wait, now)
	return append(once, once...)
}

func roundedDown(wait time.Duration, _ time.Time) []string {
	return []string{strconv.FormatInt(int64(wait/time.Second), 10)}
}

func late(wait time.Duration, now time.Time) []string {
	return RetryAfterSeconds(wait+2*time.Second, now)
}

func constant(value string) func(time.Duration, time.Time) []string {
	return func(time.Duration, time.Time) []string { return []string{value} }
}

// lying sends both families of rate-limit headers with a false standing,
// whatever the configuration tells otherwise.
func lying(falsify func(Standing) Standing) func(Config) Config {
	return func(c Config) Config {
		c = c.clone()
		c.Tell = nil
		for _, tell := range []func(Standing, http.Header){RateLimitFields, XRateLimit} {
			c.Tell = append(c.Tell, func(s Standing, h http.Header) { tell(falsify(s), h) })
		}
		return c
	}
}

func allRemains(s Standing) Standing {
	s.Decision.Remaining = s.Limits[s.Tightest].Capacity()
	return s
}

func oneMore(s Standing) Standing {
	s.Limits = slices.Clone(s.Limits)
	for i, l := range s.Limits {
		s.Limits[i].Limit++
		if isBucket(l) {
			s.Limits[i].Burst++
		}
	}
	return s
}

func resetsSoon(s Standing) Standing {
	s.Decision.Wait, s.Decision.Reset = time.Second, time.Second
	return s
}

// A Variation is another honest way to keep the promise. To add one, list it
// in [Variations].
type Variation struct {
	Name string
	Doc  string // one sentence

	Apply func(Config) Config
}

// Variations lists every variation in the order in which they are shown.
var Variations = []Variation{
	{"retry-after-date", "Retry-After is a date, rounded up to a second.", retryAfter(RetryAfterDate)},
	{"ratelimit-fields", "Answers carry RateLimit-Policy and RateLimit.", telling(RateLimitFields)},
	{"x-ratelimit", "Answers carry X-RateLimit-Limit, -Remaining and -Reset.", telling(XRateLimit)},
}

func telling(tell func(Standing, http.Header)) func(Config) Config {
	return func(c Config) Config {
		c = c.clone()
		c.Tell = append(c.Tell, tell)
		return c
	}
}

// VariationNamed returns the variation of a name; the error lists the names
// there are.
func VariationNamed(name string) (Variation, error) {
	var names []string
	for _, v := range Variations {
		if v.Name == name {
			return v, nil
		}
		names = append(names, v.Name)
	}
	return Variation{}, fmt.Errorf("unknown variation %q (have %s)", name, strings.Join(names, ", "))
}
