package clients

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"duckload/analyze"
	"duckload/scenarios"
)

// A client is simulated with a network that delays what it likes. What the
// server can see of it is all that the checks get.

// A policy says how long a client waits before retry n, from 1 on, after an
// answer that told it so much; negative: it gives up.
type policy func(r *rand.Rand, n int, told time.Duration) time.Duration

// road is how long something takes from one side to the other.
type road func() time.Duration

func simulate(script scenarios.Script, clients int, seed uint64, p policy, there, back road) Run {
	run := Run{Script: script, Limit: time.Hour}
	for c := range clients {
		random := rand.New(rand.NewPCG(seed, uint64(c)))
		at, ended := time.Duration(0), Process{Alone: true}
		for n := 0; ; n++ {
			e := Exchange{Client: c, Method: "GET", Path: "/", Call: "a", Scripted: true, Conn: c, Arrived: at + there()}
			e.Answered = e.Arrived + time.Millisecond
			turn := turnOf(script, n)
			e.Status = turn.Status
			told := time.Duration(0)
			if turn.Wait > 0 {
				told, e.RetryAfter, e.Until = turn.Wait, "told", e.Answered+turn.Wait
			}
			run.Exchanges = append(run.Exchanges, e)
			received := e.Answered + back()
			if wait := p(random, n+1, told); e.asksToWait() && wait >= 0 {
				at = received + wait
				continue
			}
			ended.Ended = received
			if !e.succeeded() {
				ended.Status = 1
			}
			break
		}
		run.Processes = append(run.Processes, ended)
	}
	for i := range run.Exchanges {
		run.Exchanges[i].Number = i + 1
	}
	return run
}

func turnOf(s scenarios.Script, n int) scenarios.Turn {
	for _, t := range s.Turns {
		if t.Times == 0 || n < t.Times {
			return t
		}
		n -= t.Times
	}
	return scenarios.Turn{Status: 200}
}

// fullJitter draws a wait evenly between 0 and a bound that grows.
func fullJitter(first time.Duration, factor float64, most int) policy {
	return func(r *rand.Rand, n int, told time.Duration) time.Duration {
		if told > 0 {
			return told
		}
		if n > most {
			return -1
		}
		return time.Duration(r.Float64() * float64(first) * math.Pow(factor, float64(n-1)))
	}
}

func steady(wait time.Duration, most int) policy {
	return func(_ *rand.Rand, n int, told time.Duration) time.Duration {
		if n > most {
			return -1
		}
		return wait
	}
}

// Who waits as told, never hammers, and gives up, fails nothing, whatever the
// network does.
func TestAnHonestClientNeverFails(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		random := rand.New(rand.NewPCG(seed, 99))
		slow := time.Duration(rapid.IntRange(0, 3000).Draw(t, "most delay in ms")) * time.Millisecond
		delay := func() time.Duration { return time.Duration(random.Int64N(int64(slow) + 1)) }
		script, err := scenarios.BuiltInScript(rapid.SampledFrom(scenarios.Scripts).Draw(t, "script"))
		if err != nil {
			t.Fatal(err)
		}
		first := time.Duration(rapid.IntRange(100, 2000).Draw(t, "first wait in ms")) * time.Millisecond
		doubling := func(r *rand.Rand, n int, told time.Duration) time.Duration {
			if n > 6 {
				return -1
			}
			d := first << (n - 1)
			return max(told, d+time.Duration(r.Int64N(int64(d)))) // "equal jitter"
		}
		j := Judge(simulate(script, rapid.IntRange(1, 8).Draw(t, "clients"), seed, doubling, delay, delay))
		for _, f := range j.Findings {
			if f.Outcome == analyze.Fail {
				t.Fatalf("%s fails: %s\n%+v", f.Check, f.Message, f.Witness)
			}
		}
	})
}

