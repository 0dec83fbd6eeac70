// Package sizing says which rate limit a recorded traffic needs: what a limit
// would have rejected of it, and which limits and bursts would have let it
// through. It is arithmetic on the moments of a recording; it sends nothing.
package sizing

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"duckload/limiter"
	"duckload/trace"
)

// A Question is what is asked about a recording.
type Question struct {
	// Window is the time that limits are counted in; 0: that of the documented
	// limit, else a minute.
	Window time.Duration

	Documented *limiter.Limit // nil: none is
	Candidates []limiter.Limit
	Growth     []float64 // each above 0: how many times as fast every client may send one day

	// Resolution is the step in which the recording's times were written; 0:
	// finer than a microsecond.
	Resolution time.Duration

	// Shares are the parts of the requests that may be rejected, from 0 to less
	// than 1; none: [DefaultShares].
	Shares []float64
}

// DefaultShares are what may be rejected, if nobody says it: nothing, one in a
// thousand, one in a hundred.
var DefaultShares = []float64{0, 0.001, 0.01}

// An Answer is everything that a recording says about limits.
type Answer struct {
	Traffic Traffic       `json:"traffic"`
	Window  time.Duration `json:"window_ns"`
	Shares  []float64     `json:"shares"`
	Views   []View        `json:"views"` // by client where there are several, and all together
	Caveats []string      `json:"caveats"`
}

// Traffic is what was recorded.
type Traffic struct {
	Requests int     `json:"requests"`
	Clients  int     `json:"clients"`
	First    int64   `json:"first_unix_ns"`
	Length   float64 `json:"length_s"` // from the first request to the last
	Days     int     `json:"days"`     // of UTC that hold a request

	Mean     float64 `json:"mean_per_window"`
	Busiest  Minute  `json:"busiest_minute"`
	Together int     `json:"together"` // most requests with the same moment

	Resolution time.Duration `json:"resolution_ns"` // of the recording's times; 0: finer than a microsecond
}

// A Minute of the clock, and what happened in it.
type Minute struct {
	Begin int64 `json:"begin_unix_ns"`
	Count int   `json:"count"`
}

// Scope says whose requests a limit counts together.
type Scope string

// The scopes of a view.
const (
	Each Scope = "each client"
	All  Scope = "all together"
)

// A View is what limits mean when they count by a scope.
type View struct {
	Scope Scope `json:"scope"`

	Documented *Loss   `json:"documented"` // nil: no limit is documented
	Candidates []Loss  `json:"candidates"`
	Curve      []Point `json:"curve"` // in rising order of limits
	Needs      []Need  `json:"needs"` // one for each share
	Growth     []Grown `json:"growth"`

	// Daily are the least bursts at the documented limit of each day, in order
	// of days; empty where there is one day, or no limit.
	Daily []int64 `json:"daily_burst"`
}

// A Loss is what a limit would have done to the traffic.
type Loss struct {
	Limit           limiter.Limit `json:"limit"`
	Rejected        int           `json:"rejected"`
	Share           float64       `json:"share"`
	ClientsRejected int           `json:"clients_rejected"` // that met at least one rejection
	ClientShare     float64       `json:"client_share"`
	Worst           Minute        `json:"worst_minute"` // with the most rejections

	// LongestWait is how long a request would have waited if clients queued
	// instead of being rejected. Buckets only.
	LongestWait float64 `json:"longest_wait_s"`
}

// A Point of the burstiness curve: the least burst that a bucket must hold so
// that no more than each share is rejected at a limit.
type Point struct {
	Limit  int64   `json:"limit"` // per window
	Bursts []int64 `json:"bursts"`
}

// A Need is the least that lets all but a share of the requests through. Nil
// means that nothing does: the documented burst is less than what came at one
// moment, or no limit is documented.
type Need struct {
	Share  float64 `json:"share"`
	Burst  *int64  `json:"burst_at_documented_limit"`
	Limit  *int64  `json:"limit_at_documented_burst"`
	Window int64   `json:"fixed_window_limit"`           // windows aligned to the clock
	Log    *int64  `json:"sliding_window_limit"`         // any window; only where nothing may be rejected
	Ratio  *Ask    `json:"at_the_documented_proportion"` // the burst is as many times the limit as documented
}

