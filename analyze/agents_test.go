package analyze_test

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"duckload/history"
)

// A promise that is kept is never failed where several agents sent, whose
// clocks are wrong by as much as their bounds allow.
func TestTheTruthNeverFailsOverAgents(t *testing.T) {
	for range shards / 2 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				tr := drawTruth(t, false)
				mustHold(t, tr, overAgents(t, edgewise(t, tr)))
			})
		})
	}
}

// The same for plans, compiled or by hand.
func TestTheTruthNeverFailsUnderAPlanOverAgents(t *testing.T) {
	for range shards / 2 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				tr := drawTruth(t, true)
				plan := drawPlan(t, tr)
				w := drawNetwork(t, tr.server)
				seed := rapid.Uint64().Draw(t, "seed")
				mustHold(t, tr, overAgents(t, simulate(plan, headerOfPlan(plan), w, rand.New(rand.NewPCG(seed, 0)))))
			})
		})
	}
}

// A wrongClock is an agent's: what it shows is wrong by up to its bound.
type wrongClock struct {
	history.Agent
	offset, wobble time.Duration
	phase          float64
}

func (c wrongClock) shows(t time.Duration) time.Duration {
	wrong := c.offset + time.Duration(float64(c.wobble)*math.Sin(c.phase+2*math.Pi*t.Seconds()/20))
	return time.Duration(float64(t+wrong) / (1 + c.Drift))
}

// overAgents makes a history one that several agents recorded: by the senders'
// addresses, or at random, which agents of one address may do only if no limit
// counts addresses (or nothing is said).
func overAgents(t *rapid.T, h *history.History) *history.History {
	agents := make([]wrongClock, rapid.IntRange(2, 5).Draw(t, "agents"))
	early := time.Duration(0)
	for i := range agents {
		a := &agents[i]
		a.Name, a.Address = string(rune('a'+i)), "127.0.1.1"
		a.Bound = rapid.SampledFrom([]time.Duration{0, 10 * time.Microsecond, 2 * time.Millisecond, 120 * time.Millisecond}).Draw(t, "bound")
		a.Drift = rapid.Float64Range(-history.ClockDrift, history.ClockDrift).Draw(t, "drift")
		a.wobble = time.Duration(rapid.Float64Range(0, 0.5).Draw(t, "wobble") * float64(a.Bound))
		rest := max(0, a.Bound-a.wobble-10) // and what rounding loses
		a.offset = time.Duration(rapid.Float64Range(-1, 1).Draw(t, "offset") * float64(rest))
		a.phase = rapid.Float64Range(0, 6).Draw(t, "phase")
		a.Bound += 10
		early = max(early, 2*a.Bound)
	}
	apart := rapid.Bool().Draw(t, "by address")
	mostly := rapid.Bool().Draw(t, "one agent sends nearly all")
	seed := rapid.Uint64().Draw(t, "who")
	r := rand.New(rand.NewPCG(seed, 1))
	header := h.Header
	header.Target = "http://127.0.0.1"
	header.Lanes = nil
	for _, a := range agents {
		for _, l := range h.Header.Lanes {
			l.Agent = a.Name
			header.Lanes = append(header.Lanes, l)
		}
	}
	who, bySource := map[uint64]int{}, map[string]int{} // attempts of one request are of one agent
	request := func(o history.Observation) uint64 { return uint64(o.Lane)<<32 | o.Seq }
	rows, of := map[string]int{}, map[string][]int{} // by counter: how many there are, and how many are of each agent
	seen, err := h.Collect()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range seen {
		source := h.Header.Lanes[o.Lane].Source
		if _, known := bySource[source]; !known {
			bySource[source] = len(bySource) % len(agents)
		}
		if _, known := who[request(o)]; !known {
			who[request(o)] = r.IntN(len(agents))
			if mostly && r.IntN(6) > 0 {
				who[request(o)] = 0
			}
			if apart {
				who[request(o)] = bySource[source]
			}
		}
		counter := h.Header.Groups[h.Header.Lanes[o.Lane].Group].Counter
		if of[counter] == nil {
			of[counter] = make([]int, len(agents))
		}
		if !o.Unsent {
			rows[counter]++
			of[counter][who[request(o)]]++
		}
	}
	for i := range agents {
		a := &agents[i]
		for counter, n := range of {
			if 4*n[i] > 3*rows[counter] { // judged by its own clock, which is ours
				a.Drift, a.wobble = 0, 0
			}
		}
		a.Start = a.shows(early)
		header.Agents = append(header.Agents, a.Agent)
	}
	var all []history.Observation
	for _, o := range seen {
		i := who[request(o)]
		a := agents[i]
		o.Lane += i * len(h.Header.Lanes)
		for _, moment := range []*time.Duration{&o.Intended, &o.Sent, &o.Answered, &o.Done} {
			if *moment != history.Never {
				*moment = a.shows(*moment + early)
			}
		}
		o.Answered, o.Done = max(o.Answered, o.Sent), max(o.Done, o.Sent)
		all = append(all, o)
	}
	slices.SortStableFunc(all, func(a, b history.Observation) int { return cmp.Compare(a.Done, b.Done) })
	end := *h.End
	end.At += 2 * early
	return history.Of(header, all, &end)
}
