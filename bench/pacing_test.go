package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"
)

const pacedFor = 2 * time.Second

// BenchmarkPacing is how far arrivals at the server are from where an even
// rate wants them, counted from the middle of them all, because nobody tells
// when a tool meant to begin.
func BenchmarkPacing(b *testing.B) {
	w := startWitness(b)
	for _, rate := range []int{50, 500, 2000} {
		b.Run(fmt.Sprint(rate), func(b *testing.B) { paced(b, w, rate) })
	}
}

func paced(b *testing.B, w witness, rate int) {
	const floor, standard, lean, vegeta, k6 = "spin", "duckload, net/http", "duckload, fast", "vegeta", "k6"
	counts, p99 := map[string][]int{}, map[string][]float64{}
	hold := fmt.Sprintf("pacing: [{hold: %d/s, for: %s}]", rate, pacedFor)
	want := rate * int(pacedFor/time.Second)
	p50 := func(name string, send func()) contestant {
		return contestant{name, func() float64 {
			w.seen()
			send()
			at := w.seen()
			off := errors(at, rate)
			counts[name] = append(counts[name], len(at))
			p99[name] = append(p99[name], float64(quantile(off, 0.99)))
			return float64(median(off))
		}}
	}
	r := compete(5*b.N,
		p50(floor, func() { run(b, own(b, "spin", w.address, strconv.Itoa(rate), strconv.Itoa(want)), false) }),
		p50(standard, func() { duckload(b, w.url(), hold) }),
		p50(lean, func() { duckload(b, w.url(), "transport: fast, "+hold) }),
		p50(vegeta, func() { vegetaPaced(b, w.url(), rate) }),
		p50(k6, func() { k6Paced(b, w.url(), rate) }),
	)
	least := 4.0 // times better than other tools
	if rate == 50 {
		least = 3
	}
	rows := [][]string{{"sender", "requests", "p50", "p99", "p50: duckload against spin, others against duckload with net/http"}}
	for _, name := range r.names {
		against := map[string]string{
			floor:    "1",
			standard: r.ratio(standard, floor).atMost(2),
			lean:     r.ratio(lean, floor).atMost(2),
			vegeta:   r.ratio(vegeta, standard).atLeast(least),
			k6:       r.ratio(k6, standard).atLeast(least),
		}[name]
		rows = append(rows, []string{name, fmt.Sprint(median(counts[name])), micros(r.median(name)), micros(median(p99[name])), against})
	}
	for _, name := range []string{standard, lean} {
		if got := counts[name]; slices.Min(got) != want || slices.Max(got) != want {
			b.Errorf("%s at %d/s: got counts %v, want %d exactly", name, rate, got, want)
		}
	}
	table(fmt.Sprintf("Pacing at %d/s: |arrival at the server − where it should be|", rate), r.quiet(), rows...)
}

// errors returns how far each arrival is from an even rate.
func errors(at []time.Duration, rate int) []time.Duration {
	off := make([]time.Duration, len(at))
	for i := range at {
		off[i] = at[i] - time.Duration(i)*time.Second/time.Duration(rate)
	}
	middle := median(off)
	for i := range off {
		off[i] = (off[i] - middle).Abs()
	}
	return off
}

func vegetaPaced(b *testing.B, target string, rate int) {
	targets := filepath.Join(b.TempDir(), "targets")
	if err := os.WriteFile(targets, []byte("GET "+target+"/x\n"), 0o644); err != nil {
		b.Fatal(err)
	}
	run(b, exec.Command(tool(b, "vegeta"), "attack", "-targets", targets, "-rate", fmt.Sprint(rate), "-duration", pacedFor.String(), "-output", os.DevNull), false)
}

func k6Paced(b *testing.B, target string, rate int) {
	script := filepath.Join(b.TempDir(), "script.js")
	text := fmt.Sprintf(`import http from 'k6/http';
export const options = {discardResponseBodies: true, scenarios: {s: {executor: 'constant-arrival-rate', rate: %d, timeUnit: '1s', duration: '%s', preAllocatedVUs: 50, maxVUs: 200}}};
export default function () { http.get('%s/x'); }
`, rate, pacedFor, target)
	if err := os.WriteFile(script, []byte(text), 0o644); err != nil {
		b.Fatal(err)
	}
	run(b, exec.Command(tool(b, "k6"), "run", "--quiet", "--no-usage-report", "--log-output", "none", script), false)
}
