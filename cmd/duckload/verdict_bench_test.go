package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// BenchmarkVerdict judges and reports records of growing size, and lets vegeta
// report as many results of its own in the same run. DUCKLOAD_BENCH_VEGETA
// names the vegeta command, DUCKLOAD_BENCH_MOST the largest size; make bench
// sets both. Shapes other than one key are judged at a tenth of the largest
// size, unless DUCKLOAD_BENCH_SHAPES is "all".
func BenchmarkVerdict(b *testing.B) {
	most := 1_000_000
	if text := os.Getenv("DUCKLOAD_BENCH_MOST"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			b.Fatal(err)
		}
		most = n
	}
	dir := b.TempDir()
	tools := benchTools{duckload: filepath.Join(dir, "duckload"), vegeta: os.Getenv("DUCKLOAD_BENCH_VEGETA")}
	if out, err := exec.Command("go", "build", "-o", tools.duckload, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	if tools.vegeta == "" {
		tools.vegeta = filepath.Join(dir, "vegeta")
		install := exec.Command("go", "install", "github.com/tsenart/vegeta/v12@v12.13.0")
		install.Env = append(os.Environ(), "GOBIN="+dir)
		if out, err := install.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
	}
	for n := min(100_000, most); n <= most; n *= 10 {
		for i, s := range shapes {
			if i == 0 || n < most || os.Getenv("DUCKLOAD_BENCH_SHAPES") == "all" {
				b.Run(fmt.Sprintf("shape=%s/n=%d", s.name, n), func(b *testing.B) { benchmarkVerdict(b, tools, s, n) })
			}
		}
	}
}

type benchTools struct{ duckload, vegeta string }

func benchmarkVerdict(b *testing.B, tools benchTools, s shape, n int) {
	dir := b.TempDir()
	record, results := filepath.Join(dir, observationsDir), filepath.Join(dir, "results.bin")
	s.write(b, record, n)
	writeResults(b, results, n)
	b.ResetTimer()
	for b.Loop() {
		ours := measured(b, tools.duckload, "report", dir, "--format", "html", "--out", filepath.Join(dir, "report.html"))
		theirs := measured(b, tools.vegeta, "report", results)
		b.ReportMetric(ours.wall.Seconds(), "s/duckload")
		b.ReportMetric(theirs.wall.Seconds(), "s/vegeta-report")
		b.ReportMetric(ours.wall.Seconds()/theirs.wall.Seconds(), "ratio")
		b.ReportMetric(ours.cpu.Seconds(), "cpu-s/duckload")
		b.ReportMetric(theirs.cpu.Seconds(), "cpu-s/vegeta-report")
		b.ReportMetric(ours.cpu.Seconds()/theirs.cpu.Seconds(), "cpu-ratio")
		// Growth: this number rises no faster than log n.
		b.ReportMetric(float64(ours.cpu.Nanoseconds())/float64(n), "cpu-ns/observation")
		b.ReportMetric(ours.mebibytes, "MiB")
	}
}

// A cost is what a command took. On a machine that does other work, too, only
// the time on a processor can be compared.
type cost struct {
	wall, cpu time.Duration
	mebibytes float64 // resident at most
}

func measured(b *testing.B, name string, args ...string) cost {
	b.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stderr = os.Stderr
	debug.FreeOSMemory() // a child begins with what its parent is resident with, and that would count as its own
	began := time.Now()
	if err := cmd.Run(); err != nil {
		b.Fatal(err)
	}
	return cost{wall: time.Since(began), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), mebibytes: mostResident(cmd.ProcessState)}
}

// writeResults writes as many results as vegeta itself would.
func writeResults(b *testing.B, path string, n int) {
	b.Helper()
	file, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	encode := vegeta.NewEncoder(file)
	started := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i := range n {
		at := time.Duration(i) * 500 * time.Microsecond
		r := vegeta.Result{
			Attack: "api", Seq: uint64(i), Code: 200, Timestamp: started.Add(at), Latency: time.Duration(uint32(i)*2654435761>>16) * 20,
			BytesIn: 40, Method: "GET", URL: "http://127.0.0.1/beak/metrics",
			Headers: map[string][]string{"Date": {started.Add(at).Format(time.RFC1123)}},
		}
		if i%2 == 1 {
			r.Code, r.Error = 429, "429 Too Many Requests"
			r.Headers["Retry-After"] = []string{"1"}
		}
		if err := encode(&r); err != nil {
			b.Fatal(err)
		}
	}
}
