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
	told     bool      // there is any such header
	accounts []account // at most mostAccounts
	limits   []int64   // numbers that are told for limits, without a window
	policies []policy
	broken   []string // names of fields that cannot be read; clients must ignore them
}

// An account is what is told about one limit: an item of RateLimit, or the three fields
// of one family together.
type account struct {
	family string // the fields' common beginning; empty: an item of RateLimit
	name   string // the policy that it names; empty: none
	limit  int64  // told beside it; -1: none
	left   int64  // what remains; -1: not told
	reset  string // as told; empty: not told
	soft   bool   // the reset is the t of a draft that may not mean when there is more
}

// mostAccounts is how many accounts of one answer are looked at.
const mostAccounts = 8

// A policy is one quota of RateLimit-Policy: q in a window of w.
type policy struct {
	name   string // empty: none
	quota  int64
	window time.Duration // 0: not told
	burst  int64         // 0: not told
	other  bool          // it counts something else than requests
}

// parseAllowance reads the rate-limit headers of an answer.
func parseAllowance(evidence limiter.Fields) allowance {
	var a allowance
	var fieldPolicy []string
	limited := false
	for i, f := range evidence {
		kind, family := allowanceField(f.Name)
		a.told = a.told || kind != ""
		switch {
		case kind == "":
		case kind == "policy":
			fieldPolicy = append(fieldPolicy, f.Value)
		case family != "":
			if !a.field(a.of(family), kind, f.Value) {
				a.broken = append(a.broken, f.Name)
			}
		case !limited:
			if limited = true; !a.limitField(joined(evidence[i:], f)) {
				a.broken = append(a.broken, "RateLimit")
			}
		}
	}
	if fieldPolicy != nil && !a.policyField(fieldPolicy) {
		a.broken = append(a.broken, "RateLimit-Policy")
	}
	return a
}

// joined returns the value of a field that may have been sent in parts, of
// which the first is given. Parts of a list or a dictionary are joined by
// commas (RFC 9651 section 4.2).
func joined(evidence limiter.Fields, first limiter.Field) string {
	value := first.Value
	for _, f := range evidence[1:] {
		if strings.EqualFold(f.Name, first.Name) {
			value += ", " + f.Value
		}
	}
	return value
}

// field reads a field that tells one thing about an account. It reports false if
// it cannot be read.
func (a *allowance) field(s *account, kind, value string) bool {
	switch kind {
	case "limit":
		n, ok := a.limitList(value)
		if ok {
			s.limit = n
		}
		return ok
	case "remaining":
		n, ok := wholeNumber(value)
		if ok && (s.left < 0 || n < s.left) {
			s.left = n
		}
		return ok
	}
	s.reset = strings.Trim(value, " \t")
	return true
}

// of returns the account of a family of fields.
func (a *allowance) of(family string) *account {
	for i := range a.accounts {
		if a.accounts[i].family == family {
			return &a.accounts[i]
		}
	}
	return a.add(account{family: family, limit: -1, left: -1})
}

// add adds a state. What is one too many is read and forgotten.
func (a *allowance) add(s account) *account {
	if len(a.accounts) == mostAccounts {
		return &s
	}
	a.accounts = append(a.accounts, s)
	return &a.accounts[len(a.accounts)-1]
}

// allowanceField says what a header tells: "limit", "policy", "remaining",
// "reset"; empty if it is none of ours. The family is what its name begins
// with, up to what it tells; empty for RateLimit and RateLimit-Policy.
func allowanceField(name string) (kind, family string) {
	if len(name) < len("RateLimit") {
		return "", ""
	}
	from := 0
	if name[1] == '-' && (name[0] == 'X' || name[0] == 'x') {
		from = 2
	}
	for _, prefix := range []string{"RateLimit", "Rate-Limit"} {
		to := from + len(prefix)
		if len(name) < to || !strings.EqualFold(name[from:to], prefix) {
			continue
		}
		switch rest := name[to:]; {
		case rest == "":
			return "limit", ""
		case strings.EqualFold(rest, "-Policy"):
			return "policy", ""
		case strings.EqualFold(rest, "-Limit"):
			return "limit", name[:to]
		case strings.EqualFold(rest, "-Remaining"):
			return "remaining", name[:to]
		case strings.EqualFold(rest, "-Reset"):
			return "reset", name[:to]
		}
	}
	return "", ""
}

