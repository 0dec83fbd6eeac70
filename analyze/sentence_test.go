package analyze

import "testing"

func TestTheSentenceSaysWhatWasJudged(t *testing.T) {
	group := func(name string, all ...Verdict) Group {
		g := Group{Name: name, Outcome: Pass}
		for _, o := range all {
			g.Findings = append(g.Findings, Finding{Outcome: o})
			if o == Fail || o == Inconclusive && g.Outcome == Pass {
				g.Outcome = o
			}
		}
		return g
	}
	for _, c := range []struct {
		outcome Verdict
		groups  []Group
		want    string
	}{
		{Pass, []Group{group("a")}, "1 group, nothing was judged: the scenario asks for no check (verify: false)"},
		{Pass, []Group{group("a", Pass)}, "1 group, 1 check holds: the target keeps its promise"},
		{Pass, []Group{group("a", Pass, Pass), group("b")}, "2 groups, 2 checks hold: the target keeps its promise"},
		{Inconclusive, []Group{group("a", Pass, Inconclusive)}, "nothing fails, but 1 of 2 checks could not be decided (a)"},
		{Fail, []Group{group("a", Fail, Pass), group("b", Fail)}, "2 of 3 checks fail: a and b are not what is documented"},
	} {
		if got := sentence(Findings{Outcome: c.outcome, Groups: c.groups}); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
