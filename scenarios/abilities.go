package scenarios

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"duckload/limiter"
)

// An Ability says whether a plan can decide a check, and how finely.
type Ability struct {
	Group   string `json:"group"`
	Check   string `json:"check"` // id, as in analyze.Checks
	Decides bool   `json:"decides"`
	Detail  string `json:"detail"` // how finely, or what is missing and what would help
}

// abilities returns what its phases can decide about a group.
func abilities(g Group, phases []Phase, trip time.Duration) []Ability {
	if len(phases) == 0 {
		return nil
	}
	a := account{group: g, phases: phases, trip: trip}
	for _, l := range g.Promise.Limits {
		if !l.Unverified {
			a.limit(l)
		}
	}
	a.rejections()
	a.documented()
	a.objectives()
	return a.all
}

// An account collects the abilities of one group.
type account struct {
	group  Group
	phases []Phase
	trip   time.Duration
	all    []Ability
}

func (a *account) say(check string, decides bool, format string, args ...any) {
	a.all = append(a.all, Ability{Group: a.group.Name, Check: check, Decides: decides, Detail: fmt.Sprintf(format, args...)})
}

// either says how finely a check is decided, or what it would need.
func (a *account) either(check string, decides bool, detail, missing string) {
	if !decides {
		detail = missing
	}
	a.say(check, decides, "%s", detail)
}

// has reports whether a phase with one of some paces examines a limit.
func (a *account) has(l limiter.Limit, paces ...string) bool {
	return slices.ContainsFunc(a.phases, func(p Phase) bool { return slices.Contains(paces, p.Pace) && p.Limit == l })
}

func (a *account) limit(l limiter.Limit) {
	name := l.String()
	burst := slices.ContainsFunc(a.phases, func(p Phase) bool { return p.Limit == l && p.Pace == "burst" && int64(p.Count) > l.Capacity() })
	burst = burst || a.has(l, "edges")
	if l.Reading == limiter.LeakyQueue || l.Reading == limiter.Concurrency {
		a.held(l, burst)
		return
	}
	a.either("limit.ceiling", burst, "one request more than "+name+" allows", "nothing exceeds "+name+"; add a burst of 100% + 2")
	alone := a.group.Exclusive
	a.either("limit.floor", burst && alone, "one request less than "+name+" allows", a.orShared("nothing uses up "+name+"; add a burst of 100%"))
	if l.Reading == limiter.TokenBucket {
		measured := burst && a.has(l, "edges")
		a.either("limit.burst", measured && alone, fmt.Sprintf("%d exactly", l.Burst), a.orShared("needs a burst of 100% + 2 and edge probes after it; leave pacing out"))
		finely, missing := fmt.Sprintf("±%.2g %% of %d/%s", 100*a.fineness(l), l.Limit, limiter.Per(l.Window)), a.orShared("needs edge probes; leave pacing out")
		coarse := measured && alone && l.Precision > 0 && a.fineness(l)-l.Tolerance > l.Precision
		if coarse {
			missing = fmt.Sprintf("%s, where ±%.2g %% is asked for; needs more time, or a shorter round trip", finely, 100*l.Precision)
		}
		a.either("limit.rate", measured && alone && !coarse, finely, missing)
	} else {
		a.either("limit.window", a.has(l, "window") && alone, fmt.Sprintf("±%.2g %% of %s", 100*a.fineness(l), l.Window), a.orShared("needs window edges; leave pacing out"))
	}
	if l.Scope != limiter.ScopeUnknown {
		a.either("scope", a.has(l, "scope", "meet"), "another sender is asked while one is exhausted", "needs a second sender; give two sources or two identities")
	}
	rested := a.has(l, "rest", "refill") && a.has(l, "burst")
	a.either("recovery", rested && alone, "what a rest gives back, to a request", a.orShared("needs a rest and a burst after it"))
	a.either("sustained", a.has(l, "hold") && alone, "a client that keeps to "+name, a.orShared("needs hold: 100%"))
}

