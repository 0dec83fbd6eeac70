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
	rows := [][]string{{"rate", "sender", "requests", "p50", "p99", "p50 against duckload's"}}
	for _, rate := range []int{50, 500, 2000} {
		senders := []struct {
			name string
			send func(rate int)
		}{
			{"spin", func(rate int) {
				run(b, own(b, "spin", w.address, strconv.Itoa(rate), strconv.Itoa(rate*int(pacedFor/time.Second))), false)
			}},
			{"duckload", func(rate int) {
				duckload(b, w.url(), fmt.Sprintf("pacing: [{hold: %d/s, for: %s}]", rate, pacedFor))
			}},
			{"duckload, fast", func(rate int) {
				duckload(b, w.url(), fmt.Sprintf("transport: fast, pacing: [{hold: %d/s, for: %s}]", rate, pacedFor))
			}},
			{"vegeta", func(rate int) { vegetaPaced(b, w.url(), rate) }},
			{"k6", func(rate int) { k6Paced(b, w.url(), rate) }},
		}
		p50, p99, counts := map[string][]time.Duration{}, map[string][]time.Duration{}, map[string][]int{}
		for range 3 * b.N {
			for _, s := range senders {
				w.seen()
				s.send(rate)
				at := w.seen()
				errs := errors(at, rate)
				p50[s.name] = append(p50[s.name], median(errs))
				p99[s.name] = append(p99[s.name], quantile(errs, 0.99))
				counts[s.name] = append(counts[s.name], len(at))
			}
		}
		ours := float64(median(p50["duckload"]))
		for _, s := range senders {
			ratio := float64(median(p50[s.name])) / ours
			said := fmt.Sprintf("%.2f", ratio)
			switch s.name {
			case "spin":
				said = "duckload's is " + against(1/ratio, true, 2)
			case "vegeta", "k6":
				said = against(ratio, false, map[bool]float64{true: 3, false: 4}[rate == 50])
			}
			rows = append(rows, []string{fmt.Sprintf("%d/s", rate), s.name, fmt.Sprint(median(counts[s.name])), micros(median(p50[s.name])), micros(median(p99[s.name])), said})
		}
		want := rate * int(pacedFor/time.Second)
		for _, name := range []string{"duckload", "duckload, fast"} {
			if got := counts[name]; slices.Min(got) != want || slices.Max(got) != want {
				b.Errorf("%s at %d/s: got counts %v, want %d exactly", name, rate, got, want)
			}
		}
	}
	table("Pacing: |arrival at the server − where it should be|", rows...)
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