// Who comes back too early fails, as soon as the network leaves a trace of it.
func TestAnImpatientClientFails(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		script, _ := scenarios.BuiltInScript("limited")
		told := script.Turns[0].Wait
		seed := rapid.Uint64().Draw(t, "seed")
		random := rand.New(rand.NewPCG(seed, 99))
		short := time.Duration(rapid.IntRange(100, 3000).Draw(t, "too early by, in ms")) * time.Millisecond
		delay := func() time.Duration { return time.Duration(random.Int64N(int64(short) / 3)) }
		j := Judge(simulate(script, 1, seed, steady(told-short, 5), delay, delay))
		if v := verdictOf(j, "client.retry_after"); v != analyze.Fail {
			t.Fatalf("%s too early: got %s", short, v)
		}
	})
}

func verdictOf(j Judgement, check string) analyze.Verdict {
	for _, f := range j.Findings {
		if f.Check == check {
			return f.Outcome
		}
	}
	return ""
}

// The levels that client.backoff states hold for the clients that are hardest
// to tell: full jitter whose bound grows by half, and a bound that stays.
func TestTheLevelsOfBackoffHold(t *testing.T) {
	outage, _ := scenarios.BuiltInScript("outage")
	outage.Budget = 100
	quick := func() time.Duration { return 0 }
	for _, c := range []struct {
		name    string
		clients int
		runs    int
		policy  policy
		most    map[analyze.Verdict]int // of runs, with room for chance
		least   map[analyze.Verdict]int
	}{
		{"full jitter that grows by half", 1, 400, fullJitter(2*time.Second, 1.5, 5), map[analyze.Verdict]int{analyze.Fail: 4}, nil},
		{"a bound that stays", 1, 400, fullJitter(2*time.Second, 1, 5), map[analyze.Verdict]int{analyze.Pass: 36}, nil},
		{"many with full jitter that doubles", 20, 30, fullJitter(time.Second, 2, 4), map[analyze.Verdict]int{analyze.Fail: 0}, map[analyze.Verdict]int{analyze.Pass: 29}},
		{"many with a bound that stays", 20, 30, fullJitter(2*time.Second, 1, 5), map[analyze.Verdict]int{analyze.Pass: 4}, map[analyze.Verdict]int{analyze.Fail: 25}},
		{"every second", 1, 50, steady(time.Second, 3), nil, map[analyze.Verdict]int{analyze.Fail: 50}},
	} {
		got := map[analyze.Verdict]int{}
		for seed := range uint64(c.runs) {
			got[judgeBackoff(simulate(outage, c.clients, seed, c.policy, quick, quick)).Outcome]++
		}
		t.Logf("%s: %v", c.name, got)
		for v, most := range c.most {
			if got[v] > most {
				t.Errorf("%s: %s in %d of %d runs, want at most %d", c.name, v, got[v], c.runs, most)
			}
		}
		for v, least := range c.least {
			if got[v] < least {
				t.Errorf("%s: %s in %d of %d runs, want at least %d", c.name, v, got[v], c.runs, least)
			}
		}
	}
}

// Clients with a tenth of jitter do not fail client.storm, whatever the
// network adds; those without do.
func TestTheLevelOfStormHolds(t *testing.T) {
	outage, _ := scenarios.BuiltInScript("outage")
	quick := func() time.Duration { return 0 }
	jittered := func(r *rand.Rand, n int, _ time.Duration) time.Duration {
		if n > 4 {
			return -1
		}
		d := time.Second << (n - 1)
		return d*95/100 + time.Duration(r.Int64N(int64(d/10)))
	}
	fails := 0
	for seed := range uint64(1000) {
		if judgeStorm(simulate(outage, 5, seed, jittered, quick, quick)).Outcome == analyze.Fail {
			fails++
		}
		if f := judgeStorm(simulate(outage, 5, seed, steady(time.Second, 4), quick, quick)); f.Outcome != analyze.Fail {
			t.Fatalf("all after a second: got %s", f.Outcome)
		}
	}
	if fails > 4 {
		t.Errorf("a tenth of jitter failed in %d of 1000 runs", fails)
	}
}
