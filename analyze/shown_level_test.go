package analyze

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"duckload/history"
	"duckload/limiter"
)

// A watched bucket is a real one of any burst and rate, asked at drawn moments,
// with its level on record.
type watchedBucket struct {
	documented, real limiter.Limit
	fresh            bool
	all              []history.Observation
	decided          []time.Duration // of those that were admitted, in order
	began            float64         // level at moment 0
}

func drawWatched(t *rapid.T) watchedBucket {
	b := watchedBucket{fresh: rapid.Bool().Draw(t, "fresh")}
	b.documented = limiter.Limit{
		Limit: rapid.Int64Range(1, 600).Draw(t, "limit"), Window: time.Minute,
		Burst: rapid.Int64Range(1, 20).Draw(t, "burst"), Scope: limiter.ScopeGlobal, Reading: limiter.TokenBucket,
	}
	b.real = b.documented
	if rapid.Bool().Draw(t, "lies") {
		b.real.Burst += rapid.Int64Range(-1, 3).Draw(t, "more")
		b.real.Burst = max(b.real.Burst, 1)
	}
	level := float64(b.real.Burst)
	if !b.fresh {
		level *= rapid.Float64Range(0, 1).Draw(t, "began")
	}
	b.began = level
	type ask struct{ sent, decided, answered time.Duration }
	var asks []ask
	at := time.Duration(0)
	for range rapid.IntRange(1, 60).Draw(t, "requests") {
		at += time.Duration(rapid.Int64Range(1, int64(3*time.Second)).Draw(t, "gap") / rapid.Int64Range(1, 1000).Draw(t, "hurry"))
		way := func(name string) time.Duration { return time.Duration(rapid.Int64Range(1, 300e6).Draw(t, name)) }
		there := way("there")
		asks = append(asks, ask{at, at + there, at + there + way("back")})
	}
	slices.SortFunc(asks, func(a, b ask) int { return int(a.decided - b.decided) })
	last := time.Duration(0)
	for i, a := range asks {
		level = min(float64(b.real.Burst), level+b.real.Rate()*(a.decided-last).Seconds())
		last = a.decided
		o := history.Observation{Seq: uint64(i), Intended: a.sent, Sent: a.sent, Answered: a.answered, Done: a.answered, Status: 429}
		if level >= 1 {
			level--
			o.Status = 200
			b.decided = append(b.decided, a.decided)
		}
		switch rapid.IntRange(0, 20).Draw(t, "loss") {
		case 0:
			o.Status, o.Answered, o.Error = 0, history.Never, "timeout"
		}
		b.all = append(b.all, o)
	}
	return b
}

// at is the level that the documented bucket would have at a moment, given what
// was admitted.
func (b watchedBucket) at(d time.Duration) float64 {
	level, last := b.began, time.Duration(0)
	for _, t := range b.decided {
		if t > d {
			break
		}
		level = min(float64(b.documented.Burst), level+b.documented.Rate()*(t-last).Seconds()) - 1
		last = t
	}
	return min(float64(b.documented.Burst), level+b.documented.Rate()*(d-last).Seconds())
}

func (b watchedBucket) judged(t interface{ Fatal(...any) }) Group {
	promise := limiter.Promise{
		Limits: []limiter.Limit{b.documented}, Reject: limiter.Rejection{Status: []int{429}},
		Admitted: []limiter.Statuses{{From: 200, To: 299}},
	}
	header := history.Header{
		Groups: []history.Group{{Name: "g", Counter: "g", Promise: promise, Exclusive: true, Fresh: b.fresh}},
		Lanes:  []history.Lane{{Identity: "a"}}, Phases: []history.Phase{{}},
	}
	f, err := Judge(history.Of(header, b.all, &history.End{At: time.Hour, Complete: true, Offered: len(b.all)}))
	if err != nil {
		t.Fatal(err)
	}
	return f.Groups[0]
}

// Whatever the network does, the level that the documented bucket would really
// have lies in the band, and the band goes below nothing exactly where
// limit.ceiling has a proof.
func TestTheLevelLiesInItsBand(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := drawWatched(t)
		g := b.judged(t)
		if len(g.Shown.Levels) != 1 {
			t.Fatalf("got %d levels, want 1", len(g.Shown.Levels))
		}
		level := g.Shown.Levels[0]
		last := time.Duration(0)
		for _, p := range level.Points {
			if p.At < last {
				t.Fatalf("%s comes after %s", p.At, last)
			}
			last = p.At
			if got := b.at(p.At); got > p.Most+slack || (!b.fresh || b.began >= float64(b.documented.Burst)) && max(got, 0) < p.Least-slack {
				t.Fatalf("at %s: the level is %.4f, outside of %.4f to %.4f", p.At, got, p.Least, p.Most)
			}
		}
		for _, f := range g.Findings {
			if f.Check == "limit.ceiling" && (f.Outcome == Fail) != (level.Impossible != nil) {
				t.Fatalf("limit.ceiling ends as %s, and the first impossible admission is %v: %s", f.Outcome, level.Impossible, f.Message)
			}
		}
	})
}

