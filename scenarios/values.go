package scenarios

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

var digits = regexp.MustCompile(`^[0-9]+$`)

// whole returns a whole number from least to most.
func (r *reader) whole(n node, least, most int64) int64 {
	if n.Kind != yaml.ScalarNode {
		r.bad(n, "must be a whole number, got %s", n.kind())
		return least
	}
	v, wrong := parseWhole(n.Value, least, most)
	if wrong != "" {
		r.bad(n, "%s", wrong)
		return least
	}
	return v
}

// parseWhole reads a whole number, or says what is wrong with it.
func parseWhole(text string, least, most int64) (v int64, wrong string) {
	if !digits.MatchString(text) {
		return least, fmt.Sprintf("must be a whole number, got %q", shortened(text))
	}
	if len(text) > 1 && text[0] == '0' {
		return least, fmt.Sprintf("leading zero in %q (some read it as octal; write %s)", shortened(text), orZero(shortened(strings.TrimLeft(text, "0"))))
	}
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil || v < least || v > most {
		return least, fmt.Sprintf("must be from %d to %d, got %s", least, most, shortened(text))
	}
	return v, ""
}

func orZero(text string) string {
	if text == "" {
		return "0"
	}
	return text
}

// maxDuration is the longest duration that a file may name.
const maxDuration = 366 * 24 * time.Hour

// duration returns a duration above 0.
func (r *reader) duration(n node) time.Duration {
	text, ok := r.text(n)
	if !ok {
		return 0
	}
	d, wrong := parseDuration(text)
	if wrong != "" {
		r.bad(n, "%s", wrong)
	}
	return d
}

var zeroLed = regexp.MustCompile(`(^|[a-zµ])0[0-9]`)

// parseDuration reads a duration, or says what is wrong with it.
func parseDuration(text string) (d time.Duration, wrong string) {
	d, err := time.ParseDuration(text)
	switch {
	case err != nil && digits.MatchString(text):
		return 0, fmt.Sprintf("needs a unit, got %q (write %ss, or 250ms, 2m, 1h30m)", shortened(text), shortened(text))
	case err != nil:
		return 0, fmt.Sprintf("must be a duration, got %q (write 250ms, 30s, 2m, 1h30m)", shortened(text))
	case zeroLed.MatchString(text):
		return 0, fmt.Sprintf("leading zero in %q", shortened(text))
	case d <= 0:
		return 0, fmt.Sprintf("must be above 0, got %q", shortened(text))
	case d > maxDuration:
		return 0, fmt.Sprintf("must be at most %d days, got %q", maxDuration/(24*time.Hour), shortened(text))
	}
	return d, ""
}

var decimal = regexp.MustCompile(`^(0|[1-9][0-9]{0,8})(\.[0-9]{1,9})?$`)

// parsePercent reads "80%" as 0.8, or says what is wrong with it.
func parsePercent(text string) (share float64, wrong string) {
	number, ok := strings.CutSuffix(strings.TrimSpace(text), "%")
	if !ok || !decimal.MatchString(number) {
		return 0, fmt.Sprintf("must be a percentage, got %q (write 80%%)", shortened(text))
	}
	share, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return 0, err.Error()
	}
	return share / 100, ""
}
