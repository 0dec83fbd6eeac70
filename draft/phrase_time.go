package draft

import (
	"time"
)

// Times, as people write them.

// short are the rates that engineers abbreviate.
var short = map[string]time.Duration{
	"rps": time.Second, "qps": time.Second, "tps": time.Second,
	"rpm": time.Minute, "qpm": time.Minute,
	"rph": time.Hour, "qph": time.Hour,
	"rpd": 24 * time.Hour, "qpd": 24 * time.Hour,
}

var adverbs = map[string]time.Duration{
	"secondly": time.Second, "minutely": time.Minute, "hourly": time.Hour, "daily": 24 * time.Hour,
	"weekly": 7 * 24 * time.Hour, "monthly": month,
}

// month is what people mean by one where its length does not matter.
const month = 30 * 24 * time.Hour

var lengths = map[string]time.Duration{
	"ms": time.Millisecond, "millisecond": time.Millisecond, "milliseconds": time.Millisecond,
	"s": time.Second, "sec": time.Second, "secs": time.Second, "second": time.Second, "seconds": time.Second,
	"m": time.Minute, "min": time.Minute, "mins": time.Minute, "minute": time.Minute, "minutes": time.Minute,
	"h": time.Hour, "hr": time.Hour, "hrs": time.Hour, "hour": time.Hour, "hours": time.Hour,
	"d": 24 * time.Hour, "day": 24 * time.Hour, "days": 24 * time.Hour,
	"week": 7 * 24 * time.Hour, "weeks": 7 * 24 * time.Hour,
	"month": month, "months": month,
}

// span reads a length of time: "minute", "15 mins", "a rolling 24-hour window".
func span(tokens []string, i int) (time.Duration, int) {
	for i < len(tokens) && filler[tokens[i]] {
		i++
	}
	many := 1.0
	if v, next, ok := amount(tokens, i); ok {
		many, i = v, next
		if i < len(tokens) && tokens[i] == "-" {
			i++
		}
	}
	if i >= len(tokens) || lengths[tokens[i]] == 0 {
		return 0, i
	}
	w := many * float64(lengths[tokens[i]])
	if w < 1 || w > float64(366*24*time.Hour) {
		return 0, i
	}
	return time.Duration(w), i + 1
}

var filler = map[string]bool{"a": true, "an": true, "any": true, "each": true, "every": true, "the": true, "rolling": true, "sliding": true, "fixed": true, "clock": true, "calendar": true, "per": true}

// window reads a text that is a length of time and nothing else that matters:
// "per minute", "60", "15 min". A bare number is in seconds.
func window(text string) (time.Duration, bool) {
	tokens := split(text)
	for i := range tokens {
		if w, _ := span(tokens, i); w > 0 {
			return w, true
		}
		if w := adverbs[tokens[i]]; w > 0 {
			return w, true
		}
	}
	if len(tokens) == 1 {
		if v, ok := number(tokens[0]); ok && v >= 0.001 && v <= 366*24*3600 {
			return time.Duration(v * float64(time.Second)), true
		}
	}
	return 0, false
}
