package sizing

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"duckload/limiter"
	"duckload/trace"
)

// The curve of ten million moments in a text file, beside sort -n of the same
// file in the same run, and everything else that is asked of it.
func BenchmarkSize(b *testing.B) {
	const n = 10_000_000
	path := filepath.Join(b.TempDir(), "moments.csv")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriter(f)
	at, random := int64(1_700_000_000_000_000_000), rand.New(rand.NewPCG(1, 2))
	for range n {
		at += int64(random.ExpFloat64() * 8e6)
		fmt.Fprintf(w, "%d.%06d\n", at/1e9, at%1e9/1e3)
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	f.Close()
	var reading, curve, whole, sorting time.Duration
	for b.Loop() {
		began := time.Now()
		in, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		s := trace.NewSpool(b.TempDir())
		if _, err := trace.Scan("moments", in, trace.Options{}, func(r trace.Request) bool { return s.Add(r.At, r.Key) == nil }); err != nil {
			b.Fatal(err)
		}
		in.Close()
		if err := s.Seal(); err != nil {
			b.Fatal(err)
		}
		reading += time.Since(began)
		t, err := survey(s, time.Minute)
		if err != nil {
			b.Fatal(err)
		}
		e := engine{spool: s, scope: All, window: time.Minute, days: t.traffic.Days}
		var queues []*queue
		for _, l := range t.grid(All, Question{Window: time.Minute}) {
			queues = append(queues, e.queue(l, 1))
		}
		if err := e.queues(queues); err != nil {
			b.Fatal(err)
		}
		curve += time.Since(began)

		began = time.Now()
		sorted := exec.Command("sort", "-n", "-o", os.DevNull, path)
		if err := sorted.Run(); err != nil {
			b.Fatal(err)
		}
		sorting += time.Since(began)

		began = time.Now()
		documented := limiter.Limit{Limit: 8000, Window: time.Minute, Burst: 500, Reading: limiter.TokenBucket}
		if _, err := Size(s, Question{Documented: &documented, Growth: []float64{1.5, 2, 3}}); err != nil {
			b.Fatal(err)
		}
		whole += time.Since(began)
		s.Close()
	}
	per := float64(b.N)
	b.ReportMetric(reading.Seconds()/per, "s/read")
	b.ReportMetric(curve.Seconds()/per, "s/read+curve")
	b.ReportMetric(sorting.Seconds()/per, "s/sort-n")
	b.ReportMetric(curve.Seconds()/sorting.Seconds(), "ratio")
	b.ReportMetric(whole.Seconds()/per, "s/everything-else")
}
