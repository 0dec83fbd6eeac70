package english

import "testing"

func TestCount(t *testing.T) {
	for _, c := range []struct {
		n     int
		thing string
		want  string
	}{
		{0, "check", "0 checks"},
		{1, "check", "1 check"},
		{2, "retry", "2 retries"},
		{2, "key", "2 keys"},
		{3, "address", "3 addresses"},
		{1, "request was", "1 request was"},
		{3, "request was", "3 requests were"},
		{2, "reply is", "2 replies are"},
		{4, "look looks", "4 looks look"},
		{2, "agent has", "2 agents have"},
	} {
		if got := Count(c.n, c.thing); got != c.want {
			t.Errorf("Count(%d, %q): got %q, want %q", c.n, c.thing, got, c.want)
		}
	}
}

func TestTimesAndLists(t *testing.T) {
	if got := Times(1) + ", " + Times(3); got != "once, 3 times" {
		t.Errorf("got %q", got)
	}
	for want, all := range map[string][]int{"": nil, "1": {1}, "1 or 2": {1, 2}, "1, 2 or 5": {1, 2, 5}} {
		if got := List(all, "or"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
