package clients

import (
	"math"
	"math/rand/v2"
	"slices"
)

// leastGrowth is by how much the bound of a wait must grow with each retry to
// count as exponential backoff.
const leastGrowth = 1.5

// trend sums up how steeply the waits of some clients rise with the number of
// the retry: the sum, over the clients, of the slope of log2(wait) by least
// squares times how much its regressor varies. A row of one says nothing.
func trend(rows [][]float64) float64 {
	sum := 0.0
	for _, row := range rows {
		middle := float64(len(row)-1) / 2
		for i, wait := range row {
			sum += (float64(i) - middle) * math.Log2(wait)
		}
	}
	return sum
}

// draws is how often chance is tried: an event of 1 in 1,000 is met 20 times,
// give or take 5.
const draws = 20_000

// trendByChance returns two probabilities of waits that are drawn evenly between
// 0 and a bound: that they rise as little as seen, where the bound grows by
// leastGrowth with each retry, and that they rise as much, where it stays. The
// same rows get the same answer.
func trendByChance(rows [][]float64, seen float64) (soLittle, soMuch float64) {
	random := rand.New(rand.NewPCG(1, 2))
	varied := 0.0
	var weights []float64
	for _, row := range rows {
		middle := float64(len(row)-1) / 2
		for i := range row {
			weights = append(weights, float64(i)-middle)
			varied += (float64(i) - middle) * (float64(i) - middle)
		}
	}
	growth := varied * math.Log2(leastGrowth)
	little, much := 1, 1 // the run itself is one of the draws
	for range draws {
		sum := 0.0
		for _, w := range weights {
			sum -= w * random.ExpFloat64() / math.Ln2 // log2 of an even draw from 0 to 1
		}
		if sum+growth <= seen {
			little++
		}
		if sum >= seen {
			much++
		}
	}
	return float64(little) / (draws + 1), float64(much) / (draws + 1)
}

// alikeByChance bounds the probability that n waits, each drawn evenly between
// 0 and a bound that grows by a factor with each, lie within a ratio of one
// another: (ratio−1)^(n−1) / factor^(n(n−1)/2), the integral of their joint
// density over where the greatest is at most ratio times the least.
func alikeByChance(row []float64, factor float64) float64 {
	n := float64(len(row))
	ratio := slices.Max(row) / slices.Min(row)
	return math.Min(1, math.Pow(ratio-1, n-1)/math.Pow(factor, n*(n-1)/2))
}

// steepByChance is the probability that n waits, drawn evenly between 0 and one
// and the same bound, each exceed the one before by the least ratio seen:
// 1 / (n! · ratio^(n(n−1)/2)). It is 1 unless all grow.
func steepByChance(row []float64) float64 {
	n := float64(len(row))
	least := math.Inf(1)
	for i, wait := range row[1:] {
		least = min(least, wait/row[i])
	}
	if least <= 1 || len(row) < 2 {
		return 1
	}
	factorial := math.Gamma(n + 1)
	return 1 / (factorial * math.Pow(least, n*(n-1)/2))
}

// A cluster is the narrowest stretch that some of the waits lie in.
type cluster struct {
	from, to float64
	members  int
	chance   float64 // bound on the probability of one so narrow, if waits spread evenly over a width
}

// clustered finds the stretch of all waits, and of four in five, that chance
// explains worst if waits spread evenly over a width. For m of n draws, one of
// C(n,m) choices lies within the part x of the width with probability
// m·x^(m−1) − (m−1)·x^m; the sum over the choices bounds it.
func clustered(waits []float64, width float64) cluster {
	sorted := slices.Sorted(slices.Values(waits))
	n := len(sorted)
	worst := cluster{chance: 2}
	for _, m := range []int{n, (4*n + 4) / 5} {
		best := cluster{members: m, from: sorted[0], to: math.Inf(1)}
		for i := 0; i+m <= n; i++ {
			if sorted[i+m-1]-sorted[i] < best.to-best.from {
				best.from, best.to = sorted[i], sorted[i+m-1]
			}
		}
		x := (best.to - best.from) / width
		if best.chance = 1; x < 1 {
			f := float64(m)
			best.chance = math.Min(1, choose(n, m)*(f*math.Pow(x, f-1)-(f-1)*math.Pow(x, f)))
		}
		if best.chance < worst.chance {
			worst = best
		}
	}
	worst.chance = math.Min(1, 2*worst.chance) // two were tried
	return worst
}

func choose(n, k int) float64 {
	c := 1.0
	for i := range min(k, n-k) {
		c = c * float64(n-i) / float64(i+1)
	}
	return c
}
