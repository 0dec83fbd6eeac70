package analyze

import (
	"cmp"
	"container/heap"
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

// A stage is a limiter whose truth is known, and a sender that obeys it now
// and then, with everything between them that blurs what is seen.
type stage struct {
	limit limiter.Limit
	model limiter.Model
	drift float64       // the limiter's clock runs at 1 + drift
	tick  time.Duration // and in steps of this
	date  bool          // Retry-After as a date
	say   func(time.Duration) string
	tell  func(limiter.Decision, time.Duration) limiter.Fields
	lane  func(int) int
	key   func(lane int) int
	delay func() time.Duration // each way
	lost  func() bool          // the answer, or the request
	obeys func() bool          // will a rejected request be tried again as told?
}

// A sending is a request on its way to the limiter.
type sending struct {
	sent, decided time.Duration
	lane          int
}

type sendings []sending

func (s sendings) Len() int           { return len(s) }
func (s sendings) Less(i, j int) bool { return s[i].decided < s[j].decided }
func (s sendings) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }
func (s *sendings) Push(x any)        { *s = append(*s, x.(sending)) }
func (s *sendings) Pop() any {
	last := (*s)[len(*s)-1]
	*s = (*s)[:len(*s)-1]
	return last
}

// epoch is the server's wall clock at moment 0; not on a whole second.
var epoch = time.Date(2026, 11, 24, 10, 0, 0, 371e6, time.UTC)

// play sends requests at some moments, and retries beside them, at most so many.
func (s stage) play(moments []time.Duration, most int) []history.Observation {
	var queue sendings
	for i, m := range moments {
		heap.Push(&queue, sending{m, m + s.delay(), s.lane(i)})
	}
	keys := map[int]limiter.Limiter{}
	var all []history.Observation
	for len(queue) > 0 && len(all) < most {
		q := heap.Pop(&queue).(sending)
		k := s.key(q.lane)
		if keys[k] == nil {
			keys[k], _ = s.model.New(s.limit)
		}
		now := time.Duration(float64(q.decided) * (1 + s.drift))
		if s.tick > 0 {
			now = now.Truncate(s.tick)
		}
		var d limiter.Decision
		d, keys[k] = keys[k].Take(now)
		o := history.Observation{Lane: q.lane, Seq: uint64(len(all)), Intended: q.sent, Sent: q.sent, Status: 200}
		o.Answered = q.decided + s.delay()
		if s.tell != nil {
			o.Evidence = s.tell(d, now)
		}
		if !d.OK {
			o.Status = 429
			o.Evidence = append(o.Evidence, s.told(now, d.Wait)...)
			if wait, ok := parseRetryAfter(o.Evidence).wait().due(); ok && s.obeys() {
				again := o.Answered + time.Duration(float64(wait)*(1+clockDrift)) + s.limit.Clock() + s.delay()/4
				heap.Push(&queue, sending{again, again + s.delay(), q.lane})
			}
		}
		o.Done = o.Answered
		if s.lost() {
			o.Status, o.Answered, o.Evidence, o.Error = 0, history.Never, nil, "timeout"
		}
		all = append(all, o)
	}
	// Requests that are still on their way may have been decided, or not.
	for _, q := range queue {
		if all != nil && q.sent <= all[len(all)-1].Sent {
			all = append(all, history.Observation{Lane: q.lane, Sent: q.sent, Answered: history.Never, Error: canceled})
		}
	}
	slices.SortStableFunc(all, func(a, b history.Observation) int { return cmp.Compare(a.Done, b.Done) })
	return all
}

func (s stage) told(now, wait time.Duration) limiter.Fields {
	if !s.date {
		return answerFields("Retry-After", s.say(wait))
	}
	at := epoch.Add(now + wait)
	if up := at.Truncate(time.Second); up.Before(at) {
		at = up.Add(time.Second)
	}
	return answerFields("Date", epoch.Add(now).Format(http.TimeFormat), "Retry-After", at.Format(http.TimeFormat))
}

func roundUp(d time.Duration) string { return strconv.Itoa(int((d + time.Second - 1) / time.Second)) }