// A level is for drawing: it is small however long the run is, and still shows
// the deepest points.
func TestALevelIsSmall(t *testing.T) {
	b := watchedBucket{fresh: true, documented: limiter.Limit{Limit: 600, Window: time.Minute, Burst: 5, Scope: limiter.ScopeGlobal, Reading: limiter.TokenBucket}}
	for i := range 20_000 {
		at := time.Duration(i) * 50 * time.Millisecond
		o := history.Observation{Seq: uint64(i), Intended: at, Sent: at, Answered: at + 5*time.Millisecond, Done: at + 5*time.Millisecond, Status: 200 + 229*(i%2)}
		o.Evidence = limiter.Fields{{Name: "X-RateLimit-Remaining", Value: "3"}}
		b.all = append(b.all, o)
	}
	for i := range 7 { // seven at once, where five may be
		at := 500*time.Second + time.Duration(i)*time.Millisecond
		b.all = append(b.all, history.Observation{Seq: uint64(20_000 + i), Intended: at, Sent: at, Answered: at + 5*time.Millisecond, Done: at + 5*time.Millisecond, Status: 200})
	}
	level := b.judged(t).Shown.Levels[0]
	if len(level.Points) > mostLevelPoints || len(level.Points) < levelBins {
		t.Errorf("got %d points, want %d to %d", len(level.Points), levelBins, mostLevelPoints)
	}
	if len(level.Told) == 0 || len(level.Told) > levelBins+2 || level.Told[0].Left != 3 {
		t.Errorf("got %d told levels, want one for each stretch, each of 3", len(level.Told))
	}
	deepest := math.Inf(1)
	for _, p := range level.Points {
		deepest = min(deepest, p.Most)
	}
	if level.Impossible == nil || deepest > -0.5 {
		t.Errorf("got %v as the first impossible admission and a deepest of %.2f, want one and at least 1 below nothing", level.Impossible, deepest)
	}
}

// What left the window of a log is given back.
func TestTheLevelOfALog(t *testing.T) {
	b := watchedBucket{fresh: true, documented: limiter.Limit{Limit: 3, Window: 10 * time.Second, Scope: limiter.ScopeGlobal, Reading: limiter.SlidingLog}}
	for i, at := range []time.Duration{0, time.Second, 2 * time.Second, 3 * time.Second, 11 * time.Second, 15 * time.Second} {
		o := history.Observation{Seq: uint64(i), Intended: at, Sent: at, Answered: at + 1e6, Done: at + 1e6, Status: 200}
		if i == 3 {
			o.Status = 429
		}
		b.all = append(b.all, o)
	}
	level := b.judged(t).Shown.Levels[0]
	if level.Impossible != nil {
		t.Errorf("got an impossible admission at %v, want none", level.Impossible)
	}
	for at, want := range map[time.Duration]float64{1500 * time.Millisecond: 1, 5 * time.Second: 0, 14 * time.Second: 2} {
		i := slices.IndexFunc(level.Points, func(p LevelPoint) bool { return p.At >= at })
		if p := level.Points[i]; p.Least != want || p.Most != want {
			t.Errorf("at %s: got %v, want %v", at, p, want)
		}
	}
}

// One answer that comes hours after the last request was sent makes no more
// points than any other.
func TestLevelsAreBoundedHoweverLateAnAnswerIs(t *testing.T) {
	o := story(t, burst)
	o[0].Answered = 40 * time.Hour
	o[0].Done = o[0].Answered
	for _, reading := range []limiter.Reading{limiter.TokenBucket, limiter.SlidingLog} {
		p := tenPerMinute
		p.Limits = []limiter.Limit{{Limit: 10, Window: time.Minute, Burst: 5, Reading: reading}}
		k := caseOf(p, o)
		level, ok := k.level(0, 0)
		if !ok || len(level.Points) > mostLevelPoints {
			t.Errorf("%s: got %d points (%t), want from 1 to %d", reading, len(level.Points), ok, mostLevelPoints)
		}
	}
}
