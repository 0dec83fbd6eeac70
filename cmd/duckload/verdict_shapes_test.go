package main

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"duckload/history"
	"duckload/limiter"
)

// A shape is a kind of record that costs its own parts of the analysis time or
// memory. Requests come 0.5 ms apart, and are decided by a limiter of each key
// that keeps the promise.
type shape struct {
	name   string
	limits []limiter.Limit
	lanes  int // senders, one source address each
	groups int // with counters of their own; lanes take turns among them
	tell   bool
}

var shapes = []shape{
	{name: "one-key", limits: []limiter.Limit{perSecond(1000, limiter.TokenBucket)}, lanes: 2, groups: 1},
	{name: "many-keys", limits: []limiter.Limit{scoped(perSecond(1, limiter.TokenBucket), limiter.ScopeIP)}, lanes: 1 << 16, groups: 1},
	{name: "groups", limits: []limiter.Limit{perSecond(170, limiter.TokenBucket)}, lanes: 12, groups: 6},
	{name: "window", limits: []limiter.Limit{perSecond(1000, limiter.FixedWindow)}, lanes: 2, groups: 1},
	{name: "log", limits: []limiter.Limit{perSecond(1000, limiter.SlidingLog)}, lanes: 2, groups: 1},
	{name: "limits", limits: []limiter.Limit{perSecond(1000, limiter.TokenBucket), {Limit: 50_000, Window: time.Minute, Burst: 50_000, Scope: limiter.ScopeGlobal, Reading: limiter.TokenBucket}}, lanes: 2, groups: 1, tell: true},
}

// perSecond is a limit for everybody, with as much burst.
func perSecond(n int64, reading limiter.Reading) limiter.Limit {
	l := limiter.Limit{Limit: n, Window: time.Second, Scope: limiter.ScopeGlobal, Reading: reading}
	if reading == limiter.TokenBucket {
		l.Burst = n
	}
	return l
}

func scoped(l limiter.Limit, s limiter.Scope) limiter.Limit {
	l.Scope = s
	return l
}

func (s shape) header() history.Header {
	h := history.Header{
		Run: "bench", Scenario: "bench", Target: "http://127.0.0.1", Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	for i := range s.groups {
		name := fmt.Sprintf("api%d", i)
		h.Groups = append(h.Groups, history.Group{Name: name, Counter: name, Exclusive: true, Fresh: true, Promise: limiter.Promise{
			Limits:   s.limits,
			Reject:   limiter.Rejection{Status: []int{429}, RetryAfter: limiter.RetryAfterRequired, JSON: []limiter.Field{{Name: "error.code", Value: "E4004"}}},
			Admitted: []limiter.Statuses{{From: 200, To: 299}},
		}})
		h.Phases = append(h.Phases, history.Phase{Group: i, Pace: "hold", Label: "hold 2000/s"})
	}
	for i := range s.lanes {
		h.Lanes = append(h.Lanes, history.Lane{Group: i % s.groups, Source: fmt.Sprintf("127.%d.%d.%d", i>>16, i>>8&255, i&255)})
	}
	return h
}

// key says which counter a lane meets.
func (s shape) key(lane int) int {
	if s.limits[0].Scope == limiter.ScopeIP {
		return lane
	}
	return lane % s.groups
}

// write writes a record, with the evidence of a usual API.
func (s shape) write(b *testing.B, dir string, n int) {
	b.Helper()
	header := s.header()
	w, err := history.Create(dir, header)
	if err != nil {
		b.Fatal(err)
	}
	states := map[int]limiter.Limiter{}
	for i := range n {
		at, lane := time.Duration(i)*500*time.Microsecond, i%s.lanes
		d, next := s.state(b, states, s.key(lane)).Take(at)
		states[s.key(lane)] = next
		jitter := time.Duration(uint32(i)*2654435761>>16) * 20 // up to 1.3 ms, the same each time
		o := history.Observation{
			Lane: lane, Phase: lane % s.groups, Seq: uint64(i / s.lanes), Intended: max(0, at-40*time.Microsecond), Sent: max(0, at-10*time.Microsecond-jitter/4),
			Answered: at + 200*time.Microsecond + jitter, Done: at + 250*time.Microsecond + jitter, Status: 200, BytesIn: 40,
			Evidence: limiter.Fields{{Name: "Date", Value: header.Started.Add(at).Format(time.RFC1123)}},
		}
		if s.tell {
			o.Evidence = append(o.Evidence, limiter.Field{Name: "Ratelimit-Policy", Value: `"second";q=1000;w=1, "minute";q=50000;w=60`},
				limiter.Field{Name: "X-Ratelimit-Remaining", Value: strconv.FormatInt(d.Remaining, 10)})
		}
		if !d.OK {
			o.Status = 429
			o.Evidence = append(o.Evidence, limiter.Field{Name: "Retry-After", Value: strconv.FormatInt(int64((d.Wait+time.Second-1)/time.Second), 10)}, limiter.Field{Name: "json:error.code", Value: "E4004"})
		}
		if err := w.Append(o); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(history.End{At: time.Duration(n) * 500 * time.Microsecond, Complete: true, Offered: n}); err != nil {
		b.Fatal(err)
	}
}

// state returns the limiter of a key; a fresh one at first.
func (s shape) state(b *testing.B, states map[int]limiter.Limiter, key int) limiter.Limiter {
	if states[key] == nil {
		var all []limiter.Limiter
		for _, l := range s.limits {
			fresh, err := limiter.ModelOf(l).New(l)
			if err != nil {
				b.Fatal(err)
			}
			all = append(all, fresh)
		}
		states[key] = limiter.Conjunction(all...)
	}
	return states[key]
}
