package probe

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"duckload/analyze"
	"duckload/limiter"
)

// drift is by how much a limiter's clock may run fast or slow against ours, as
// analyze assumes it as well.
const drift = 5e-4

// Measured returns what was found as a verdict has it. The family is empty
// where several explain what was seen, or none does.
func (r Result) Measured() *analyze.Measured {
	m := &analyze.Measured{Scope: r.scope(), Consistent: []string{}}
	for _, f := range r.Answers {
		if !slices.Contains(m.Consistent, f.Family) {
			m.Consistent = append(m.Consistent, f.Family)
		}
	}
	for _, t := range r.Both {
		m.Consistent = append(m.Consistent, t.Inner.Family+" and "+t.Outer.Family)
	}
	if len(r.Answers) == 0 || len(r.Both) > 0 {
		return m
	}
	consume := r.Answers[0].RejectsConsume
	same := !slices.ContainsFunc(r.Answers, func(f Found) bool { return f.RejectsConsume != consume })
	if same && r.observable() {
		m.RejectsConsume = &consume
	}
	if !r.Unique() {
		return m
	}
	f := r.Answers[0]
	m.Family = f.Family
	seconds := func(name string) *analyze.Interval {
		s, ok := f.Values[name]
		if !ok {
			return nil
		}
		return &analyze.Interval{Low: s.Low / 1e9 * (1 - drift), High: s.High / 1e9 * (1 + drift)}
	}
	plain := func(name string) *analyze.Interval {
		s, ok := f.Values[name]
		if !ok {
			return nil
		}
		return &analyze.Interval{Low: s.Low, High: s.High}
	}
	m.Window, m.LimitPerWindow, m.Burst = seconds("window"), plain("limit"), plain("burst")
	if t := seconds("token"); t != nil {
		m.RatePerSecond = &analyze.Interval{Low: 1 / t.High, High: 1 / t.Low}
	} else if step := plain("step"); step != nil && m.Window != nil {
		m.LimitPerWindow = step
	}
	if f.Family == "concurrency" {
		m.AtOnce, m.LimitPerWindow = m.LimitPerWindow, nil
	}
	if m.RatePerSecond == nil && m.Window != nil && m.LimitPerWindow != nil {
		m.RatePerSecond = &analyze.Interval{Low: m.LimitPerWindow.Low / m.Window.High, High: m.LimitPerWindow.High / m.Window.Low}
	}
	return m
}

// observable reports whether it shows in anything that rejected requests
// count: in a fixed window it does not.
func (r Result) observable() bool {
	return !slices.ContainsFunc(r.Answers, func(f Found) bool {
		return f.Family == "fixed-window" || f.Family == "anchored-window" || f.Family == "stepped-bucket"
	})
}

// atLimitOne are answers that no request tells apart if their limit is 1. The
// first of each list stands for it.
var atLimitOne = [][]string{
	{"token-bucket", "anchored-window", "sliding-log", "idle-window"},
	{"elastic-window, refused requests count", "block, refused requests count", "token-bucket, refused requests count", "sliding-log, refused requests count"},
	{"fixed-window", "sliding-counter"},
}

// Unique reports whether there is one answer: one family, or several that
// nobody could tell apart from outside; or one pair of limits.
func (r Result) Unique() bool {
	if len(r.Both) > 0 {
		return len(r.Both) == 1 && len(r.Answers) == 0
	}
	if len(r.Answers) == 1 {
		return true
	}
	return slices.ContainsFunc(atLimitOne, func(class []string) bool {
		return len(r.Answers) > 0 && !slices.ContainsFunc(r.Answers, func(f Found) bool {
			limit, ok := f.Values["limit"]
			if !ok {
				limit = f.Values["burst"]
			}
			return limit.High != 1 || !slices.Contains(class, f.title())
		})
	})
}

func (f Found) title() string {
	if f.RejectsConsume {
		return f.Family + ", refused requests count"
	}
	return f.Family
}

// scope is who shares a counter, as far as it was tried.
func (r Result) scope() string {
	counted := map[string]Counted{}
	for _, s := range r.Scopes {
		counted[s.Way] = s.Counted
	}
	address, key := counted[WayAddress], counted[WayKey]
	switch {
	case address == Apart && key == Apart:
		return "ip and key"
	case address == Apart:
		return "ip"
	case key == Apart:
		return "key"
	case address == Shared && key != Unclear, key == Shared && address != Unclear:
		return "global"
	}
	return ""
}

// The ways of asking that say who shares a counter, and those that get round
// it.
const (
	WayAddress    = "another address"
	WayKey        = "another key"
	WayConnection = "a new connection for each request"
	WayMethod     = "another method (HEAD)"
	WayPath       = "another spelling of the path"
	WayForwarded  = "a forged X-Forwarded-For"
)

