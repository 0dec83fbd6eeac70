package emulator

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"duckload/limiter"
)

// A Config says what a server promises and how it keeps it. It is a value:
// [SpaceDuck] returns the honest one, and a [Variation] or a [Defect] returns
// a changed one.
type Config struct {
	Groups []Group

	// Model names the model in limiter.Models that keeps every limit. Empty:
	// the one that each limit's reading describes, see limiter.ModelOf.
	Model string

	// Keep, if not nil, makes what keeps each limit, full and unused, instead of
	// a model: a limiter that nobody documents, or several at once.
	Keep func(limiter.Limit) (limiter.Limiter, error)

	Keys map[string]Tier // the Beak Keys that are valid

	Rejection Rejection

	// Service is how long each admitted request takes once it is its turn. A
	// limit of requests at once has nothing to do where it is 0.
	Service time.Duration

	// Tell adds rate-limit headers to each answer of a limited group. Empty:
	// none, as none are documented.
	Tell []func(Standing, http.Header)

	Accounts int // most e-mail addresses that are remembered, the newest; 0: 100,000
	Senders  int // most senders that a limit counts apart at one time; 0: 100,000

	Webhooks Webhooks // where events are delivered

	Faults Faults
}

// A Group is a group of endpoints that share their limits.
type Group struct {
	Name  string
	Paths []string // "/beak/metrics" is that path alone, "/beak/support/*" all below

	// Limits hold all at once; none: the group is not limited. A scope that is
	// not documented is one counter for everybody.
	Limits []limiter.Limit
}

// A Tier is how far an identity is trusted.
type Tier int

const (
	T0 Tier = iota // known, not yet trusted
	T1
	T2 // verified by telephone
)

func (t Tier) String() string { return fmt.Sprintf("T%d", int(t)) }

// A Rejection is the answer to a request beyond the limit.
type Rejection struct {
	Status int    // 400 to 599
	Code   string // "error.code" of the body; empty: the body has none

	// RetryAfter returns the values of Retry-After, a line each, for a request
	// that was decided now and must wait so long. nil: the header is not sent.
	RetryAfter func(wait time.Duration, now time.Time) []string
}

// A Standing is what a limiter said to one request.
type Standing struct {
	Limits   []limiter.Limit // of the group
	Tightest int             // index of the limit that the decision speaks of
	Decision limiter.Decision
}

// Faults are what an honest server does not do. The zero value does none.
// "Every n" means each n-th request of a group; 0: none.
type Faults struct {
	Unlimited    bool // limits are shown and never enforced
	PerPath      bool // each path has counters of its own
	ForwardedFor bool // X-Forwarded-For names the source address
	Replicas     int  // so many counters take turns; 0 is 1
	Effects      bool // a rejected request does its work all the same

	SlowEvery  int
	Slow       time.Duration // how long a slow answer is held back after the decision
	ErrorEvery int           // answered 500 E5001 after it was counted
	CloseEvery int           // the connection ends without an answer after it was counted

	Twice        bool // an admitted request does its work twice
	Forgetful    bool // an admitted request does no work
	AcceptsAgain bool // an address that has signed up may do so again

	EventLoss     int  // events that are never delivered: every n-th
	EventTwice    bool // each event is delivered once more
	EventLate     bool // each event is held back for seconds
	EventReorder  bool // every other event is overtaken by the next
	EventNoRetry  bool // what is refused is never delivered again
	EventUnsigned bool // deliveries are not signed

	AnyKey     bool // who has no valid key is served as if verified
	AnyTier    bool // the tier of a key is not looked at
	NoQueryKey bool // a key in the query is not seen

	// Retell changes the status and the code of an error that has one. nil:
	// it is told as documented.
	Retell func(status int, code string) (int, string)
}

// The Beak Keys that [SpaceDuck] accepts, one for each tier.
const (
	DemoKeyT0 = "demo-t0"
	DemoKey   = "demo"
	DemoKeyT2 = "demo-t2"
)

