package draft

import (
	"testing"
	"time"

	"duckload/limiter"
)

func TestRatesAreReadAsPeopleWriteThem(t *testing.T) {
	day := 24 * time.Hour
	for text, want := range map[string][]rate{
		"100 requests per minute":          {{count: 100, window: time.Minute}},
		"10/min":                           {{count: 10, window: time.Minute}},
		"1,000 req/hour":                   {{count: 1000, window: time.Hour}},
		"5 per second":                     {{count: 5, window: time.Second}},
		"60 rpm":                           {{count: 60, window: time.Minute}},
		"60 RPM per API key":               {{60, time.Minute, limiter.ScopeKey, "api key"}},
		"10k requests/day":                 {{count: 10000, window: day}},
		"5,000 requests per hour per user": {{5000, time.Hour, limiter.ScopeKey, "user"}},
		"40 requests per app per store per minute":    {{40, time.Minute, limiter.ScopeKey, "store"}},
		"2 requests / app / second":                   {{2, time.Second, limiter.ScopeKey, "app"}},
		"100 read operations per second":              {{count: 100, window: time.Second}},
		"15 requests / 15 mins PER USER":              {{15, 15 * time.Minute, limiter.ScopeKey, "user"}},
		"900/15min":                                   {{count: 900, window: 15 * time.Minute}},
		"5/5s":                                        {{count: 5, window: 5 * time.Second}},
		"50 requests every 10 seconds":                {{count: 50, window: 10 * time.Second}},
		"300 calls in any rolling 24-hour window":     {{count: 300, window: day}},
		"1 000 requests a day":                        {{count: 1000, window: day}},
		"1.000 requests per hour":                     {{count: 1000, window: time.Hour}},
		"0.5 requests per second":                     {{count: 5, window: 10 * time.Second}},
		"1000 daily":                                  {{count: 1000, window: day}},
		"10/s, 600/min":                               {{count: 10, window: time.Second}, {count: 600, window: time.Minute}},
		"25 requests per second; 1,000 per hour":      {{count: 25, window: time.Second}, {count: 1000, window: time.Hour}},
		"60 requests per minute per IP address":       {{60, time.Minute, limiter.ScopeIP, "ip address"}},
		"at most 20 requests per IP in 30 seconds":    {{20, 30 * time.Second, limiter.ScopeIP, "ip"}},
		"50 requests per second globally":             {{50, time.Second, limiter.ScopeGlobal, "globally"}},
		"10–20 per second":                            nil,
		"10-20/s":                                     nil,
		"varies":                                      nil,
		"100":                                         nil,
		"HTTP 429 with a Retry-After header":          nil,
		"0 per minute":                                nil,
		"99999999999999999999999999 requests/second":  nil,
		"we had 3 outages. Per minute we answer well": nil,
	} {
		got := rates(text)
		if len(got) != len(want) {
			t.Errorf("%q: got %v, want %v", text, got, want)
			continue
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%q: got %+v, want %+v", text, got[i], want[i])
			}
		}
	}
}

func TestWindowsAreReadAsPeopleWriteThem(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"per minute": time.Minute, "minute": time.Minute, "1 min": time.Minute, "60": time.Minute, "60s": time.Minute,
		"15 minutes": 15 * time.Minute, "15-minute window": 15 * time.Minute, "Hourly": time.Hour, "24h": 24 * time.Hour,
		"": 0, "soon": 0, "-5": 0,
	} {
		if got, ok := window(text); got != want || ok != (want > 0) {
			t.Errorf("%q: got %v %v, want %v", text, got, ok, want)
		}
	}
}

// Whatever a page says of its limits, a rate that is read from it is one that
// a limiter can keep.
func FuzzPhrase(f *testing.F) {
	for _, s := range []string{"100 requests per minute", "1,000 req/hour per user", "0.5 requests per second", "60 rpm", "10–20/s", "300 calls in any rolling 24-hour window", "1e9 per 0s", "99999999999999999999k / 9 years", "½ per second"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, r := range rates(text) {
			if r.count < 1 || r.window <= 0 {
				t.Errorf("%q: got %+v, want a rate above 0", text, r)
			}
		}
	})
}
