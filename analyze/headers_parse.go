package analyze

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/dunglas/httpsfv"

	"duckload/limiter"
)

// An allowance is what the rate-limit headers of one answer say.
//
// Five forms are read. The drafts of draft-ietf-httpapi-ratelimit-headers
// changed theirs: -00 to -06 had RateLimit-Limit, -Remaining and -Reset with
// RateLimit-Policy: 10;w=1; -07 had the dictionary RateLimit: limit=100,
// remaining=50, reset=5; then came tokens, RateLimit: default;r=50;t=30 with
// RateLimit-Policy: default;l=100;w=10; -08 and later have strings,
// RateLimit: "default";r=50;t=30 with RateLimit-Policy: "default";q=100;w=60.
// X-RateLimit-Limit, -Remaining and -Reset are nobody's standard.
type allowance struct {
	told      bool  // there is any such header
	remaining int64 // the least of those told; -1: none
	limits    []int64
	policies  []policy
	reset     string   // as told by a -Reset field or the dictionary; empty: none
	broken    []string // names of fields that cannot be read; clients must ignore them
}

// A policy is one quota of RateLimit-Policy: q in a window of w.
type policy struct {
	quota  int64
	window time.Duration // 0: not told
	burst  int64         // 0: not told
}

// parseAllowance reads the rate-limit headers of an answer.
func parseAllowance(evidence limiter.Fields) allowance {
	a := allowance{remaining: -1}
	var limit, fieldPolicy []string
	for _, f := range evidence {
		switch kind := allowanceField(f.Name); kind {
		case "":
		case "limit":
			a.told = true
			if strings.EqualFold(f.Name, "RateLimit") {
				limit = append(limit, f.Value)
			} else if !a.limitList(f.Value) {
				a.broken = append(a.broken, f.Name)
			}
		case "policy":
			a.told = true
			fieldPolicy = append(fieldPolicy, f.Value)
		case "remaining":
			a.told = true
			if n, ok := wholeNumber(f.Value); !ok || !a.left(n) {
				a.broken = append(a.broken, f.Name)
			}
		case "reset":
			a.told = true
			a.reset = strings.Trim(f.Value, " \t")
		}
	}
	if limit != nil && !a.limitField(limit) {
		a.broken = append(a.broken, "RateLimit")
	}
	if fieldPolicy != nil && !a.policyField(fieldPolicy) {
		a.broken = append(a.broken, "RateLimit-Policy")
	}
	return a
}

// allowanceField says what a header tells: "limit", "policy", "remaining",
// "reset"; empty if it is none of ours.
func allowanceField(name string) string {
	if len(name) < len("RateLimit") {
		return ""
	}
	if name[1] == '-' && (name[0] == 'X' || name[0] == 'x') {
		name = name[2:]
	}
	for _, prefix := range []string{"RateLimit", "Rate-Limit"} {
		if len(name) < len(prefix) || !strings.EqualFold(name[:len(prefix)], prefix) {
			continue
		}
		switch rest := name[len(prefix):]; {
		case rest == "", strings.EqualFold(rest, "-Limit"):
			return "limit"
		case strings.EqualFold(rest, "-Policy"):
			return "policy"
		case strings.EqualFold(rest, "-Remaining"):
			return "remaining"
		case strings.EqualFold(rest, "-Reset"):
			return "reset"
		}
	}
	return ""
}

// left notes a number that remains.
func (a *allowance) left(n int64) bool {
	if n < 0 {
		return false
	}
	if a.remaining < 0 || n < a.remaining {
		a.remaining = n
	}
	return true
}

// limitList reads "100" and "100, 100;w=60": the limit and its policies.
func (a *allowance) limitList(value string) bool {
	list, err := httpsfv.UnmarshalList([]string{value})
	if err != nil || len(list) == 0 {
		return false
	}
	for i, member := range list {
		item, ok := member.(httpsfv.Item)
		n, isNumber := item.Value.(int64)
		switch {
		case !ok || !isNumber || n < 0:
			return false
		case i == 0:
			a.limits = append(a.limits, n)
		default:
			a.policies = append(a.policies, policyOf(n, item.Params))
		}
	}
	return true
}

