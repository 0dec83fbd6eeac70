package analyze

import (
	"strings"
	"testing"

	"duckload/history"
	"duckload/limiter"
)

// seenAgain is a promise whose effects are seen by the identical request.
func seenAgain() limiter.Promise {
	p := tenPerMinute
	p.Admitted = append(p.Admitted, limiter.Statuses{From: 409, To: 409})
	p.Effects = []limiter.Effect{{Again: true, Idempotent: true, Happened: limiter.Sign{JSON: []limiter.Field{{Name: "code", Value: "E4003"}}}}}
	return p
}

// seenAfter is one whose effects are counted by a follow-up.
func seenAfter(idempotent bool) limiter.Promise {
	p := tenPerMinute
	p.Effects = []limiter.Effect{{Count: "times", Idempotent: idempotent}}
	return p
}

// lookStory reads a story in which "look=N" makes a request a look at request
// N, and "resent" one that the transport gave up.
func lookStory(t *testing.T, kind limiter.Look, text string) []history.Observation {
	all := story(t, text)
	for i := range all {
		o := &all[i]
		for k := 0; k < len(o.Evidence); k++ {
			switch f := o.Evidence[k]; f.Name {
			case "look":
				o.Look, o.Of = kind, uint64(f.Value[0]-'0')
			case "is":
				o.Seq = uint64(f.Value[0] - '0')
			case "resent":
				o.Resent, o.Error = true, "resent"
			default:
				continue
			}
			o.Evidence = append(o.Evidence[:k:k], o.Evidence[k+1:]...)
			k--
		}
	}
	return all
}

func TestEffectStories(t *testing.T) {
	const again, after = limiter.LookAgain, limiter.LookAfter
	for _, c := range []struct {
		name    string
		check   Check
		promise limiter.Promise
		look    limiter.Look
		story   string
		want    Verdict
		says    string
	}{
		{"refused and not carried out", effectFree, seenAgain(), again, `
			a 0s 1s 429
			a 9s 10s 201 look=0`, Pass, "none of 1 look"},
		{"refused and carried out", effectFree, seenAgain(), again, `
			a 0s 1s 429
			a 5s 6s 429 look=0
			a 9s 10s 409 json:code=E4003 look=0`, Fail, "1 of 1 look at rejected requests show that they happened all the same"},
		{"it may have been the one without an answer", effectFree, seenAgain(), again, `
			a 0s 1s 429
			a 5s - 0 look=0
			a 9s 10s 409 json:code=E4003 look=0`, Inconclusive, "no look at a rejected request"},
		{"it may have been the attempt that the transport gave up", effectFree, seenAgain(), again, `
			a 0s 1s 429
			a 8s - 0 look=0 is=2 resent=1
			a 9s 10s 409 json:code=E4003 look=0`, Inconclusive, "no look at a rejected request"},
		{"one that came after the answer explains nothing", effectFree, seenAgain(), again, `
			a 0s 1s 429
			a 9s 10s 409 json:code=E4003 look=0
			a 11s - 0 look=0`, Fail, "happened all the same"},
		{"one that was under way explains it", effectFree, seenAgain(), again, `
			a 0s 1s 429
			a 8s 20s 201 look=0
			a 9s 10s 409 json:code=E4003 look=0`, Pass, "none of 1 look"},
		{"values that are not new", effectFree, seenAgain(), again, `
			a 0s 1s 429
			a 2s 3s 409 json:code=E4003
			a 9s 10s 409 json:code=E4003 look=0`, Inconclusive, "the values in them are not new"},
		{"a resend explains what was told the first time", effectFree, seenAgain(), again, `
			a 0s 1s 429
			a 2s - 0 resent=1
			a 3s 4s 409 json:code=E4003 is=1
			a 9s 10s 409 json:code=E4003 look=0`, Fail, "happened all the same"},
		{"nothing rejected", effectFree, seenAgain(), again, `
			a 0s 1s 201
			a 9s 10s 409 json:code=E4003 look=0`, Inconclusive, "reject some"},
		{"looks that were rejected tell nothing", effectFree, seenAgain(), again, `
			a 0s 1s 429
			a 9s 10s 429 look=0`, Inconclusive, "no look at a rejected request"},
		{"counted", effectFree, seenAfter(false), after, `
			a 0s 1s 429
			a 9s 10s 200 json:times=1 look=0`, Fail, "happened all the same"},
		{"counted none", effectFree, seenAfter(false), after, `
			a 0s 1s 429
			a 9s 10s 200 json:times=0 look=0`, Pass, "none of 1 look"},

		{"once", admitOnce, seenAgain(), again, `
			a 0s 1s 201
			a 9s 10s 409 json:code=E4003 look=0`, Pass, "each of 1 look"},
		{"accepted twice", admitOnce, seenAgain(), again, `
			a 0s 1s 201
			a 9s 10s 201 look=0`, Fail, "did not happen exactly once"},
		{"accepted side by side", admitOnce, seenAgain(), again, `
			a 0s 12s 201
			a 9s 10s 201 look=0`, Inconclusive, "no look at an admitted request"},
		{"given up, and accepted when it came again", admitOnce, seenAgain(), again, `
			a 0s - 0
			a 9s 10s 201 look=0
			a 19s 20s 409 json:code=E4003 look=0`, Pass, "each of 1 look"},
		{"given up, and accepted twice when it came again", admitOnce, seenAgain(), again, `
			a 0s - 0
			a 9s 10s 201 look=0
			a 19s 20s 201 look=0`, Fail, "did not happen exactly once"},
		{"counted once", admitOnce, seenAfter(false), after, `
			a 0s 1s 201
			a 9s 10s 200 json:times=1 look=0`, Pass, "each of 1 look"},
		{"counted twice", admitOnce, seenAfter(false), after, `
			a 0s 1s 201
			a 9s 10s 200 json:times=2 look=0`, Fail, "did not happen exactly once"},
		{"counted never", admitOnce, seenAfter(false), after, `
			a 0s 1s 201
			a 9s 10s 200 json:times=0 look=0`, Fail, "did not happen exactly once"},
		{"two attempts may have done it twice", admitOnce, seenAfter(false), after, `
			a 0s - 0 is=2 resent=1
			a 1s 2s 201 is=2
			a 9s 10s 200 json:times=2 look=2`, Pass, "each of 1 look"},
		{"two attempts of what is idempotent may not", admitOnce, seenAfter(true), after, `
			a 0s - 0 is=2 resent=1
			a 1s 2s 201 is=2
			a 9s 10s 200 json:times=2 look=2`, Fail, "did not happen exactly once"},
		{"asked too early", admitOnce, seenAfter(false), after, `
			a 0s 10s 201
			a 9s 11s 200 json:times=0 look=0`, Inconclusive, "no look at an admitted request"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := lookStory(t, c.look, c.story)
			f := judge(t, c.check, caseOf(c.promise, o), o)
			if f.Outcome != c.want || !strings.Contains(f.Message, c.says) {
				t.Errorf("got %s: %s\nwant %s: …%s…", f.Outcome, f.Message, c.want, c.says)
			}
			whole := caseOf(c.promise, o)
			if whole.Whole = false; judge(t, c.check, whole, o).Outcome != Inconclusive {
				t.Error("got a verdict on a record with holes")
			}
		})
	}
}