// Words says what was found, in sentences.
func (r Result) Words() []string {
	var all []string
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	switch {
	case r.Over == "refused":
		say("the first request was refused already (%d): the allowance was not whole, so nothing can be told; wait, and identify again", r.Seen[0].Status)
		return append(all, r.claims().words())
	case !r.Limited:
		say("no limit was met in %d requests within %s", r.Requests, r.Took.Round(100*time.Millisecond))
		all = append(all, r.delayWords()...)
		return append(all, r.headersWords()...)
	case len(r.Both) > 0:
		all = append(all, r.twoWords()...)
	case len(r.Answers) == 0:
		say("unknown: none of the families explains what was seen (up to %d requests were admitted at once)", r.Capacity)
		say("%s", r.nearWords())
	case r.Unique():
		say("%s", r.Answers[0].words())
		if len(r.Answers) > 1 {
			say("with a limit of 1 that is the same as %s: no request tells them apart", join(r.Answers[1:]))
		}
	default:
		if shut := r.shut(); shut > 0 {
			say("open: %d were admitted, then nothing came back within %s; any longer time is possible, and %d families explain what was seen", r.Capacity, figure(float64(shut)), len(r.Answers))
		} else {
			say("open: %d families explain what was seen", len(r.Answers))
		}
		for _, f := range r.Answers {
			say("  %s", f.words())
		}
	}
	switch {
	case r.Over == "" && r.Limited && !r.Unique() && len(r.Answers) > 0:
		say("no experiment that fits into the rest of the time tells more (--max-time, or more clients: --sources, --header-values)")
	case r.Over != "":
		say("the %s was used up before more could be told", r.Over)
	}
	for _, s := range r.Scopes {
		switch s.Counted {
		case Apart:
			say("%s has a counter of its own", s.Way)
		case Shared:
			say("%s shares the counter", s.Way)
		default:
			say("whether %s shares the counter could not be told", s.Way)
		}
	}
	all = append(all, r.aloneWords()...)
	if s := r.Service(); len(r.Answers) == 1 && r.Answers[0].Family == "concurrency" && s > 0 {
		say("each takes the server %s or more", figure(float64(s)))
	}
	var kinds []string
	for _, k := range r.rejections() {
		kinds = append(kinds, fmt.Sprintf("%s (%d times)", k.Answer, k.Count))
	}
	say("a request too many gets %s; %s", strings.Join(kinds, ", "), r.claims().words())
	all = append(all, r.claimWords()...)
	all = append(all, r.saidWords()...)
	if len(r.Both) == 0 {
		say("a second limit over a longer time would not have shown in %d requests within %s", r.Requests, r.Took.Round(100*time.Millisecond))
	}
	return append(all, r.headersWords()...)
}

// delayWords says that requests are held back instead of refused, if it looks
// like that: some took ten times as long as the first.
func (r Result) delayWords() []string {
	if len(r.Seen) == 0 {
		return nil
	}
	first, longest := r.Seen[0].Answered-r.Seen[0].Sent, time.Duration(0)
	for _, a := range r.Seen {
		longest = max(longest, a.Answered-a.Sent)
	}
	if longest < 10*first || longest < 200*time.Millisecond {
		return nil
	}
	return []string{fmt.Sprintf("but answers took up to %s, the first one %s: requests are held back instead of refused, or the server is slow when many ask", figure(float64(longest)), figure(float64(first)))}
}

// claimWords says what the target claims beyond the end of the run.
func (r Result) claimWords() []string {
	for _, a := range slices.Backward(r.Seen) {
		if a.Outcome != limiter.Rejected {
			continue
		}
		wait, _, ok := retryAfter(a.Evidence)
		if left := a.Answered + wait - r.Seen[0].Sent - r.Took; ok && left > 0 {
			return []string{fmt.Sprintf("the last refusal says to come back %s after the end of the run: that is claimed, not proved (--max-time)", figure(float64(left)))}
		}
		return nil
	}
	return nil
}

func (r Result) headersWords() []string {
	if h := r.claims().Headers; len(h) > 0 && !r.Limited {
		return []string{"the target speaks of a limit (" + strings.Join(h, ", ") + ") that was not enforced"}
	}
	return nil
}

func join(all []Found) string {
	var names []string
	for _, f := range all {
		names = append(names, f.Family)
	}
	return strings.Join(names, ", ")
}

// words describes a family with its parameters.
func (f Found) words() string {
	var parts []string
	for _, name := range []string{"burst", "limit", "step", "token", "window", "ban"} {
		s, ok := f.Values[name]
		if !ok {
			continue
		}
		switch name {
		case "burst", "limit", "step":
			parts = append(parts, name+" "+whole(s))
		case "token":
			if s.High > longest/2 {
				parts = append(parts, fmt.Sprintf("one more after %s or longer", figure(s.Low)))
				continue
			}
			parts = append(parts, fmt.Sprintf("one more every %s (%.4g to %.4g a second)", times(s), 1e9/s.High, 1e9/s.Low))
		default:
			parts = append(parts, name+" "+times(s))
		}
	}
	text := f.Family
	if f.RejectsConsume {
		text += ", refused requests count"
	}
	return text + ": " + strings.Join(parts, ", ")
}

func whole(s Span) string {
	if s.Low == s.High {
		return fmt.Sprintf("%.0f", s.Low)
	}
	return fmt.Sprintf("%.0f to %.0f", s.Low, s.High)
}

func times(s Span) string {
	if s.High > longest/2 {
		return "above " + figure(s.Low)
	}
	return figure(s.Low) + " to " + figure(s.High)
}

// figure rounds a time in nanoseconds to what can be read.
func figure(v float64) string {
	unit := math.Pow(10, math.Floor(math.Log10(max(1, v)))-3)
	return time.Duration(math.Round(v/unit) * unit).String()
}