// limitList reads "100" and "100, 100;w=60": the limit and its policies.
func (a *allowance) limitList(value string) (int64, bool) {
	list, err := httpsfv.UnmarshalList([]string{value})
	if err != nil || len(list) == 0 {
		return 0, false
	}
	limit := int64(0)
	for i, member := range list {
		item, ok := member.(httpsfv.Item)
		n, isNumber := item.Value.(int64)
		switch {
		case !ok || !isNumber || n < 0:
			return 0, false
		case i == 0:
			limit = n
			a.limits = append(a.limits, n)
		default:
			a.policies = append(a.policies, policyOf("", n, item.Params))
		}
	}
	return limit, true
}

// limitField reads RateLimit in its three forms.
func (a *allowance) limitField(value string) bool {
	if list, err := httpsfv.UnmarshalList([]string{value}); err == nil && len(list) > 0 {
		if name := nameOf(list[0]); name != "" {
			return a.limitItems(list)
		}
	}
	dictionary, err := httpsfv.UnmarshalDictionary([]string{value})
	if err != nil {
		return false
	}
	s := account{limit: -1, left: -1}
	if n, ok := entry(dictionary, "limit"); ok {
		s.limit = n
		a.limits = append(a.limits, n)
	}
	if n, ok := entry(dictionary, "reset"); ok {
		s.reset = strconv.FormatInt(n, 10)
	}
	n, ok := entry(dictionary, "remaining")
	if !ok || n < 0 {
		return false
	}
	s.left = n
	a.add(s)
	return true
}

// limitItems reads the items of RateLimit: the policy that each is about, and
// what is left under it. Where the name is a string, t may be the effective
// window of draft -11, which says nothing about when there will be more.
func (a *allowance) limitItems(list httpsfv.List) bool {
	var all []account
	for _, member := range list {
		name := nameOf(member)
		if name == "" {
			return false
		}
		item := member.(httpsfv.Item)
		r, ok := parameter(item.Params, "r")
		if !ok || r < 0 {
			return false
		}
		s := account{name: name, limit: -1, left: r}
		_, s.soft = item.Value.(string)
		if t, ok := parameter(item.Params, "t"); ok {
			s.reset = strconv.FormatInt(t, 10)
		}
		all = append(all, s)
	}
	for _, s := range all {
		a.add(s)
	}
	return true
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
		name := nameOf(member)
		quota, ok := item.Value.(int64) // -00 to -07
		if !ok && name != "" {
			if quota, ok = parameter(item.Params, "q"); !ok {
				quota, ok = parameter(item.Params, "l")
			}
		}
		if !ok || quota < 0 {
			return false
		}
		p := policyOf(name, quota, item.Params)
		unit, ok := item.Params.Get("qu")
		p.other = ok && unit != "requests" && unit != httpsfv.Token("requests")
		a.policies = append(a.policies, p)
	}
	return true
}

// nameOf returns the policy that a member of a list names: a string, or the
// token of older drafts. Empty if it names none.
func nameOf(member httpsfv.Member) string {
	item, _ := member.(httpsfv.Item)
	switch name := item.Value.(type) {
	case string:
		return name
	case httpsfv.Token:
		return string(name)
	}
	return ""
}

func policyOf(name string, quota int64, params *httpsfv.Params) policy {
	p := policy{name: name, quota: quota}
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

// sinceEpoch is from which number on a reset may be a moment since 1970: as
// seconds it would be three years.
const sinceEpoch = 1e8

// resetIn returns the latest moment, counted from the answer, that a reset can
// mean, and how much of it may be rounding. A number near the present, counted
// from 1970 in seconds or milliseconds, is a moment; any other number is taken
// for seconds, though some send milliseconds, because that is what a client
// takes it for. Without a Date a moment cannot be counted from anything.
func resetIn(reset string, evidence limiter.Fields) (in, rounding time.Duration, ok bool) {
	n, err := strconv.ParseFloat(reset, 64)
	switch {
	case err == nil && !(n >= 0):
		return 0, 0, false
	case err == nil && n < sinceEpoch:
		return time.Duration(n * float64(time.Second)), time.Second, true
	}
	date, dated := ownDate(evidence)
	if !dated {
		return 0, 0, false
	}
	if err == nil {
		for _, perSecond := range []float64{1, 1000} {
			if isEpoch(reset, perSecond, date) {
				return time.UnixMilli(int64(n / perSecond * 1000)).Sub(date), 2 * time.Second, true
			}
		}
		return time.Duration(min(n*float64(time.Second), math.MaxInt64/2)), time.Second, true
	}
	moment, isMoment := httpDate(reset)
	if !isMoment {
		moment, err = time.Parse(time.RFC3339, reset)
		isMoment = err == nil
	}
	if !isMoment {
		return 0, 0, false
	}
	return moment.Sub(date), 2 * time.Second, true
}
