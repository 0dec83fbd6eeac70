package report

import (
	"fmt"
	"time"

	"duckload/analyze"
	"duckload/limiter"
)

// shown is what a run shows of a group beside its findings, made from its
// timeline.
func shown(g *analyze.Group) analyze.Shown {
	l := g.Promise.Limits[0]
	s := analyze.Shown{Latency: analyze.LatencyBins{Bin: time.Second}}
	level := analyze.Level{Limit: l, Lanes: g.Lanes[:1]}
	left := float64(l.Burst)
	t := g.Timeline
	for i, n := range t.Admitted {
		at := time.Duration(i) * t.Bin
		left = min(float64(l.Burst), left+l.Rate()*t.Bin.Seconds())
		level.Points = append(level.Points, analyze.LevelPoint{At: at, Least: max(0, left-0.2), Most: left})
		if n == 0 && t.Rejected[i] == 0 {
			continue
		}
		left -= float64(n)
		p := analyze.LevelPoint{At: at + t.Bin/2, Least: min(max(0, left-0.3), left), Most: left}
		level.Points = append(level.Points, p)
		level.Told = append(level.Told, analyze.ToldLevel{At: p.At, Left: int(max(0, left))})
		if left < 0 && level.Impossible == nil {
			level.Impossible = &p
		}
	}
	s.Levels = []analyze.Level{level}
	for i := range 12 {
		needed := l.Window / time.Duration(l.Limit) * time.Duration(i+1) / 12
		told := needed.Truncate(time.Second) + time.Second
		s.Waits.Points = append(s.Waits.Points, analyze.WaitPoint{
			At: time.Duration(i) * time.Second, Told: told, Rounding: time.Second, Least: needed * 9 / 10, Most: needed + 20*time.Millisecond,
		})
	}
	s.Waits.N = len(s.Waits.Points)
	for i := 0; i < len(t.Offered); i += 2 {
		var bin [3]analyze.LatencyBin
		for outcome, n := range map[limiter.Outcome]int{limiter.Admitted: t.Admitted[i] + t.Admitted[i+1], limiter.Rejected: t.Rejected[i] + t.Rejected[i+1]} {
			if n > 0 {
				median := time.Duration(1+i%5) * 400 * time.Microsecond
				bin[outcome] = analyze.LatencyBin{N: n, P50: median, P99: 3 * median, Max: 4 * median}
			}
		}
		s.Latency.Bins = append(s.Latency.Bins, bin)
	}
	s.Scope = analyze.ScopeMatrix{
		Scopes: []analyze.ScopeColumn{
			{Words: "per ip", Documented: l.Scope == limiter.ScopeIP, Counters: 2, Explains: true},
			{Words: "per key or for everybody", Counters: 1, Why: "the request sent at 9.000 s (beak from 127.0.0.3) was admitted"},
		},
		Senders: []analyze.ScopeSender{
			{Name: "beak from 127.0.0.2", Sent: g.Sent - 4, Admitted: g.Admitted - 2, Rejected: g.Rejected - 2, Counters: []int{0, 0}},
			{Name: "beak from 127.0.0.3", Sent: 4, Admitted: 2, Rejected: 2, Counters: []int{1, 0}},
		},
		Looked: g.Sent,
	}
	s.Headers = []analyze.HeaderFact{
		{Says: fmt.Sprintf("a limit of %d", l.Limit), N: g.Sent},
		{Says: fmt.Sprintf("what remains: 0 to %d", l.Burst-1), N: g.Sent},
	}
	return s
}

// sent is how well the sample's sender kept to its plan.
func sent(requests int) analyze.Sending {
	s := analyze.Sending{Bin: 500 * time.Millisecond, Open: 40}
	for i := range 148 {
		b := analyze.SendingBin{}
		if i%3 == 0 {
			b = analyze.SendingBin{Due: requests / 50, Sent: requests / 50, Open: i % 40, Mean: time.Duration(60+i) * time.Microsecond, Max: time.Duration(200+9*i) * time.Microsecond}
		}
		s.Bins = append(s.Bins, b)
	}
	return s
}
