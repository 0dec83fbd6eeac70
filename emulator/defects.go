package emulator

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"duckload/limiter"
)

// A Defect is one way to break the promise. To add one, list it in [Defects].
//
// A defect changes the limits as they stand, so choose the model first:
// config.Model, then the defects, in the order in which they are named.
type Defect struct {
	Name  string
	Doc   string // one sentence
	Check string // the check of package analyze that catches it

	Apply func(Config) Config
}

// Defects lists every defect in the order in which they are shown.
var Defects = []Defect{
	{"burst+1", "Each limit has room for one request more at once.", "limit.ceiling", burst(+1)},
	{"burst-1", "Each limit has room for one request less at once.", "limit.floor", burst(-1)},
	{"rate+1%", "Each allowance comes back 1 % too fast.", "limit.ceiling", pace(101, 100)},
	{"rate-1%", "Each allowance comes back 1 % too slowly.", "limit.floor", pace(99, 100)},
	{"rate+10%", "Each allowance comes back 10 % too fast.", "limit.ceiling", pace(110, 100)},
	{"rate-10%", "Each allowance comes back 10 % too slowly.", "limit.floor", pace(90, 100)},
	{"fixed-window", "Requests are counted in windows aligned to the start of the server, and no burst is known.", "limit.floor", windowed},
	{"rejects-consume", "A rejected request takes what is left of the allowance, so who asks too early waits anew.", "limit.floor", consuming},
	{"never-enforced", "The limits are known and never enforced.", "limit.ceiling", fault(func(f *Faults) { f.Unlimited = true })},
	{"replicas-2", "Two servers take turns, and each counts alone, so twice the limit is admitted.", "limit.ceiling", fault(func(f *Faults) { f.Replicas = 2 })},

	{"scope-global", "Limits that are per address or per key are one for everybody.", "scope", scoped(limiter.ScopeGlobal, limiter.ScopeIP, limiter.ScopeKey)},
	{"scope-key", "Limits that are per address are per key.", "scope", scoped(limiter.ScopeKey, limiter.ScopeIP)},
	{"scope-ip", "Limits that are for everybody or per key are per address.", "scope", scoped(limiter.ScopeIP, limiter.ScopeUnknown, limiter.ScopeGlobal, limiter.ScopeKey)},
	{"per-path-counter", "Each path has a counter of its own, so another spelling of the path finds a full one.", "scope", fault(func(f *Faults) { f.PerPath = true })},
	{"spoofable", "X-Forwarded-For chooses the counter of limits that are per address.", "scope", fault(func(f *Faults) { f.ForwardedFor = true })},

	{"status-503", "A rejection has status 503.", "reject.status", rejecting(func(r *Rejection) { r.Status = http.StatusServiceUnavailable })},
	{"status-403", "A rejection has status 403.", "reject.status", rejecting(func(r *Rejection) { r.Status = http.StatusForbidden })},
	{"error-code-missing", "The body of a rejection has no error code.", "reject.body", rejecting(func(r *Rejection) { r.Code = "" })},
	{"error-code-wrong", "The body of a rejection has the error code E5001.", "reject.body", rejecting(func(r *Rejection) { r.Code = codeInternal })},
	{"rejects-have-effects", "A rejected request does its work all the same.", "reject.effect_free", fault(func(f *Faults) { f.Effects = true })},
	{"accepts-again", "An address that has signed up may sign up again.", "admit.once", fault(func(f *Faults) { f.AcceptsAgain = true })},
	{"does-twice", "An admitted request does its work twice.", "admit.once", fault(func(f *Faults) { f.Twice = true })},
	{"does-nothing", "An admitted request is accepted, and its work is never done.", "admit.once", fault(func(f *Faults) { f.Forgetful = true })},

	{"webhook-loss", "Every third event is never delivered.", "webhook.delivered", fault(func(f *Faults) { f.EventLoss = 3 })},
	{"webhook-late", "Events are delivered seven seconds late.", "webhook.delivered", fault(func(f *Faults) { f.EventLate = true })},
	{"webhook-twice", "Each event is delivered again, though it was accepted.", "webhook.once", fault(func(f *Faults) { f.EventTwice = true })},
	{"webhook-reorder", "Every other event is overtaken by the next.", "webhook.ordered", fault(func(f *Faults) { f.EventReorder = true })},
	{"webhook-no-retry", "A delivery that is refused never comes again.", "webhook.retried", fault(func(f *Faults) { f.EventNoRetry = true })},
	{"webhook-unsigned", "Deliveries are not signed.", "webhook.signed", fault(func(f *Faults) { f.EventUnsigned = true })},

	{"retry-after-missing", "Retry-After is not sent.", "retry_after.present", rejecting(func(r *Rejection) { r.RetryAfter = nil })},
	{"retry-after-negative", "Retry-After is the wait in seconds with a minus before it.", "retry_after.well_formed", retryAfter(negative)},
	{"retry-after-fractional", "Retry-After has three decimals.", "retry_after.well_formed", retryAfter(fractional)},
	{"retry-after-milliseconds", "Retry-After is the wait in milliseconds.", "retry_after.well_formed", retryAfter(milliseconds)},
	{"retry-after-epoch", "Retry-After is the end of the wait in seconds since 1970.", "retry_after.well_formed", retryAfter(epoch)},
	{"retry-after-past-date", "Retry-After is a date, one hour ago.", "retry_after.well_formed", retryAfter(pastDate)},
	{"retry-after-wrong-zone", "Retry-After is a date in UTC where HTTP wants GMT.", "retry_after.well_formed", retryAfter(wrongZone)},
	{"retry-after-twice", "Retry-After is sent twice.", "retry_after.well_formed", retryAfter(twice)},
	{"retry-after-zero", "Retry-After is always 0.", "retry_after.sufficient", retryAfter(constant("0"))},
	{"retry-after-early", "Retry-After is rounded down.", "retry_after.sufficient", retryAfter(roundedDown)},
	{"retry-after-late", "Retry-After is two seconds too long.", "retry_after.tight", retryAfter(late)},
	{"retry-after-constant", "Retry-After is always 60.", "retry_after.tight", retryAfter(constant("60"))},

	{"headers-lie-remaining", "The rate-limit headers say that everything remains, always.", "headers", lying(allRemains)},
	{"headers-lie-limit", "The rate-limit headers name a limit and a burst one higher than enforced.", "headers", lying(oneMore)},
	{"headers-reset-wrong", "The rate-limit headers promise more in one second, always.", "headers", lying(resetsSoon)},

	{"slow", "Each third answer of a group comes 2.5 s late.", "latency", fault(func(f *Faults) { f.SlowEvery, f.Slow = 3, 2500*time.Millisecond })},
	{"errors", "Each fifth request of a group is counted and answered 500 E5001.", "errors", fault(func(f *Faults) { f.ErrorEvery = 5 })},
	{"key-not-needed", "Who shows no valid key is served all the same.", "error.expected", fault(func(f *Faults) { f.AnyKey = true })},
	{"tier-not-needed", "A key of too low a tier is served all the same.", "error.expected", fault(func(f *Faults) { f.AnyTier = true })},
	{"query-key-unseen", "A key in the query is not seen, only one in the header.", "error.expected", fault(func(f *Faults) { f.NoQueryKey = true })},
	{"missing-key-code-wrong", "A missing or invalid key is told E4002, with status 401.", "error.table", retelling(codeKey, http.StatusUnauthorized, codeTier)},
	{"low-tier-status-wrong", "Too low a tier is told E4002 with status 401.", "error.table", retelling(codeTier, http.StatusUnauthorized, codeTier)},
	{"low-tier-told-of-key", "Too low a tier is told E4001 with status 401, as if the key were invalid.", "error.expected", retelling(codeTier, http.StatusUnauthorized, codeKey)},
	{"exists-status-200", "An identity that exists already is told E4003 with status 200.", "error.table", retelling(codeExists, http.StatusOK, codeExists)},
	{"limited-code-unknown", "A rejection has the code E4999, which is not documented.", "error.table", retelling(codeLimited, http.StatusTooManyRequests, "E4999")},
	{"fault-status-503", "Each fifth request fails, and is told E5001 with status 503.", "error.table", failing},

	{"closes", "Each fifth request of a group is counted and its connection closed without an answer.", "errors", fault(func(f *Faults) { f.CloseEvery = 5 })},
}

