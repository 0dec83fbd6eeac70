package scenarios

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"duckload/limiter"
)

var (
	relative = regexp.MustCompile(`^([0-9.]+)%\s*(?:([+-])\s*([0-9]+))?$`)
	absolute = regexp.MustCompile(`^([0-9.]+)\s*/\s*(\S+)$`)
)

// maxBurst bounds one phase, maxRate its requests a second: beyond that a
// moment of its own, in nanoseconds, cannot be given to each request.
const (
	maxBurst = 1_000_000
	maxRate  = 1_000_000
)

// count reads how many: "20", "100%" or "100% + 2" of the capacity.
func (r *reader) count(n node, text string, of limiter.Limit) int {
	found := relative.FindStringSubmatch(text)
	if found == nil {
		v, wrong := parseWhole(text, 1, maxBurst)
		if wrong != "" {
			r.bad(n, "%s (write 20, 80%% or 100%% + 2)", wrong)
		}
		return int(v)
	}
	share, wrong := parsePercent(found[1] + "%")
	more := int64(0)
	if found[3] != "" && wrong == "" {
		more, wrong = parseWhole(found[3], 0, maxBurst)
	}
	if wrong != "" {
		r.bad(n, "%s", wrong)
		return 1
	}
	if found[2] == "-" {
		more = -more
	}
	total := math.Round(share*float64(max(of.Capacity(), 1))) + float64(more)
	if total < 1 || total > maxBurst {
		r.bad(n, "%s of %d comes to %g requests (from 1 to %d)", text, of.Capacity(), total, maxBurst)
		return 1
	}
	return int(total)
}

// rate reads how fast: "80%" of the documented rate, or "3/s".
func (r *reader) rate(n node, text string, of limiter.Limit) float64 {
	rate, wrong := parseRate(strings.TrimSpace(text), of)
	if wrong == "" && rate > maxRate {
		wrong = fmt.Sprintf("faster than %d requests a second", maxRate)
	}
	if wrong != "" {
		r.bad(n, "%s", wrong)
		return 1
	}
	return rate
}

func parseRate(text string, of limiter.Limit) (float64, string) {
	if strings.HasSuffix(text, "%") {
		share, wrong := parsePercent(text)
		if wrong == "" && of.Reading == limiter.Concurrency {
			return 0, fmt.Sprintf("%s has no rate to take a share of (write 3/s)", of)
		}
		return share * of.Rate(), wrong
	}
	found := absolute.FindStringSubmatch(text)
	if found == nil {
		return 0, fmt.Sprintf("must be a rate, got %q (write 80%%, 3/s or 100/min)", shortened(text))
	}
	if !decimal.MatchString(found[1]) {
		return 0, fmt.Sprintf("must be a number, got %q", shortened(found[1]))
	}
	width, wrong := parseWindow(found[2])
	if wrong != "" {
		return 0, wrong
	}
	count, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		return 0, err.Error()
	}
	return count / width.Seconds(), ""
}

// ramp reads "50% -> 150%".
func (r *reader) ramp(n node, of limiter.Limit) (from, to float64) {
	text, ok := r.text(n)
	if !ok {
		return 0, 0
	}
	a, b, found := strings.Cut(text, "->")
	if !found {
		r.bad(n, "must be two rates, got %q (write 50%% -> 150%%)", shortened(text))
		return 0, 0
	}
	from, to = r.rate(n, a, of), r.rate(n, b, of)
	if from == 0 && to == 0 {
		r.bad(n, "one of the rates must be above 0")
	}
	return from, to
}
