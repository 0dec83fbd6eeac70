package attack

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"duckload/history"
	"duckload/scenarios"
)

// A rough is a network that delays, loses and sends again as it was drawn.
type rough struct {
	fates []fate
	next  atomic.Int32
}

type fate struct {
	trip   time.Duration
	status int // 0: no answer
	tries  int
}

func (n *rough) RoundTrip(r *http.Request) (*http.Response, error) {
	f := n.fates[int(n.next.Add(1)-1)%len(n.fates)]
	for range f.tries {
		httptrace.ContextClientTrace(r.Context()).GotConn(httptrace.GotConnInfo{})
	}
	if err := pause(r, f.trip); err != nil {
		return nil, err
	}
	if f.status == 0 {
		return nil, errors.New("lost")
	}
	return &http.Response{StatusCode: f.status, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// Whatever the network does, whenever it ends: each request that was sent is
// on record once, and what was not sent is counted.
func TestNothingIsLostAndNothingIsAdded(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		fates := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) fate {
			return fate{
				trip:   time.Duration(rapid.Int64Range(0, int64(3*time.Second)).Draw(rt, "trip")),
				status: rapid.SampledFrom([]int{200, 200, 429, 503, 0}).Draw(rt, "status"),
				tries:  rapid.IntRange(1, 3).Draw(rt, "tries"),
			}
		}), 1, 20).Draw(rt, "fates")
		phases := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) scenarios.Phase {
			p := scenarios.Phase{Pace: rapid.SampledFrom([]string{"burst", "hold", "rest", "lone"}).Draw(rt, "pace"), Lanes: []int{0}}
			p.Count = rapid.IntRange(1, 60).Draw(rt, "count")
			p.Rate = rapid.Float64Range(0.5, 50).Draw(rt, "rate")
			p.For = time.Duration(rapid.Int64Range(1, int64(4*time.Second)).Draw(rt, "for"))
			return p
		}), 1, 5).Draw(rt, "phases")
		budget := rapid.SampledFrom([]int{0, 0, 1, 17, 1000}).Draw(rt, "budget")
		cancelled := time.Duration(rapid.Int64Range(0, int64(30*time.Second)).Draw(rt, "cancelled"))
		plan := pacing(t, "{burst: 1}")
		plan.Tracks[0].Phases = phases
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), cancelled)
			defer cancel()
			network := &rough{fates: fates}
			var all []history.Observation
			o := over(network, &all)
			o.Budget.Requests = budget
			end, err := Run(ctx, plan, o)
			if err != nil {
				t.Fatal(err)
			}
			judge(rt, plan, network, all, end, budget, cancelled)
		})
	})
}

func judge(rt *rapid.T, plan scenarios.Plan, network *rough, all []history.Observation, end history.End, budget int, cancelled time.Duration) {
	last := -1 // number
	sent := 0
	for i, o := range bySeq(all) {
		if o.Resent {
			if o.Answered != history.Never || i+1 == len(all) || all[i+1].Seq != o.Seq {
				rt.Errorf("got %+v, want an attempt without an answer before another of the same request", o)
			}
			continue
		}
		if int(o.Seq) != last+1 {
			rt.Errorf("request %d follows request %d", o.Seq, last)
		}
		last, sent = int(o.Seq), sent+1
		if o.Intended > o.Sent || o.Sent > o.Done || o.Answered < o.Sent || o.Answered != history.Never && o.Answered > o.Done {
			rt.Errorf("got %+v, want intended ≤ sent ≤ answered ≤ done", o)
		}
		if (o.Status == 0) != (o.Answered == history.Never) || (o.Status == 0) != (o.Error != "") {
			rt.Errorf("got %+v, want an error where there is no answer, and nowhere else", o)
		}
	}
	if got := int(network.next.Load()); sent != got {
		rt.Errorf("%d requests on record, %d were sent", sent, got)
	}
	if budget > 0 && sent > budget {
		rt.Errorf("sent %d requests, the budget is %d", sent, budget)
	}
	if end.Complete && (sent != end.Offered || sent != plan.Requests()) {
		rt.Errorf("complete with %d of %d requests", sent, plan.Requests())
	}
	if end.Complete == (end.Reason != "") {
		rt.Errorf("got %+v, want a reason or a complete run", end)
	}
	if end.At > cancelled+time.Second {
		rt.Errorf("ended at %v, want it within a second of %v", end.At, cancelled)
	}
}

func TestAWaitNeverEndsEarly(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := newClock(true)
		ctx := t.Context()
		for range 3 {
			at := c.now() + time.Duration(rapid.Int64Range(-1000, int64(5*time.Millisecond)).Draw(rt, "wait"))
			if !c.until(ctx, at) {
				rt.Fatal("the wait was given up")
			}
			if now := c.now(); now < at {
				rt.Fatalf("the wait for %v ended at %v", at, now)
			}
		}
		over, cancel := context.WithCancel(ctx)
		cancel()
		if c.until(over, c.now()+time.Hour) || c.until(over, 0) {
			rt.Fatal("a wait that was given up says that it was not")
		}
	})
}