// immediately are the models that answer at once and forget a request then.
func immediately() []limiter.Model {
	return slices.DeleteFunc(slices.Clone(limiter.Models), func(m limiter.Model) bool { return isHeld(limiter.Limit{Reading: m.Reading}) })
}

// drawStage draws a limiter and a network.
func drawStage(t *rapid.T) (stage, limiter.Promise) {
	s := stage{model: rapid.SampledFrom(immediately()).Draw(t, "model"), say: roundUp}
	s.limit = limiter.Limit{
		Limit:       rapid.Int64Range(1, 12).Draw(t, "limit"),
		Window:      rapid.SampledFrom([]time.Duration{time.Second, 7 * time.Second, time.Minute}).Draw(t, "window"),
		Reading:     s.model.Reading,
		Scope:       rapid.SampledFrom([]limiter.Scope{limiter.ScopeUnknown, limiter.ScopeGlobal, limiter.ScopeIP, limiter.ScopeKey}).Draw(t, "scope"),
		Granularity: rapid.SampledFrom([]time.Duration{0, time.Microsecond, time.Second}).Draw(t, "granularity"),
	}
	s.limit.RejectsConsume = rapid.IntRange(0, 4).Draw(t, "consume") == 0
	if s.limit.Reading == limiter.TokenBucket || s.limit.Reading == limiter.SteppedBucket {
		s.limit.Burst = rapid.Int64Range(1, 12).Draw(t, "burst")
	}
	s.tick = rapid.SampledFrom([]time.Duration{0, 1, s.limit.Clock()}).Draw(t, "tick")
	s.drift = rapid.SampledFrom([]float64{-clockDrift, 0, clockDrift}).Draw(t, "drift") * 0.999
	s.date = rapid.Bool().Draw(t, "date")
	slow := rapid.SampledFrom([]int{1, 1, 50, 3000}).Draw(t, "slow")
	s.delay = func() time.Duration {
		d := time.Duration(rapid.IntRange(0, 20_000).Draw(t, "delay")) * time.Microsecond
		if rapid.IntRange(0, 15).Draw(t, "spike") == 0 {
			d *= time.Duration(slow)
		}
		return d
	}
	loss := rapid.SampledFrom([]int{0, 0, 40}).Draw(t, "loss")
	s.lost = func() bool { return loss > 0 && rapid.IntRange(0, loss).Draw(t, "lost") == 0 }
	s.obeys = func() bool { return rapid.IntRange(0, 2).Draw(t, "obeys") > 0 }
	s.lane = func(int) int { return rapid.IntRange(0, 1).Draw(t, "lane") }
	scope := s.limit.Scope
	if scope == limiter.ScopeUnknown {
		scope = rapid.SampledFrom([]limiter.Scope{limiter.ScopeGlobal, limiter.ScopeIP}).Draw(t, "truth")
	}
	s.key = func(lane int) int {
		if scope == limiter.ScopeGlobal {
			return 0
		}
		return lane
	}
	promise := tenPerMinute
	promise.Limits = []limiter.Limit{s.limit}
	if s.limit.Reading != limiter.TokenBucket && rapid.IntRange(0, 3).Draw(t, "open") == 0 && s.limit.Burst == 0 {
		promise.Limits = []limiter.Limit{s.limit}
		promise.Limits[0].Reading = limiter.Open
	}
	return s, promise
}

func drawMoments(t *rapid.T, limit limiter.Limit) []time.Duration {
	n := rapid.IntRange(1, 40).Draw(t, "n")
	gaps := []time.Duration{0, 0, 0, time.Millisecond, limit.Interval() / 3, limit.Interval(), limit.Window / 2, limit.Window}
	var at time.Duration
	var all []time.Duration
	for range n {
		at += rapid.SampledFrom(gaps).Draw(t, "gap")
		all = append(all, at)
	}
	return all
}

