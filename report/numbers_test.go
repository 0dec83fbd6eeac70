package report

import (
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"duckload/analyze"
	"duckload/history"
)

func TestLengthsReadWell(t *testing.T) {
	for _, c := range []struct {
		d    time.Duration
		want string
	}{
		{0, "0 ns"}, {61300, "61 µs"}, {2100 * time.Microsecond, "2.1 ms"}, {9960 * time.Microsecond, "10 ms"},
		{240 * time.Millisecond, "240 ms"}, {12345 * time.Millisecond, "12.3 s"}, {74212 * time.Millisecond, "1m14s"},
		{2*time.Hour + 5*time.Minute, "2h05m"}, {history.Never, "never"}, {-2 * time.Millisecond, "−2.0 ms"},
	} {
		if got := length(c.d); got != c.want {
			t.Errorf("%d: got %q, want %q", c.d, got, c.want)
		}
	}
}

func TestIntervalsAreRoundedOutwards(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		low, high float64
		want      string
	}{
		{99.98, 100.03, "99.98–100.03"}, {99.981, 100.029, "99.98–100.03"}, {200, 200, "200"}, {4.876, inf, "at least 4.87"},
		{0, inf, "unknown"}, {3.2, 17.9, "3–18"}, {3.801, 6.23, "3.8–6.3"}, {0.0799, 0.0855, "0.079–0.086"}, {math.NaN(), 1, "unknown"},
		{493, 1156789, "at least 493"}, {493.257, 49326, "at least 493.25"}, {493, 49300, "493–49300"}, {0, 12, "at most 12"},
	} {
		if got := span(analyze.Interval{Low: c.low, High: c.high}); got != c.want {
			t.Errorf("%v to %v: got %q, want %q", c.low, c.high, got, c.want)
		}
	}
}

func TestCountsHaveThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -999: "-999"} {
		if got := thousands(n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}

func TestAnyBytesBecomePrintable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := string(rapid.SliceOf(rapid.Byte()).Draw(t, "raw"))
		got := printable(raw)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, unseen) {
			t.Fatalf("%q: got %q, which is not printable", raw, got)
		}
		if again := printable(got); again != got {
			t.Fatalf("%q: got %q the second time, want %q", raw, again, got)
		}
	})
}

func TestALongValueIsCutAndSaysSo(t *testing.T) {
	if got, want := clipped(strings.Repeat("é", 5), 3), "ééé… (4 bytes more)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
