package probe

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"duckload/limiter"
)

// A Rejection is one kind of answer to a request too many.
type Rejection struct {
	Answer string `json:"answer"` // "429", or "closed": the connection ended without one
	Count  int    `json:"count"`
}

// Claims is what rejections said about themselves, and what came of it.
// Nothing of it was believed.
type Claims struct {
	RetryAfter string `json:"retry_after"` // "absent", "unreadable", "sometimes", "always"
	Kept       int    `json:"kept"`        // somebody came back when told, and was admitted
	TooEarly   int    `json:"too_early"`   // and was rejected, though nobody else had come in between
	TooLate    int    `json:"too_late"`    // somebody was admitted more than a second before

	Least, Most time.Duration `json:"-"` // of what was promised

	Headers []string `json:"headers,omitempty"` // rate-limit headers that were seen
}

// rejections counts the answers that were taken for rejections.
func (r Result) rejections() []Rejection {
	var all []Rejection
	for _, a := range r.Seen {
		if a.Outcome != limiter.Rejected {
			continue
		}
		name := strconv.Itoa(a.Status)
		if a.Status == 0 {
			name = "closed"
		}
		i := slices.IndexFunc(all, func(x Rejection) bool { return x.Answer == name })
		if i < 0 {
			i, all = len(all), append(all, Rejection{Answer: name})
		}
		all[i].Count++
	}
	return all
}

// claims holds what rejections promised against what happened on their lane.
func (r Result) claims() Claims {
	c := Claims{RetryAfter: "absent"}
	told, rejected, unreadable := 0, 0, 0
	for i, a := range r.Seen {
		for _, f := range a.Evidence {
			if speaks(f.Name) && !slices.Contains(c.Headers, f.Name) {
				c.Headers = append(c.Headers, f.Name)
			}
		}
		if a.Outcome != limiter.Rejected {
			continue
		}
		rejected++
		if len(a.Evidence.Values("Retry-After")) == 0 {
			continue
		}
		told++
		wait, slack, ok := retryAfter(a.Evidence)
		if !ok {
			unreadable++
			continue
		}
		if told-unreadable == 1 || wait < c.Least {
			c.Least = wait
		}
		c.Most = max(c.Most, wait)
		c.hold(a, r.Seen[i+1:], wait, slack)
	}
	switch {
	case told > 0 && unreadable == told:
		c.RetryAfter = "unreadable"
	case told == rejected && told > 0:
		c.RetryAfter = "always"
	case told > 0:
		c.RetryAfter = "sometimes"
	}
	slices.Sort(c.Headers)
	return c
}

// speaks reports whether a header is named after a limit.
func speaks(name string) bool {
	name = strings.ToLower(name)
	return strings.Contains(name, "limit") || strings.Contains(name, "quota")
}

// hold looks at what came after a rejection on its lane: the next request tells
// whether a promise was kept, if it came after the promised moment.
func (c *Claims) hold(a Answer, later []Answer, wait, slack time.Duration) {
	for _, b := range later {
		if b.Key != a.Key || b.Sent < a.Answered {
			continue
		}
		switch {
		case b.Outcome == limiter.Admitted && b.Answered < a.Sent+wait-time.Second-slack:
			c.TooLate++
			return
		case b.Sent < a.Answered+wait+slack:
			if b.Outcome != limiter.Rejected {
				return // it used what was promised
			}
			continue
		case b.Outcome == limiter.Admitted:
			c.Kept++
		case b.Outcome == limiter.Rejected:
			c.TooEarly++
		}
		return
	}
}

// imfFixdate is the form of dates that RFC 9110 §5.6.7 asks servers to send.
const imfFixdate = "Mon, 02 Jan 2006 15:04:05 GMT"

// retryAfter reads what a client would wait, and how uncertain that is.
func retryAfter(e limiter.Fields) (wait, slack time.Duration, ok bool) {
	values := e.Values("Retry-After")
	if len(values) != 1 {
		return 0, 0, false
	}
	text := strings.TrimSpace(values[0])
	if n, err := strconv.ParseFloat(text, 64); err == nil && n >= 0 && n < 1e9 {
		return time.Duration(n * float64(time.Second)), 20 * time.Millisecond, true
	}
	until, err := time.Parse(imfFixdate, text)
	dates := e.Values("Date")
	if err != nil || len(dates) != 1 {
		return 0, 0, false
	}
	now, err := time.Parse(imfFixdate, dates[0])
	if err != nil {
		return 0, 0, false
	}
	return max(0, until.Sub(now)), time.Second, true
}

// words says what the claims are worth.
func (c Claims) words() string {
	switch c.RetryAfter {
	case "absent":
		return "rejections carry no Retry-After"
	case "unreadable":
		return "Retry-After is sent in a form that no client reads"
	}
	promise := fmt.Sprintf("Retry-After %s to %s", c.Least.Round(time.Millisecond), c.Most.Round(time.Millisecond))
	tested := c.Kept + c.TooEarly + c.TooLate
	switch {
	case tested == 0:
		return promise + ", never put to the test"
	case c.TooEarly == 0 && c.TooLate == 0:
		return fmt.Sprintf("%s, kept %d times of %d", promise, c.Kept, tested)
	}
	return fmt.Sprintf("%s: kept %d times, too early %d times, more than a second too late %d times", promise, c.Kept, c.TooEarly, c.TooLate)
}
