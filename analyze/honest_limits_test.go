package analyze

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"duckload/history"
	"duckload/limiter"
)

// A told limit is what an honest server knows of one of its limits when it
// answers.
type toldLimit struct {
	limiter.Limit
	name  string
	left  int64
	reset time.Duration
}

func (l toldLimit) window() string { return strconv.Itoa(int(l.Window / time.Second)) }

// waysToTell are honest ways to tell of several limits.
var waysToTell = []struct {
	name string
	tell func(all []toldLimit, tightest int, now time.Duration) limiter.Fields
}{
	{"each by its name", func(all []toldLimit, _ int, _ time.Duration) limiter.Fields {
		var items, policies []string
		for _, l := range all {
			items = append(items, fmt.Sprintf(`"%s";r=%d;t=%s`, l.name, l.left, roundUp(l.reset)))
			policies = append(policies, fmt.Sprintf(`"%s";q=%d;w=%s`, l.name, l.Limit.Limit, l.window()))
		}
		return answerFields("Ratelimit", strings.Join(items, ", "), "Ratelimit-Policy", strings.Join(policies, ", "))
	}},
	{"the tightest by its name", func(all []toldLimit, tightest int, _ time.Duration) limiter.Fields {
		l := all[tightest]
		return answerFields("Ratelimit", fmt.Sprintf("%s;r=%d;t=%s", l.name, l.left, roundUp(l.reset)), "Ratelimit-Policy", fmt.Sprintf("%s;q=%d;w=%s", l.name, l.Limit.Limit, l.window()))
	}},
	{"the tightest by its number", func(all []toldLimit, tightest int, now time.Duration) limiter.Fields {
		l, server := all[tightest], epoch.Add(now)
		return answerFields("Date", server.Format(http.TimeFormat), "X-Ratelimit-Limit", strconv.FormatInt(l.Limit.Limit, 10),
			"X-Ratelimit-Remaining", strconv.FormatInt(l.left, 10), "X-Ratelimit-Reset", strconv.FormatInt(server.Add(l.reset+time.Second-1).Unix(), 10))
	}},
	{"the tightest, and not which", func(all []toldLimit, tightest int, _ time.Duration) limiter.Fields {
		return answerFields("X-Ratelimit-Remaining", strconv.FormatInt(all[tightest].left, 10), "X-Ratelimit-Reset", roundUp(all[tightest].reset))
	}},
	{"always the first, and not which", func(all []toldLimit, _ int, _ time.Duration) limiter.Fields {
		return answerFields("X-Ratelimit-Remaining", strconv.FormatInt(all[0].left, 10), "X-Ratelimit-Reset", roundUp(all[0].reset))
	}},
	{"with a quota that nobody documented", func(all []toldLimit, tightest int, _ time.Duration) limiter.Fields {
		l := all[tightest]
		return answerFields("Ratelimit", fmt.Sprintf("limit=%d, remaining=%d, reset=%s", l.Limit.Limit, l.left, roundUp(l.reset)),
			"Ratelimit-Policy", fmt.Sprintf(`%d;w=%s, 123456;w=864000`, l.Limit.Limit, l.window()), "X-Ratelimit-Remaining", strconv.FormatInt(l.left, 10))
	}},
	{"in two fields", func(all []toldLimit, tightest int, _ time.Duration) limiter.Fields {
		l := all[tightest]
		return answerFields("Ratelimit", fmt.Sprintf(`"%s";r=%d`, l.name, l.left), "Ratelimit", `"month";r=4711;t=999999`,
			"Ratelimit-Policy", fmt.Sprintf(`"%s";q=%d;w=%s, "month";q=5000;w=2592000`, l.name, l.Limit.Limit, l.window()))
	}},
}

// Honest headers about several limits never fail, whichever of them they tell
// and however. Where they name it, nothing stays open either.
func TestHonestHeadersOfSeveralLimitsNeverFail(t *testing.T) {
	told := map[string]map[Verdict]int{}
	rapid.Check(t, func(t *rapid.T) {
		s, promise := drawStage(t)
		models := []limiter.Model{s.model, rapid.SampledFrom(immediately()).Draw(t, "second model")}
		promise.Limits = []limiter.Limit{s.limit, {
			Limit: rapid.Int64Range(1, 40).Draw(t, "second limit"), Window: rapid.SampledFrom([]time.Duration{2 * time.Second, 90 * time.Second, time.Hour}).Draw(t, "second window"),
			Burst: rapid.Int64Range(1, 12).Draw(t, "second burst"), Scope: s.limit.Scope, Granularity: s.limit.Granularity, Reading: models[1].Reading,
			RejectsConsume: rapid.IntRange(0, 4).Draw(t, "second consumes") == 0,
		}}
		if r := models[1].Reading; r != limiter.TokenBucket && r != limiter.SteppedBucket {
			promise.Limits[1].Burst = 0
		}
		way := rapid.SampledFrom(waysToTell).Draw(t, "way")
		all := s.playAll(promise.Limits, models, drawMoments(t, s.limit), way.tell)
		c := caseOf(promise, slices.Clone(all))
		c.Header.Groups[0].Exclusive = rapid.Bool().Draw(t, "exclusive")
		c.Header.Groups[0].Fresh = rapid.Bool().Draw(t, "fresh")
		for _, f := range findings(headersTrue, c, all) {
			if f.Outcome != Pass {
				t.Fatalf("%s, %s: %s\n%+v\n%+v", way.name, f.Outcome, f.Message, f.Witness, promise.Limits)
			}
			if told[way.name] == nil {
				told[way.name] = map[Verdict]int{}
			}
			told[way.name][f.Outcome]++
		}
	})
	t.Log(told)
}

// playAll sends requests at some moments to limiters that all must admit.
func (s stage) playAll(limits []limiter.Limit, models []limiter.Model, moments []time.Duration, tell func([]toldLimit, int, time.Duration) limiter.Fields) []history.Observation {
	var queue []sending
	for i, m := range moments {
		queue = append(queue, sending{m, m + s.delay(), s.lane(i)})
	}
	slices.SortStableFunc(queue, func(a, b sending) int { return int(a.decided - b.decided) })
	keys := map[int][]limiter.Limiter{}
	var all []history.Observation
	for _, q := range queue {
		k := s.key(q.lane)
		if keys[k] == nil {
			for i, m := range models {
				fresh, err := m.New(limits[i])
				if err != nil {
					panic(err)
				}
				keys[k] = append(keys[k], fresh)
			}
		}
		now := time.Duration(float64(q.decided) * (1 + s.drift))
		if s.tick > 0 {
			now = now.Truncate(s.tick)
		}
		var known []toldLimit
		d, tightest, after := limiter.TakeAll(now, keys[k])
		for i, l := range keys[k] {
			own, _ := l.Take(now)
			left := own.Remaining
			if own.OK && !d.OK && !limits[i].RejectsConsume {
				left++ // it keeps what it would have given
			}
			known = append(known, toldLimit{limits[i], fmt.Sprintf("limit%d", i), left, own.Reset})
		}
		keys[k] = after
		o := history.Observation{Lane: q.lane, Seq: uint64(len(all)), Intended: q.sent, Sent: q.sent, Answered: q.decided + s.delay(), Status: 200}
		if !d.OK {
			o.Status = 429
		}
		o.Evidence = tell(known, tightest, now)
		o.Done = o.Answered
		if s.lost() {
			o.Status, o.Answered, o.Evidence, o.Error = 0, history.Never, nil, "timeout"
		}
		all = append(all, o)
	}
	slices.SortStableFunc(all, func(a, b history.Observation) int { return int(a.Done - b.Done) })
	return all
}
