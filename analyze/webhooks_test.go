package analyze

import (
	"strings"
	"testing"
	"time"

	"duckload/history"
	"duckload/limiter"
)

// eventsOf reads deliveries, one a line: when it came, of which request, its
// id, and the status by which it was taken.
func eventsOf(t *testing.T, text string) []history.Event {
	t.Helper()
	var all []history.Event
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		e := history.Event{Kind: "made", At: duration(t, words[0]), Seq: uint64(words[1][0] - '0'), Matched: true, Answered: 200}
		for _, w := range words[2:] {
			switch w {
			case "503":
				e.Answered = 503
			case "forged":
				e.Wrong = "signature"
			default:
				e.ID = w
			}
		}
		all = append(all, e)
	}
	return all
}

func checkNamed(t *testing.T, id string) Check {
	t.Helper()
	for _, c := range Checks {
		if c.ID == id {
			return c
		}
	}
	t.Fatalf("no check is called %s", id)
	return Check{}
}

func TestWebhookStories(t *testing.T) {
	const two = `
		a 0s 1s 201
		a 2s 3s 201`
	for _, c := range []struct {
		name, check, story, events string
		want                       Verdict
		says                       string
	}{
		{"in time", "webhook.delivered", two, "2s 0 x\n4s 1 y", Pass, "every event of 2 admitted requests came within 5s; after the answer: p50 1.0 s"},
		{"before the answer", "webhook.delivered", two, "500ms 0 x\n4s 1 y", Pass, "every event"},
		{"lost", "webhook.delivered", two, "2s 0 x", Fail, "of the events of 2 admitted requests, 1 were lost and 0 came later than 5s"},
		{"late", "webhook.delivered", two, "2s 0 x\n9500ms 1 y", Fail, "0 were lost and 1 came later than 5s"},
		{"late, as this machine was", "webhook.delivered", two, "2s 0 x\n8500ms 1 y", Inconclusive, "this machine was too busy"},
		{"nobody listened long enough", "webhook.delivered", two + "\na 18s 19s 201", "2s 0 x\n4s 1 y", Inconclusive, "the events of 1 admitted request were not seen"},
		{"refused, but tried", "webhook.delivered", two, "2s 0 x 503\n4s 1 y", Pass, "every event"},
		{"not signed is not delivered", "webhook.delivered", two, "2s 0 x forged\n4s 1 y", Fail, "1 were lost"},
		{"none expected", "webhook.delivered", "a 0s 1s 429", "", Inconclusive, "no admitted request"},

		{"once", "webhook.once", two, "2s 0 x\n4s 1 y", Pass, "each of 2 events"},
		{"again after it was refused", "webhook.once", two, "2s 0 x 503\n3s 0 x\n4s 1 y", Pass, "each of 2 events"},
		{"again", "webhook.once", two, "2s 0 x\n3s 0 x\n4s 1 y", Fail, "1 delivery came again"},
		{"without ids, as often as it may have happened", "webhook.once", "a 0s - 0", "2s 0", Pass, "each of 1 event"},

		{"in order", "webhook.ordered", two, "2s 0 x\n4s 1 y", Pass, "each of 1 event"},
		{"out of order", "webhook.ordered", two, "4s 1 y\n5s 0 x", Fail, "1 of 1 event came before"},
		{"side by side there is no order", "webhook.ordered", "a 0s 3s 201\na 2s 4s 201", "4s 1 y\n5s 0 x", Inconclusive, "no two requests"},
		{"what was refused may be late", "webhook.ordered", two, "3s 0 x 503\n4s 1 y\n5s 0 x", Inconclusive, "no two requests"},

		{"retried", "webhook.retried", two, "2s 0 x 503\n3s 0 x\n4s 1 y", Pass, "each of 1 event"},
		{"not retried", "webhook.retried", two, "2s 0 x 503\n4s 1 y", Fail, "1 of 1 event that were refused"},
		{"refused too late to tell", "webhook.retried", two, "18s 0 x 503", Inconclusive, "listen for longer"},

		{"signed", "webhook.signed", two, "2s 0 x", Pass, "each of 1 deliveries"},
		{"not signed", "webhook.signed", two, "2s 0 x\n4s 1 y forged", Fail, "1 of 2 deliveries"},

		{"none for rejected", "reject.effect_free", "a 0s 1s 429", "", Pass, "none of 1 look"},
		{"one for rejected", "reject.effect_free", "a 0s 1s 429", "2s 0 x", Fail, "happened all the same"},
		{"one for what got no answer", "reject.effect_free", "a 0s - 0", "2s 0 x", Inconclusive, "no look"},
		{"two for admitted", "admit.once", "a 0s 1s 201", "2s 0 x\n3s 0 y", Fail, "did not happen exactly once"},
		{"one for admitted, twice", "admit.once", "a 0s 1s 201", "2s 0 x\n3s 0 x", Pass, "each of 1 look"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := tenPerMinute
			p.Webhooks = []limiter.Webhook{{Event: "made", Within: 5 * time.Second, Ordered: true, Signed: true, Refused: true, Named: !strings.HasPrefix(c.name, "without ids")}}
			o := story(t, c.story)
			kase := caseOf(p, o)
			kase.Events, kase.Listened, kase.Blind = eventsOf(t, c.events), 20*time.Second, time.Second
			f := judge(t, checkNamed(t, c.check), kase, o)
			if f.Outcome != c.want || !strings.Contains(f.Message, c.says) {
				t.Errorf("got %s: %s\nwant %s: …%s…", f.Outcome, f.Message, c.want, c.says)
			}
			deaf := caseOf(p, o)
			deaf.Events = kase.Events
			if f := judge(t, checkNamed(t, c.check), deaf, o); strings.HasPrefix(c.check, "webhook.") && f.Outcome != Inconclusive {
				t.Errorf("got %s where nobody listened: %s", f.Outcome, f.Message)
			}
		})
	}
}
