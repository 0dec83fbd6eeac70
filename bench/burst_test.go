package bench

import (
	"fmt"
	"strconv"
	"testing"
	"time"
)

// BenchmarkBurst is the span of 200 requests at once, from the first arrival
// to the last, over connections that are open before.
func BenchmarkBurst(b *testing.B) {
	const size = 200
	w := startWitness(b)
	senders := []struct {
		name string
		aim  float64
		send func()
	}{
		{"one raw thread", 1, func() { run(b, own(b, "burst", w.address, strconv.Itoa(size)), false) }},
		{"duckload, fast", 2, func() { duckload(b, w.url(), fmt.Sprintf("transport: fast, pacing: [{burst: %d}]", size)) }},
		{"duckload, net/http", 3, func() { duckload(b, w.url(), fmt.Sprintf("pacing: [{burst: %d}]", size)) }},
	}
	spans := map[string][]time.Duration{}
	for range 15 * b.N {
		for _, s := range senders {
			w.seen()
			s.send()
			at := w.seen()
			if len(at) != size {
				b.Fatalf("%s: got %d requests, want %d", s.name, len(at), size)
			}
			spans[s.name] = append(spans[s.name], at[size-1]-at[0])
		}
	}
	rows := [][]string{{"sender", "span", "least", "against raw"}}
	raw := float64(median(spans[senders[0].name]))
	for _, s := range senders {
		rows = append(rows, []string{s.name, micros(median(spans[s.name])), micros(quantile(spans[s.name], 0)), against(float64(median(spans[s.name]))/raw, true, s.aim)})
	}
	table(fmt.Sprintf("A burst of %d: from the first arrival to the last", size), rows...)
}