func (a *account) orShared(missing string) string {
	if !a.group.Exclusive {
		return "others use the key (exclusive: false), so a rejection may be theirs"
	}
	return missing
}

// fineness returns the smallest deviation that the probes can prove: the time
// between the last rejection and the admission after it, against the time
// since the first admission that counts. Of a window, two returns of allowance
// are held against each other.
func (a *account) fineness(l limiter.Limit) float64 {
	if l.Reading != limiter.TokenBucket {
		if l.Reading == limiter.Open || l.Reading == limiter.SlidingCounter && (l.RejectsConsume || l.Limit < 10) {
			return 0.5 // what explains a run may be anything between a half and a double
		}
		returns := 0
		for _, p := range a.phases {
			if p.Limit == l && p.Pace == window.Name {
				returns = max(returns, p.Count)
			}
		}
		return windowShare(returns) + 2*float64(a.trip+l.Clock())/float64(l.Window) + drift + l.Tolerance
	}
	leads, span, began := 2*a.trip, time.Duration(0), false
	for _, p := range a.phases {
		if began = began || p.Pace == "hold" || p.Pace == "burst"; began {
			span += p.About
		}
		if p.Limit == l && p.Pace == "edges" {
			break
		}
	}
	return float64(leads+a.trip+l.Clock())/math.Max(float64(span), 1) + drift + l.Tolerance
}

func (a *account) rejections() {
	rejects := slices.ContainsFunc(a.phases, func(p Phase) bool {
		return p.Rejections > 0 || p.Pace == "burst" && int64(p.Count) > p.Limit.Capacity()
	})
	const missing = "no rejection is expected; add a burst of 100% + 2"
	a.either("reject.status", rejects, "every rejection", missing)
	if len(a.group.Promise.Reject.JSON) > 0 {
		a.either("reject.body", rejects, "every rejection", missing)
	}
	rule := a.group.Promise.Reject.RetryAfter
	if rule == limiter.RetryAfterNone {
		return
	}
	if rule != limiter.RetryAfterOptional {
		a.either("retry_after.present", rejects, "every rejection", missing)
	}
	a.either("retry_after.well_formed", rejects, "every rejection", missing)
	var obeys, most int
	for _, p := range a.phases {
		switch p.Pace {
		case "obey":
			obeys, most = obeys+p.Count, int(p.For/time.Second)
		case "comeback":
			obeys, most = obeys+1, int(p.For/time.Second)
		}
	}
	if obeys == 0 && len(a.group.Pacing) == 0 && slices.ContainsFunc(a.group.Promise.Limits, func(l limiter.Limit) bool { return l.Reading == limiter.LeakyQueue }) {
		obeys, most = 1, 1 // a rest and a request after it
	}
	a.either("retry_after.sufficient", obeys > 0, fmt.Sprintf("obeyed %d times, waits of up to %d s", obeys, most), "nothing waits for Retry-After; leave pacing out")
	if rule == limiter.RetryAfterExact {
		a.either("retry_after.tight", rejects, "more than a second too late", missing)
	}
}

func (a *account) objectives() {
	admitted := 0
	for _, p := range a.phases {
		pace, _ := PaceOf(p)
		admitted += pace.Requests(p) - min(pace.Requests(p), p.Rejections)
	}
	o := a.group.Promise.Objectives
	if len(o.Latency) > 0 {
		var names []string
		for _, l := range o.Latency {
			names = append(names, fmt.Sprintf("p%g", l.Percentile))
		}
		a.either("latency", admitted > 0, fmt.Sprintf("%s of at most %d admitted requests", strings.Join(names, ", "), admitted), "nothing is sent")
	}
	if o.Errors != nil {
		a.either("errors", admitted > 0, fmt.Sprintf("of at most %d requests", admitted), "nothing is sent")
	}
}
