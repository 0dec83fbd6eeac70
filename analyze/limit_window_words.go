package analyze

import (
	"fmt"
	"math"
	"slices"
	"time"

	"duckload/limiter"
)

// described says a measured window: "100 per 59.98 to 60.02 s, aligned at :12".
func (c *Case) described(l limiter.Limit, fit windowFit) string {
	return fmt.Sprintf("%d per %s%s", holdingOf(l).most, lengths(fit), c.alignedAt(fit, l.Window))
}

func lengths(fit windowFit) string {
	low, high := inSeconds(fit.low.value), inSeconds(fit.high.value)
	switch {
	case math.IsInf(high, 1):
		return fmt.Sprintf("at least %.4g s", low)
	case low <= 0:
		return fmt.Sprintf("at most %.4g s", high)
	}
	digits := min(6, max(0, 1-int(math.Floor(math.Log10(max(high-low, high*1e-6))))))
	return fmt.Sprintf("%.*f to %.*f s", digits, low, digits, high)
}

func secondsOf(ns float64) string { return fmt.Sprintf("%.4g s", inSeconds(ns)) }

// alignedAt says where the windows begin by the clock on the wall, if that is
// known to a tenth of a window.
func (c *Case) alignedAt(fit windowFit, window time.Duration) string {
	if fit.phase == nil || fit.phase.High-fit.phase.Low > float64(window)/10 {
		return ""
	}
	since := func(ns float64) time.Duration {
		at := c.Header.Started.Add(time.Duration(ns)).UnixNano() % int64(window)
		return time.Duration((at + int64(window)) % int64(window))
	}
	into := since((fit.phase.Low + fit.phase.High) / 2)
	if since(fit.phase.Low) > since(fit.phase.High) {
		into = 0 // a whole multiple lies between
	}
	if window == time.Minute {
		return fmt.Sprintf(", aligned at :%02d", int(into.Seconds()))
	}
	if into == 0 {
		return ", aligned to the clock"
	}
	return fmt.Sprintf(", aligned %.3g s after whole multiples of it", into.Seconds())
}

func asOne(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return " (" + either(names) + ")"
}

// otherWindow is the failure that no algorithm of the reading explains the
// run with the documented window.
func (c *Case) otherWindow(l limiter.Limit, fits map[string]windowFit) Finding {
	document := float64(l.Window)
	var parts []string
	w := &Witness{Allowed: float64(holdingOf(l).most)}
	var rows []Row
	for _, f := range familiesOf(l.Reading) {
		fit := fits[f.name]
		name := fmt.Sprintf("%s of %d", modelWords[f.name], holdingOf(l).most)
		switch {
		case fit.refuted != nil:
			rows = append(rows, fit.refuted...)
			parts = append(parts, fmt.Sprintf("no %s does what was seen at %s", name, moments(fit.refuted)))
		case !fit.explains():
			rows = append(append(rows, fit.low.rows...), fit.high.rows...)
			parts = append(parts, fmt.Sprintf("no %s: what was seen at %s takes a window of at least %s, at %s one of at most %s",
				name, moments(fit.low.rows), secondsOf(fit.low.value), moments(fit.high.rows), secondsOf(fit.high.value)))
		case fit.missing(within(document, l.Tolerance)):
			rows = append(rows, fit.gap.rows...)
			parts = append(parts, fmt.Sprintf("a %s lasts %s, and not %s by what was seen at %s", name, lengths(fit), secondsOf(document), moments(fit.gap.rows)))
		case document < fit.low.value:
			rows = append(rows, fit.low.rows...)
			parts = append(parts, fmt.Sprintf("a %s lasts at least %s by what was seen at %s", name, secondsOf(fit.low.value), moments(fit.low.rows)))
		default:
			rows = append(rows, fit.high.rows...)
			parts = append(parts, fmt.Sprintf("a %s lasts at most %s by what was seen at %s", name, secondsOf(fit.high.value), moments(fit.high.rows)))
		}
	}
	rows = distinct(rows)
	w.Counted = len(rows)
	w.Requests = c.Evidence(rows[:min(len(rows), MaxEvidence)])
	w.More = max(0, len(rows)-MaxEvidence)
	w.spanned()
	w.Sentence = joinSemicolon(parts)
	return Finding{Outcome: Fail, Message: fmt.Sprintf("%d per %s explains nothing: %s", l.Limit, secondsOf(document), w.Sentence), Witness: w}
}

func joinSemicolon(parts []string) string {
	text := ""
	for i, p := range parts {
		if i > 0 {
			text += "; "
		}
		text += p
	}
	return text
}

// distinct returns the rows in order of Sent, each once.
func distinct(rows []Row) []Row {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b Row) int {
		return compareExtents(a.Sent, b.Sent, time.Duration(a.Ordinal), time.Duration(b.Ordinal))
	})
	return slices.CompactFunc(rows, func(a, b Row) bool { return a.Ordinal == b.Ordinal })
}

// moments names when some rows were sent.
func moments(rows []Row) string {
	var all []string
	for _, r := range distinct(rows) {
		all = append(all, secs(r.Sent))
	}
	if len(all) > 4 {
		all = append(all[:3], fmt.Sprintf("%d more moments", len(all)-3))
	}
	return list(all)
}