// burst changes how many fit at once: the burst of a bucket, the limit of a
// window.
func burst(by int64) func(Config) Config {
	return func(c Config) Config {
		return c.eachLimit(func(l limiter.Limit) limiter.Limit {
			if c.holdsBucket(l) {
				l.Burst += by
			} else {
				l.Limit += by
			}
			return l
		})
	}
}

// pace multiplies the speed at which allowance comes back by a ratio: exactly
// for what is refilled evenly, else by the length of the window.
func pace(by, per int64) func(Config) Config {
	return func(c Config) Config {
		return c.eachLimit(func(l limiter.Limit) limiter.Limit {
			if m, err := c.model(l); err == nil && (m.Reading == limiter.TokenBucket || m.Reading == limiter.LeakyQueue) {
				l.Limit, l.Window = l.Limit*by, l.Window*time.Duration(per)
			} else {
				l.Window = l.Window * time.Duration(per) / time.Duration(by)
			}
			return l
		})
	}
}

// holdsBucket reports whether a bucket keeps the limit. New refuses a model
// that there is not.
func (c Config) holdsBucket(l limiter.Limit) bool {
	m, err := c.model(l)
	l.Reading = m.Reading
	return err == nil && isBucket(l)
}

func windowed(c Config) Config {
	c = c.clone()
	c.Model = "fixed-window"
	return c
}

func consuming(c Config) Config {
	return c.eachLimit(func(l limiter.Limit) limiter.Limit {
		l.RejectsConsume = true
		return l
	})
}

func scoped(to limiter.Scope, from ...limiter.Scope) func(Config) Config {
	return func(c Config) Config {
		return c.eachLimit(func(l limiter.Limit) limiter.Limit {
			for _, scope := range from {
				if l.Scope == scope {
					l.Scope = to
					break
				}
			}
			return l
		})
	}
}

func fault(commit func(*Faults)) func(Config) Config {
	return func(c Config) Config {
		c = c.clone()
		commit(&c.Faults)
		return c
	}
}

func rejecting(change func(*Rejection)) func(Config) Config {
	return func(c Config) Config {
		c = c.clone()
		change(&c.Rejection)
		return c
	}
}

func retryAfter(form func(time.Duration, time.Time) []string) func(Config) Config {
	return rejecting(func(r *Rejection) { r.RetryAfter = form })
}

// DefectNamed returns the defect of a name; the error lists the names there
// are.
func DefectNamed(name string) (Defect, error) {
	var names []string
	for _, d := range Defects {
		if d.Name == name {
			return d, nil
		}
		names = append(names, d.Name)
	}
	return Defect{}, fmt.Errorf("unknown defect %q (have %s)", name, strings.Join(names, ", "))
}