// An Ask is a limit with its burst.
type Ask struct {
	Limit int64 `json:"limit"`
	Burst int64 `json:"burst"`
}

// A Grown is what the traffic needs once every client sends some times as fast.
type Grown struct {
	Factor float64 `json:"factor"`
	Loss   Loss    `json:"documented"`
	Burst  int64   `json:"burst_at_documented_limit"`
	Log    int64   `json:"sliding_window_limit"`
	Daily  []int64 `json:"daily_burst"` // as in View
	Ask    *Ask    `json:"at_the_documented_proportion"`
}

// Size answers a question about a sealed recording of at least one request. It
// fails if the recording cannot be read again.
//
// For a bucket it is exact: a request finds the work V of those before it, that
// falls by the limit with time and rises by one with each request (Lindley's
// recursion), and the greatest V is the least burst that rejects nothing. Each
// rate costs one addition and one comparison for a request. What a bucket
// rejects falls with its rate and with its burst, so that the least that
// rejects a share is found by bisection.
func Size(s *trace.Spool, q Question) (Answer, error) {
	if s.Len() == 0 {
		return Answer{}, errors.New("the recording holds no request")
	}
	if len(q.Shares) == 0 {
		q.Shares = DefaultShares
	}
	if q.Window == 0 {
		q.Window = time.Minute
		if q.Documented != nil {
			q.Window = q.Documented.Window
		}
	}
	t, err := survey(s, q.Window)
	if err != nil {
		return Answer{}, err
	}
	a := Answer{Traffic: t.traffic, Window: q.Window, Shares: q.Shares, Caveats: caveats(q, t)}
	a.Traffic.Resolution = q.Resolution
	scopes := []Scope{All}
	if s.Keys() > 1 {
		scopes = []Scope{Each, All}
	}
	for _, scope := range scopes {
		v, err := view(s, q, t, scope)
		if err != nil {
			return Answer{}, err
		}
		a.Views = append(a.Views, v)
	}
	return a, nil
}

// caveats says how far the numbers can be trusted.
func caveats(q Question, t surveyed) []string {
	var all []string
	if q.Resolution >= time.Millisecond {
		text := fmt.Sprintf("the times are written in steps of %s: what lies within a step counts as sent at once", q.Resolution)
		if d := q.Documented; d != nil {
			text += fmt.Sprintf(", so that a burst at the documented limit may be %d too large or too small", int64(math.Ceil(d.Rate()*q.Resolution.Seconds())))
		}
		all = append(all, text)
	}
	if t.traffic.Length < 2*q.Window.Seconds() {
		all = append(all, fmt.Sprintf("the recording is %.3g s long, less than two windows of %s: it says little about limits", t.traffic.Length, q.Window))
	}
	return append(all, "a recording shows what was sent under the limits of its time: who was rejected may have sent more, or the same again")
}

// bucket reports whether a limit is one of those that the curve is about.
func bucket(l limiter.Limit) bool {
	return l.Reading == limiter.TokenBucket || l.Reading == limiter.Open && l.Burst > 0
}