// limitField reads RateLimit in its three forms.
func (a *allowance) limitField(values []string) bool {
	if list, err := httpsfv.UnmarshalList(values); err == nil && len(list) > 0 {
		for _, member := range list {
			item, ok := member.(httpsfv.Item)
			if !ok || !named(item.Value) {
				return false
			}
			if r, ok := parameter(item.Params, "r"); !ok || !a.left(r) {
				return false
			}
		}
		return true
	}
	dictionary, err := httpsfv.UnmarshalDictionary(values)
	if err != nil {
		return false
	}
	if n, ok := entry(dictionary, "limit"); ok {
		a.limits = append(a.limits, n)
	}
	if n, ok := entry(dictionary, "reset"); ok {
		a.reset = strconv.FormatInt(n, 10)
	}
	n, ok := entry(dictionary, "remaining")
	return ok && a.left(n)
}

// policyField reads RateLimit-Policy in its three forms.
func (a *allowance) policyField(values []string) bool {
	list, err := httpsfv.UnmarshalList(values)
	if err != nil {
		return false
	}
	for _, member := range list {
		item, ok := member.(httpsfv.Item)
		if !ok {
			return false
		}
		quota, ok := item.Value.(int64) // -00 to -06
		if !ok && named(item.Value) {
			if quota, ok = parameter(item.Params, "q"); !ok {
				quota, ok = parameter(item.Params, "l")
			}
		}
		if !ok || quota < 0 {
			return false
		}
		if unit, ok := item.Params.Get("qu"); ok && unit != "requests" {
			continue // a limit of something else
		}
		a.policies = append(a.policies, policyOf(quota, item.Params))
	}
	return true
}

func named(value any) bool {
	switch value.(type) {
	case string, httpsfv.Token:
		return true
	}
	return false
}

func policyOf(quota int64, params *httpsfv.Params) policy {
	p := policy{quota: quota}
	if w, ok := parameter(params, "w"); ok && w > 0 && w < math.MaxInt64/int64(time.Second) {
		p.window = time.Duration(w) * time.Second
	}
	p.burst, _ = parameter(params, "burst")
	return p
}

func parameter(params *httpsfv.Params, name string) (int64, bool) {
	v, _ := params.Get(name)
	n, ok := v.(int64)
	return n, ok
}

func entry(d *httpsfv.Dictionary, name string) (int64, bool) {
	member, _ := d.Get(name)
	item, _ := member.(httpsfv.Item)
	n, ok := item.Value.(int64)
	return n, ok
}

// wholeNumber reads a number that is at least 0, and cuts its fraction.
func wholeNumber(s string) (int64, bool) {
	f, err := strconv.ParseFloat(strings.Trim(s, " \t"), 64)
	if err != nil || !(f >= 0 && f < 1<<62) {
		return 0, false
	}
	return int64(f), true
}

// resetIn returns the latest moment, counted from the answer, that a reset can
// mean, and how much of it may be rounding. A number near the present, counted
// from 1970, is a moment; any other number is taken for seconds, though some
// send milliseconds, because that is the latest it can mean.
func resetIn(reset string, evidence limiter.Fields) (in, rounding time.Duration, ok bool) {
	date, dated := ownDate(evidence)
	moment, isMoment := httpDate(reset)
	if !isMoment {
		var err error
		moment, err = time.Parse(time.RFC3339, reset)
		isMoment = err == nil
	}
	if !isMoment {
		n, err := strconv.ParseFloat(reset, 64)
		if err != nil || !(n >= 0) {
			return 0, 0, false
		}
		for _, perSecond := range []float64{1, 1000} {
			if isEpoch(reset, perSecond, date) && dated {
				moment, isMoment = time.UnixMilli(int64(n/perSecond*1000)), true
			}
		}
		if !isMoment {
			return time.Duration(min(n*float64(time.Second), math.MaxInt64/2)), time.Second, true
		}
	}
	return moment.Sub(date), 2 * time.Second, dated
}
