package report

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
)

var variable = regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6})`)

// Every colour of letters and lines can be read on every ground it stands on,
// in light and in dark: WCAG AA asks for a contrast of 4.5.
func TestColoursCanBeRead(t *testing.T) {
	blocks := strings.SplitN(styleSheet, "prefers-color-scheme: dark", 2)
	if len(blocks) != 2 {
		t.Fatal("the style sheet has no dark colours")
	}
	for i, scheme := range []string{"light", "dark"} {
		colours := map[string]string{}
		for _, m := range variable.FindAllStringSubmatch(blocks[i], -1) {
			colours[m[1]] = m[2]
		}
		for ground, letters := range map[string]string{
			"bg":      "fg soft link pass fail open admitted rejected unknown",
			"panel":   "fg soft",
			"pass-bg": "fg soft pass open", "fail-bg": "fg soft fail pass open", "open-bg": "fg soft open pass",
			"band": "fg",
		} {
			for letter := range strings.FieldsSeq(letters) {
				if got := contrast(t, colours[letter], colours[ground]); got < 4.5 {
					t.Errorf("%s: %s on %s: got a contrast of %.2f, want at least 4.5", scheme, letter, ground, got)
				}
			}
		}
	}
}

// contrast is the ratio of WCAG 2.2 between two colours.
func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	var rgb [3]uint8
	if _, err := fmt.Sscanf(colour, "%02x%02x%02x", &rgb[0], &rgb[1], &rgb[2]); err != nil {
		t.Fatalf("colour %q: %v", colour, err)
	}
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		c := float64(rgb[i]) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}