func view(s *trace.Spool, q Question, t surveyed, scope Scope) (View, error) {
	v := View{Scope: scope}
	e := engine{spool: s, scope: scope, window: q.Window, days: t.traffic.Days}

	limits := t.grid(scope, q)
	var documented, burst int64
	inProportion := func(limit int64) int64 { return proportional(burst, documented)(limit) }
	if d := q.Documented; d != nil {
		documented, burst = d.Limit*int64(q.Window)/int64(d.Window), d.Burst
	}
	curve := make([]*queue, len(limits))
	for i, l := range limits {
		curve[i] = e.queue(l, 1)
	}
	grown := make([]*queue, len(q.Growth))
	all := slices.Clone(curve)
	var now *queue
	if documented > 0 {
		now = e.queue(documented, 1)
		now.daily = true
		all = append(all, now)
		for i, g := range q.Growth {
			grown[i] = e.queue(documented, g)
			grown[i].daily = true
			all = append(all, grown[i])
		}
	}
	if err := e.queues(all); err != nil {
		return View{}, err
	}
	windows, err := e.windows()
	if err != nil {
		return View{}, err
	}
	log, err := e.log(q.Window)
	if err != nil {
		return View{}, err
	}

	// What may be lost is searched for below what loses nothing.
	var searches []*search
	add := func(x *search) *search {
		searches = append(searches, x)
		return x
	}
	most := func(share float64) int { return int(math.Floor(share * float64(s.Len()))) }
	points := make([][]*search, len(limits))
	sparse := max(1, len(limits)/12)
	var weighed []*queue
	for i := range limits {
		if i%sparse == 0 || limits[i] == documented {
			weighed = append(weighed, curve[i])
		}
	}
	if now != nil {
		weighed = append(weighed, now)
	}
	if err := e.weigh(weighed); err != nil {
		return View{}, err
	}
	for i := range limits {
		for _, share := range q.Shares {
			if share > 0 && (i%sparse == 0 || limits[i] == documented) {
				points[i] = append(points[i], add(burstFor(curve[i], most(share))))
			}
		}
	}
	needs := make([]struct{ burst, limit, ratio *search }, len(q.Shares))
	asks := make([]*search, len(q.Growth))
	if documented > 0 {
		for i, share := range q.Shares {
			needs[i].burst = add(burstFor(now, most(share)))
			if burst > 0 {
				needs[i].limit = add(limitFor(e, fixedBurst(burst), 1, most(share)).within(curve, limits, fixedBurst(burst)))
				needs[i].ratio = add(limitFor(e, inProportion, 1, most(share)).within(curve, limits, inProportion))
			}
		}
		for i, g := range q.Growth {
			if burst > 0 {
				asks[i] = add(limitFor(e, inProportion, g, 0))
			}
		}
	}
	if err := e.solve(searches); err != nil {
		return View{}, err
	}

	for i, l := range limits {
		p := Point{Limit: l, Bursts: []int64{}}
		for _, share := range q.Shares {
			switch {
			case share == 0:
				p.Bursts = append(p.Bursts, curve[i].burst())
			case len(points[i]) > 0:
				p.Bursts = append(p.Bursts, points[i][0].found())
				points[i] = points[i][1:]
			}
		}
		v.Curve = append(v.Curve, p)
	}
	for i, share := range q.Shares {
		n := Need{Share: share, Window: windows.least(most(share))}
		if share == 0 {
			n.Log = &log
		}
		if x := needs[i].burst; x != nil {
			b := x.found()
			n.Burst = &b
		}
		if x := needs[i].limit; x != nil && x.solved() {
			l := x.found()
			n.Limit = &l
		}
		if x := needs[i].ratio; x != nil && x.solved() {
			n.Ratio = &Ask{Limit: x.found(), Burst: inProportion(x.found())}
		}
		v.Needs = append(v.Needs, n)
	}
	return v, v.losses(e, q, now, grown, asks, documented, burst)
}

// losses fills in what the documented limit, the candidates and growth mean.
func (v *View) losses(e engine, q Question, now *queue, grown []*queue, asks []*search, documented, burst int64) error {
	var gates []*gate
	if q.Documented != nil {
		gates = append(gates, e.gate(*q.Documented, 1))
		for _, g := range q.Growth {
			gates = append(gates, e.gate(*q.Documented, g))
		}
	}
	for _, c := range q.Candidates {
		gates = append(gates, e.gate(c, 1))
	}
	for _, g := range gates {
		if g.err != nil {
			return fmt.Errorf("%s: %w", g.limit, g.err)
		}
	}
	if err := e.gates(gates); err != nil {
		return err
	}
	if q.Documented != nil {
		loss := gates[0].loss(e.spool)
		v.Documented = &loss
		if e.days > 1 {
			v.Daily = now.days()
		}
		for i, g := range q.Growth {
			grew := Grown{Factor: g, Loss: gates[1+i].loss(e.spool), Burst: grown[i].burst()}
			var err error
			if grew.Log, err = e.log(time.Duration(math.Round(float64(e.window) * g))); err != nil {
				return err
			}
			if e.days > 1 {
				grew.Daily = grown[i].days()
			}
			if x := asks[i]; x != nil && x.solved() {
				grew.Ask = &Ask{Limit: x.found(), Burst: proportional(burst, documented)(x.found())}
			}
			v.Growth = append(v.Growth, grew)
		}
		gates = gates[1+len(q.Growth):]
	}
	for _, g := range gates {
		v.Candidates = append(v.Candidates, g.loss(e.spool))
	}
	return nil
}