// No delay, reordering, loss, clock or neighbour makes an honest Retry-After
// fail.
func TestHonestRetryAfterNeverFails(t *testing.T) {
	seen := map[string]map[Verdict]int{}
	rapid.Check(t, func(t *rapid.T) {
		s, promise := drawStage(t)
		all := s.play(drawMoments(t, s.limit), 80)
		c := caseOf(promise, slices.Clone(all))
		for _, check := range []Check{rejectStatus, retryAfterPresent, retryAfterWellFormed, retryAfterSufficient, retryAfterTight} {
			for _, f := range findings(check, c, all) {
				if f.Outcome == Fail {
					t.Fatalf("%s fails: %s\n%s\n%+v", check.ID, f.Message, f.Witness.Sentence, f.Witness.Requests)
				}
				if seen[check.ID] == nil {
					seen[check.ID] = map[Verdict]int{}
				}
				seen[check.ID][f.Outcome]++
			}
		}
	})
	for _, id := range []string{"retry_after.sufficient", "retry_after.tight"} {
		if seen[id][Pass] == 0 || seen[id][Inconclusive] == 0 {
			t.Errorf("%s: got %v, want some histories that decide it and some that do not", id, seen[id])
		}
	}
	t.Log(seen)
}

// findings runs one check over a case, as a run does.
func findings(check Check, c *Case, all []history.Observation) []Finding {
	var f []Finding
	if check.Watch != nil {
		var l latencies
		c.service = &l.service
		w := check.Watch(c)
		for i := range all {
			w.Observe(&all[i], outcomeOf(c.Promise, all[i]))
			l.Observe(&all[i], outcomeOf(c.Promise, all[i]))
		}
		f = append(f, w.Findings()...)
	}
	if check.Judge != nil {
		f = append(f, check.Judge(c)...)
	}
	return f
}

// tellers are honest ways to tell what is left and when there is more.
func (s stage) tellers() []func(limiter.Decision, time.Duration) limiter.Fields {
	window := strconv.Itoa(int(s.limit.Window / time.Second))
	limit, capacity := strconv.FormatInt(s.limit.Limit, 10), strconv.FormatInt(s.limit.Capacity(), 10)
	left := func(d limiter.Decision) string { return strconv.FormatInt(d.Remaining, 10) }
	return []func(limiter.Decision, time.Duration) limiter.Fields{
		func(d limiter.Decision, _ time.Duration) limiter.Fields {
			return answerFields("X-Ratelimit-Limit", capacity, "X-Ratelimit-Remaining", left(d), "X-Ratelimit-Reset", roundUp(d.Reset))
		},
		func(d limiter.Decision, _ time.Duration) limiter.Fields { // until the next one, rounded down
			return answerFields("X-Ratelimit-Limit", limit, "X-Ratelimit-Remaining", left(d), "X-Ratelimit-Reset", strconv.Itoa(int(d.Wait/time.Second)))
		},
		func(d limiter.Decision, now time.Duration) limiter.Fields { // since 1970
			server := epoch.Add(now)
			return answerFields("Date", server.Format(http.TimeFormat), "X-Ratelimit-Remaining", left(d), "X-Ratelimit-Reset", strconv.FormatInt(server.Add(d.Wait).Unix(), 10))
		},
		func(d limiter.Decision, _ time.Duration) limiter.Fields {
			return answerFields("Ratelimit", `"default";r=`+left(d)+`;t=1`, "Ratelimit-Policy", `"default";q=`+limit+`;w=`+window)
		},
		func(d limiter.Decision, _ time.Duration) limiter.Fields {
			return answerFields("Ratelimit", "limit="+limit+", remaining="+left(d)+", reset="+roundUp(d.Reset), "Ratelimit-Policy", limit+";w="+window)
		},
		func(d limiter.Decision, _ time.Duration) limiter.Fields {
			return answerFields("Ratelimit-Limit", limit+", "+limit+";w="+window, "Ratelimit-Remaining", left(d), "Ratelimit-Reset", roundUp(d.Reset))
		},
		func(d limiter.Decision, _ time.Duration) limiter.Fields { // counted before it is subtracted
			n := d.Remaining
			if d.OK {
				n++
			}
			return answerFields("Ratelimit", "default;r="+strconv.FormatInt(n, 10), "Ratelimit-Policy", "default;l="+limit+";w="+window)
		},
	}
}

