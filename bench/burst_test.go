package bench

import (
	"fmt"
	"strconv"
	"testing"
)

// BenchmarkBurst is the span of 200 requests at once, from the first arrival
// to the last, over connections that are open before.
func BenchmarkBurst(b *testing.B) {
	const size = 200
	const raw, lean, standard = "one raw thread", "duckload, fast", "duckload, net/http"
	w := startWitness(b)
	span := func(name string, send func()) contestant {
		return contestant{name, func() float64 {
			w.seen()
			send()
			at := w.seen()
			if len(at) != size {
				b.Fatalf("%s: got %d requests, want %d", name, len(at), size)
			}
			return float64(at[size-1] - at[0])
		}}
	}
	r := compete(15*b.N,
		span(raw, func() { run(b, own(b, "burst", w.address, strconv.Itoa(size)), false) }),
		span(lean, func() { duckload(b, w.url(), fmt.Sprintf("transport: fast, pacing: [{burst: %d}]", size)) }),
		span(standard, func() { duckload(b, w.url(), fmt.Sprintf("pacing: [{burst: %d}]", size)) }),
	)
	rows := [][]string{{"sender", "span", "least", "against raw"}}
	for _, name := range r.names {
		against := map[string]string{
			raw:      "1",
			lean:     r.ratio(lean, raw).atMost(2),
			standard: r.ratio(standard, raw).atMost(3),
		}[name]
		rows = append(rows, []string{name, micros(r.median(name)), micros(quantile(r.values[name], 0)), against})
	}
	table(fmt.Sprintf("A burst of %d: from the first arrival to the last", size), r.quiet(), rows...)
}
