package emulator

import (
	"testing"
	"time"
)

func TestARetryAfterIsNeverTooEarly(t *testing.T) {
	now := time.Date(2000, 1, 1, 0, 0, 0, int(250*time.Millisecond), time.FixedZone("", 3600))
	for _, c := range []struct {
		wait          time.Duration
		seconds, date string
	}{
		{1, "1", "Fri, 31 Dec 1999 23:00:01 GMT"},
		{750 * time.Millisecond, "1", "Fri, 31 Dec 1999 23:00:01 GMT"},
		{750*time.Millisecond + 1, "1", "Fri, 31 Dec 1999 23:00:02 GMT"},
		{time.Second, "1", "Fri, 31 Dec 1999 23:00:02 GMT"},
		{time.Second + 1, "2", "Fri, 31 Dec 1999 23:00:02 GMT"},
	} {
		if got := RetryAfterSeconds(c.wait, now); len(got) != 1 || got[0] != c.seconds {
			t.Errorf("%s: %q, want %q", c.wait, got, c.seconds)
		}
		if got := RetryAfterDate(c.wait, now); len(got) != 1 || got[0] != c.date {
			t.Errorf("%s: %q, want %q", c.wait, got, c.date)
		}
	}
}
