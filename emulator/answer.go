package emulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"duckload/limiter"
)

// An answer is a response before it is written.
type answer struct {
	status int
	header http.Header
	body   any
	code   string // of an error; empty: none is documented
}

func done(status int, body any) answer { return answer{status: status, body: body} }

// failed is an error in the shape of the API. The API documents no code for
// some; those have none.
func failed(status int, code, message string) answer {
	type problem struct {
		Code    string `json:"code,omitempty"`
		Message string `json:"message"`
	}
	a := done(status, map[string]problem{"error": {code, message}})
	a.code = code
	return a
}

func (a answer) with(name string, values ...string) answer {
	if a.header == nil {
		a.header = http.Header{}
	}
	a.header[name] = values
	return a
}

func (a answer) write(w http.ResponseWriter) {
	body, err := json.Marshal(a.body)
	if err != nil {
		panic(err) // all bodies are made of texts and numbers
	}
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(a.status)
	w.Write(append(body, '\n')) // a client that has left is no error of ours
}

func (r Rejection) answer(group string, wait time.Duration, now time.Time) answer {
	a := failed(r.Status, r.Code, "rate limit of "+group+" exceeded")
	if r.RetryAfter == nil {
		return a
	}
	return a.with("Retry-After", r.RetryAfter(wait, now)...)
}

// RetryAfterSeconds is the honest Retry-After in seconds: the wait, rounded up
// (RFC 9110 §10.2.3).
func RetryAfterSeconds(wait time.Duration, _ time.Time) []string {
	return []string{strconv.FormatInt(seconds(wait), 10)}
}

// RetryAfterDate is the honest Retry-After as a date: the end of the wait,
// rounded up to a second.
func RetryAfterDate(wait time.Duration, now time.Time) []string {
	return []string{date(wait, now).Format(http.TimeFormat)}
}

// date returns the first whole second that is not before the end of a wait.
func date(wait time.Duration, now time.Time) time.Time {
	end := now.Add(wait).UTC()
	if whole := end.Truncate(time.Second); whole.Before(end) {
		return whole.Add(time.Second)
	}
	return end
}

// seconds returns a duration in seconds, rounded up.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// RateLimitFields sets RateLimit-Policy and RateLimit as
// draft-ietf-httpapi-ratelimit-headers-08 to -11 have them. The policy is the
// documented limit, with the burst of a bucket as a parameter of its own, so
// r may exceed q. Drafts before -11 read t as the time until there is more;
// it is sent only where nothing remains, as there all drafts agree. A window
// that is no whole number of seconds cannot be told and is left out, and a
// limit of requests at once has none.
func RateLimitFields(s Standing, h http.Header) {
	name := func(i int) string {
		if len(s.Limits) == 1 {
			return `"default"`
		}
		return fmt.Sprintf(`"limit-%d"`, i+1)
	}
	for i, l := range s.Limits {
		policy := fmt.Sprintf("%s;q=%d", name(i), l.Limit)
		switch {
		case l.Reading == limiter.Concurrency:
			policy += `;qu="concurrent-requests"`
		case l.Window%time.Second == 0:
			policy += fmt.Sprintf(";w=%d", l.Window/time.Second)
		}
		if isBucket(l) {
			policy += fmt.Sprintf(";burst=%d", l.Burst)
		}
		h.Add("RateLimit-Policy", policy)
	}
	limit := fmt.Sprintf("%s;r=%d", name(s.Tightest), s.Decision.Remaining)
	if s.Decision.Remaining == 0 {
		limit += fmt.Sprintf(";t=%d", seconds(s.Decision.Wait))
	}
	h.Set("RateLimit", limit)
}

// XRateLimit sets X-RateLimit-Limit, -Remaining and -Reset: what a rested
// client may send at once, what is left of it, and the seconds, rounded up,
// until all of it is there again.
func XRateLimit(s Standing, h http.Header) {
	h.Set("X-RateLimit-Limit", strconv.FormatInt(s.Limits[s.Tightest].Capacity(), 10))
	h.Set("X-RateLimit-Remaining", strconv.FormatInt(s.Decision.Remaining, 10))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(seconds(s.Decision.Reset), 10))
}

func isBucket(l limiter.Limit) bool {
	return l.Reading == limiter.TokenBucket || l.Reading == limiter.SteppedBucket || l.Reading == limiter.LeakyQueue
}
