package analyze_test

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"duckload/analyze"
	"duckload/limiter"
)

// A server enforces limits whose truth is known.
type server struct {
	limits []limiter.Limit // what is enforced
	models []limiter.Model // by what, in the same order
	scopes []limiter.Scope // for whom; unknown: for each pair of identity and address
	clock  serverClock
	states map[string]limiter.Limiter // by limit and key

	// hidden is how many requests a key made before the run, at most; the last
	// of them just before moment 0. A key that is fresh made none.
	hidden int
	seed   uint64
	others *rand.Rand // says when somebody else uses the key just before; nil: never

	say  func(d limiter.Decision, now time.Duration) limiter.Fields // Retry-After
	tell func(d limiter.Decision, now time.Duration) limiter.Fields // other headers; nil: none
}

// A serverClock reads what a server takes for the time.
type serverClock struct {
	origin time.Duration // the reading at moment 0
	slow   bool          // by one part in 2000: the bound of assumption A2
	fast   bool
	turns  time.Duration // if not 0: slow and fast change places every so often
	tick   time.Duration // step of the clock; 0: none
	jump   time.Duration // it jumps to and fro by this
	jumps  time.Duration // every so often
}

// at is a reading: at most tick + jump away from a clock that keeps to the
// bound.
func (c serverClock) at(d time.Duration) time.Duration {
	now := c.origin + d
	switch {
	case c.turns > 0:
		// A triangle of drift: forwards for a while, backwards for a while.
		phase := d % (2 * c.turns)
		now += min(phase, 2*c.turns-phase) / 2000
	case c.fast:
		now += d / 2000
	case c.slow:
		now -= d / 2000
	}
	if c.jump > 0 && (d/c.jumps)%2 == 1 {
		now += c.jump
	}
	if c.tick > 0 {
		now -= now % c.tick
	}
	return now
}

// until returns the first moment from one on at which the clock shows a time,
// if it does not jump.
func (c serverClock) until(from, shows time.Duration) time.Duration {
	low, high := from, from+2*max(0, shows-c.at(from))+c.tick+c.jump+time.Second
	for low < high {
		mid := low + (high-low)/2
		if c.at(mid) >= shows {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return low
}

func (s *server) key(i int, identity, source string) string {
	name := strconv.Itoa(i)
	switch s.scopes[i] {
	case limiter.ScopeGlobal:
		return name
	case limiter.ScopeIP:
		return name + " from " + source
	case limiter.ScopeKey:
		return name + " as " + identity
	}
	return name + " as " + identity + " from " + source
}

// look decides a request without counting it.
func (s *server) look(identity, source string, at time.Duration) (limiter.Decision, []string, []limiter.Limiter) {
	var keys []string
	var states []limiter.Limiter
	for i := range s.limits {
		key := s.key(i, identity, source)
		state, ok := s.states[key]
		if !ok {
			state = s.used(i, key)
		}
		keys, states = append(keys, key), append(states, state)
	}
	d, _, after := limiter.TakeAll(s.clock.at(at), states)
	return d, keys, after
}

func (s *server) take(identity, source string, at time.Duration) limiter.Decision {
	if s.others != nil && s.others.IntN(3) == 0 {
		s.count(identity, source, at)
	}
	return s.count(identity, source, at)
}

func (s *server) count(identity, source string, at time.Duration) limiter.Decision {
	d, keys, after := s.look(identity, source, at)
	for i, key := range keys {
		s.states[key] = after[i]
	}
	return d
}

// used returns the state that a key is in when it is first met.
func (s *server) used(i int, key string) limiter.Limiter {
	state, err := s.models[i].New(s.limits[i])
	if err != nil {
		panic(err)
	}
	if s.hidden > 0 {
		rng := rand.New(rand.NewPCG(s.seed, uint64(len(s.states))))
		at := max(0, s.clock.at(0)-2*s.limits[i].Window)
		for range rng.IntN(s.hidden + 1) {
			if rng.IntN(2) == 0 {
				at += time.Duration(rng.Int64N(int64(max(1, s.clock.at(0)-at))))
			}
			_, state = state.Take(at)
		}
	}
	s.states[key] = state
	return state
}

// respond returns the answer to a request.
func (s *server) respond(d limiter.Decision, at time.Duration) (int, limiter.Fields) {
	var fields limiter.Fields
	now := s.clock.at(at)
	if s.tell != nil {
		fields = s.tell(d, now)
	}
	if d.OK {
		return http.StatusOK, fields
	}
	return http.StatusTooManyRequests, append(fields, s.say(d, now)...)
}

// serverEpoch is the wall clock when the server's clock shows 0; not on a
// whole second.
var serverEpoch = time.Date(2026, 11, 24, 10, 0, 0, 371e6, time.UTC)

func sayWhole(d limiter.Decision, _ time.Duration) limiter.Fields {
	return limiter.Fields{{Name: "Retry-After", Value: wholeSeconds(d.Wait)}}
}

func sayDate(d limiter.Decision, now time.Duration) limiter.Fields {
	at := serverEpoch.Add(now + d.Wait)
	if up := at.Truncate(time.Second); up.Before(at) {
		at = up.Add(time.Second)
	}
	return limiter.Fields{{Name: "Date", Value: serverEpoch.Add(now).Format(http.TimeFormat)}, {Name: "Retry-After", Value: at.Format(http.TimeFormat)}}
}

func wholeSeconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

// tellers are honest headers about a limit.
func tellers(l limiter.Limit) []func(limiter.Decision, time.Duration) limiter.Fields {
	documented := strconv.FormatInt(l.Limit, 10)
	window := strconv.FormatInt(int64(l.Window/time.Second), 10)
	return []func(limiter.Decision, time.Duration) limiter.Fields{
		nil,
		nil,
		func(d limiter.Decision, _ time.Duration) limiter.Fields {
			return limiter.Fields{{Name: "X-Ratelimit-Limit", Value: documented}, {Name: "X-Ratelimit-Remaining", Value: strconv.FormatInt(d.Remaining, 10)}, {Name: "X-Ratelimit-Reset", Value: wholeSeconds(d.Reset)}}
		},
		func(d limiter.Decision, _ time.Duration) limiter.Fields {
			return limiter.Fields{{Name: "Ratelimit", Value: `"default";r=` + strconv.FormatInt(d.Remaining, 10) + `;t=1`}, {Name: "Ratelimit-Policy", Value: `"default";q=` + documented + `;w=` + window}}
		},
	}
}

// failed returns the findings that failed.
func failed(f analyze.Findings) []analyze.Finding {
	var all []analyze.Finding
	for _, g := range f.Groups {
		for _, x := range g.Findings {
			if x.Outcome == analyze.Fail {
				all = append(all, x)
			}
		}
	}
	return all
}
