package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"duckload/history"
	"duckload/limiter"
)

// BenchmarkVerdict judges and reports records of growing size, and lets vegeta
// report as many results of its own in the same run. DUCKLOAD_BENCH_VEGETA
// names the vegeta command, DUCKLOAD_BENCH_MOST the largest size; make bench
// sets both.
func BenchmarkVerdict(b *testing.B) {
	most := 1_000_000
	if text := os.Getenv("DUCKLOAD_BENCH_MOST"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			b.Fatal(err)
		}
		most = n
	}
	for n := 100_000; n <= most; n *= 10 {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) { benchmarkVerdict(b, n) })
	}
}

func benchmarkVerdict(b *testing.B, n int) {
	dir := b.TempDir()
	record, results := filepath.Join(dir, observationsDir), filepath.Join(dir, "results.bin")
	writeRecord(b, record, n)
	writeResults(b, results, n)
	duckload := filepath.Join(dir, "duckload")
	if out, err := exec.Command("go", "build", "-o", duckload, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	tool := os.Getenv("DUCKLOAD_BENCH_VEGETA")
	if tool == "" {
		tool = filepath.Join(dir, "vegeta")
		install := exec.Command("go", "install", "github.com/tsenart/vegeta/v12@v12.13.0")
		install.Env = append(os.Environ(), "GOBIN="+dir)
		if out, err := install.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
	}
	b.ResetTimer()
	for b.Loop() {
		ours := measured(b, duckload, "report", dir, "--format", "html", "--out", filepath.Join(dir, "report.html"))
		theirs := measured(b, tool, "report", results)
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
	began := time.Now()
	if err := cmd.Run(); err != nil {
		b.Fatal(err)
	}
	c := cost{wall: time.Since(began), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		c.mebibytes = float64(usage.Maxrss) / 1024
	}
	return c
}

// writeRecord writes what a bucket of 1000 refilled at 1000/s would answer to
// two senders that offer twice as much together, with the evidence of a
// usual API.
func writeRecord(b *testing.B, dir string, n int) {
	b.Helper()
	limit := limiter.Limit{Limit: 1000, Window: time.Second, Burst: 1000, Scope: limiter.ScopeGlobal, Reading: limiter.TokenBucket}
	header := history.Header{
		Run: "bench", Scenario: "bench", Target: "http://127.0.0.1", Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Groups: []history.Group{{Name: "api", Counter: "api", Exclusive: true, Fresh: true, Promise: limiter.Promise{
			Limits:   []limiter.Limit{limit},
			Reject:   limiter.Rejection{Status: []int{429}, RetryAfter: limiter.RetryAfterRequired, JSON: []limiter.Field{{Name: "error.code", Value: "E4004"}}},
			Admitted: []limiter.Statuses{{From: 200, To: 299}},
		}}},
		Lanes:  []history.Lane{{Source: "127.0.0.2"}, {Source: "127.0.0.3"}},
		Phases: []history.Phase{{Pace: "hold", Label: "hold 2000/s"}},
	}
	w, err := history.Create(dir, header)
	if err != nil {
		b.Fatal(err)
	}
	model, err := limiter.ModelOf(limit).New(limit)
	if err != nil {
		b.Fatal(err)
	}
	for i := range n {
		at := time.Duration(i) * 500 * time.Microsecond
		var decision limiter.Decision
		decision, model = model.Take(at)
		jitter := time.Duration(uint32(i)*2654435761>>16) * 20 // up to 1.3 ms, the same each time
		o := history.Observation{
			Lane: i % 2, Seq: uint64(i / 2), Intended: at - 40*time.Microsecond, Sent: at - 10*time.Microsecond - jitter/4,
			Answered: at + 200*time.Microsecond + jitter, Done: at + 250*time.Microsecond + jitter, Status: 200, BytesIn: 40,
			Evidence: limiter.Fields{{Name: "Date", Value: header.Started.Add(at).Format(time.RFC1123)}},
		}
		o.Intended, o.Sent = max(0, o.Intended), max(0, o.Sent)
		if !decision.OK {
			o.Status = 429
			o.Evidence = append(o.Evidence, limiter.Field{Name: "Retry-After", Value: "1"}, limiter.Field{Name: "json:error.code", Value: "E4004"})
		}
		if err := w.Append(o); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(history.End{At: time.Duration(n) * 500 * time.Microsecond, Complete: true, Offered: n}); err != nil {
		b.Fatal(err)
	}
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