// SpaceDuck returns the API as it is published: six limited groups, token
// buckets, an honest Retry-After in seconds. Trust elevation has no published
// limit and gets none.
func SpaceDuck() Config {
	row := func(name, path string, limit, burst int64, scope limiter.Scope) Group {
		return Group{Name: name, Paths: []string{path}, Limits: []limiter.Limit{{
			Limit: limit, Window: time.Minute, Burst: burst, Scope: scope, Reading: limiter.TokenBucket,
		}}}
	}
	return Config{
		Groups: []Group{
			row("metrics", "/beak/metrics", 100, 200, limiter.ScopeUnknown),
			row("signup", "/beak/signup", 10, 5, limiter.ScopeIP),
			row("status", "/beak/system/status", 60, 120, limiter.ScopeUnknown),
			row("newsletter", "/beak/newsletter/*", 5, 2, limiter.ScopeIP),
			row("support", "/beak/support/*", 5, 2, limiter.ScopeIP),
			row("pageview", "/beak/pageview", 500, 1000, limiter.ScopeUnknown),
		},
		Keys:      map[string]Tier{DemoKeyT0: T0, DemoKey: T1, DemoKeyT2: T2},
		Rejection: Rejection{Status: http.StatusTooManyRequests, Code: codeLimited, RetryAfter: RetryAfterSeconds},
	}
}

// Scaled returns the same limits in windows of another length: "100 per
// minute" becomes "100 per window". Bursts stay.
func (c Config) Scaled(window time.Duration) Config {
	return c.eachLimit(func(l limiter.Limit) limiter.Limit {
		l.Window = window
		return l
	})
}

// eachLimit returns the configuration with every limit changed.
func (c Config) eachLimit(change func(limiter.Limit) limiter.Limit) Config {
	c = c.clone()
	for _, g := range c.Groups {
		for i, l := range g.Limits {
			g.Limits[i] = change(l)
		}
	}
	return c
}

// clone returns a configuration that shares nothing with c that can change.
func (c Config) clone() Config {
	c.Groups = slices.Clone(c.Groups)
	for i, g := range c.Groups {
		c.Groups[i].Paths, c.Groups[i].Limits = slices.Clone(g.Paths), slices.Clone(g.Limits)
	}
	c.Keys, c.Tell = maps.Clone(c.Keys), slices.Clone(c.Tell)
	return c
}

// model returns the model that keeps a limit.
func (c Config) model(l limiter.Limit) (limiter.Model, error) {
	if c.Model == "" {
		return limiter.ModelOf(l), nil
	}
	return limiter.ModelNamed(c.Model)
}

// mistakes names everything that is wrong beside the limits.
func (c Config) mistakes() error {
	var all []error
	wrong := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	owner := map[string]string{}
	for _, g := range c.Groups {
		if len(g.Paths) == 0 {
			wrong("group %q: name at least one path", g.Name)
		}
		for _, p := range g.Paths {
			if !strings.HasPrefix(p, "/") {
				wrong("group %q: path %q must begin with a slash", g.Name, p)
			}
			if other, taken := owner[p]; taken {
				wrong("group %q: path %q already belongs to group %q", g.Name, p, other)
			}
			owner[p] = g.Name
		}
	}
	if _, has := c.Keys[""]; has {
		wrong("an empty key cannot be valid; leave it out")
	}
	if c.Rejection.Status < 400 || c.Rejection.Status > 599 {
		wrong("status of a rejection must be 400 to 599, got %d", c.Rejection.Status)
	}
	if f := c.Faults; f.Replicas < 0 || f.SlowEvery < 0 || f.Slow < 0 || f.ErrorEvery < 0 || f.CloseEvery < 0 {
		wrong("faults must not be below 0, got %+v", f)
	}
	if c.Service < 0 {
		wrong("the time that a request takes must not be below 0, got %s", c.Service)
	}
	if c.Accounts < 0 || c.Senders < 0 {
		wrong("accounts and senders must not be below 0, got %d and %d", c.Accounts, c.Senders)
	}
	if u, err := url.Parse(c.Webhooks.URL); c.Webhooks.URL != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		wrong("webhooks: %q is no URL (write http://127.0.0.1:8090/hooks)", c.Webhooks.URL)
	}
	return errors.Join(all...)
}