// Nothing makes honest headers fail either.
func TestHonestHeadersNeverFail(t *testing.T) {
	judged := 0
	rapid.Check(t, func(t *rapid.T) {
		s, promise := drawStage(t)
		s.tell = rapid.SampledFrom(s.tellers()).Draw(t, "tell")
		all := s.play(drawMoments(t, s.limit), 80)
		c := caseOf(promise, slices.Clone(all))
		c.Header.Groups[0].Exclusive = rapid.Bool().Draw(t, "exclusive")
		c.Header.Groups[0].Fresh = rapid.Bool().Draw(t, "fresh")
		for _, f := range findings(headersTrue, c, all) {
			judged++
			if f.Outcome != Pass {
				t.Fatalf("%s: %s\n%+v", f.Outcome, f.Message, f.Witness)
			}
		}
	})
	if judged == 0 {
		t.Error("got no history with headers, want some")
	}
}

// A client that provokes rejections at the fractional waits 0.25 and 0.75 and
// obeys each finds every dishonest Retry-After, whatever the network does.
func TestEveryDishonestRetryAfterIsFound(t *testing.T) {
	for _, lie := range []struct {
		name  string
		check Check
		say   func(time.Duration) string
		looks []string // one of them is in the message
	}{
		{"rounded down", retryAfterSufficient, func(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }, []string{"rounded down"}},
		{"rounded to the nearest", retryAfterSufficient, func(d time.Duration) string { return strconv.Itoa(int((d + time.Second/2) / time.Second)) }, []string{"nearest second"}},
		{"always 0", retryAfterSufficient, func(time.Duration) string { return "0" }, []string{"constant: always 0"}},
		{"always 1", retryAfterSufficient, func(time.Duration) string { return "1" }, []string{"constant: always 1"}},
		{"always 60", retryAfterTight, func(time.Duration) string { return "60" }, []string{"constant: always 60"}},
		{"always 6", retryAfterTight, func(time.Duration) string { return "6" }, []string{"constant: always 6"}},
		{"two seconds late", retryAfterTight, func(d time.Duration) string { return roundUp(d + 2*time.Second) }, []string{"longer than needed", "never asks for more"}},
		{"milliseconds", retryAfterWellFormed, func(d time.Duration) string { return strconv.Itoa(int(d / time.Millisecond)) }, []string{"milliseconds, it seems"}},
		{"milliseconds, by their sense", retryAfterTight, func(d time.Duration) string { return strconv.Itoa(int(d / time.Millisecond)) }, []string{"fit milliseconds"}},
		{"fractional", retryAfterWellFormed, func(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) }, []string{"fractional"}},
		{"negative", retryAfterWellFormed, func(d time.Duration) string { return "-" + roundUp(d) }, []string{"negative"}},
		{"seconds since 1970", retryAfterWellFormed, func(d time.Duration) string { return strconv.FormatInt(epoch.Add(d).Unix(), 10) }, []string{"seconds since 1970"}},
	} {
		t.Run(lie.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				delay := func() time.Duration {
					return time.Duration(rapid.IntRange(0, 15_000).Draw(t, "delay")) * time.Microsecond
				}
				s := stage{limit: tenPerMinute.Limits[0], model: limiter.Models[0], say: lie.say, delay: delay}
				s.lost, s.obeys = func() bool { return false }, func() bool { return true }
				s.lane, s.key = func(int) int { return 0 }, func(int) int { return 0 }
				moments := make([]time.Duration, 5) // the burst; then tokens come at 6 s, 12 s, 18 s
				for _, wait := range []time.Duration{4250, 5750, 2500} {
					token := 6 * time.Second * time.Duration(len(moments)-4)
					moments = append(moments, token-wait*time.Millisecond)
				}
				// Beside the client that obeys, one that asks just after each token,
				// so that needless waits show; it leaves alone what it must not disturb.
				if lie.check.ID == retryAfterTight.ID {
					moments = append(moments, 6100*time.Millisecond, 12150*time.Millisecond, 18200*time.Millisecond)
					s.obeys = func() bool { return false }
				}
				slices.Sort(moments)
				all := s.play(moments, 60)
				f := findings(lie.check, caseOf(tenPerMinute, slices.Clone(all)), all)[0]
				if f.Outcome != Fail || !slices.ContainsFunc(lie.looks, func(s string) bool { return strings.Contains(f.Message, s) }) {
					t.Fatalf("got %s: %s\nwant a failure that says one of %q\n%v", f.Outcome, f.Message, lie.looks, all)
				}
			})
		})
	}
}
