package fleet

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"duckload/history"
)

// BenchmarkCollecting has three agents hand in 200,000 observations each over
// a bus that brings everything to the disk before it says so, and one
// collector take them. It must be far above what three agents can send.
func BenchmarkCollecting(b *testing.B) {
	const agents, each = 3, 200_000
	server, err := Serve(filepath.Join(b.TempDir(), "bus"))
	if err != nil {
		b.Fatal(err)
	}
	defer server.Close()
	bus, err := Dial(b.Context(), server.Access)
	if err != nil {
		b.Fatal(err)
	}
	defer bus.Close()
	if err := bus.Prepare(b.Context()); err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	for i := range agents {
		benchRecord(b, filepath.Join(dir, names(agents)[i]), each)
	}
	n := 0
	for b.Loop() {
		n++
		run := fmt.Sprintf("run-%d", n)
		into := NewCollector(filepath.Join(dir, "collected", run))
		ctx, cancel := context.WithCancel(b.Context())
		ended := make(chan error, 1)
		go func() { ended <- into.Run(ctx, bus, run) }()
		var ships sync.WaitGroup
		for _, name := range names(agents) {
			ships.Go(func() {
				s := &shipper{bus: bus, run: run, agent: name, dir: filepath.Join(dir, name), at: map[string]int64{}}
				if err := s.finish(ctx); err != nil {
					b.Error(err)
				}
			})
		}
		for _, name := range names(agents) {
			for !into.Done(name) {
				<-into.change
			}
		}
		ships.Wait()
		cancel()
		<-ended
		if err := into.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)*agents*each/b.Elapsed().Seconds(), "observations/s")
}

func benchRecord(b *testing.B, dir string, n int) {
	b.Helper()
	w, err := history.Create(dir, history.Header{
		Run: "r", Groups: []history.Group{{Name: "g", Counter: "g"}}, Lanes: []history.Lane{{}}, Phases: []history.Phase{{}},
	})
	if err != nil {
		b.Fatal(err)
	}
	for i := range n {
		at := time.Duration(i) * 100 * time.Microsecond
		err := w.Append(history.Observation{Seq: uint64(i), Intended: at, Sent: at + time.Duration(i*7919%50000), Answered: at + time.Duration(1000000+i*104729%700000), Done: at + 1900000, Status: 200, BytesIn: 120})
		if err != nil {
			b.Fatal(err)
		}
		if i%2000 == 1999 {
			if err := w.Flush(); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := w.Close(history.End{Complete: true, Offered: n}); err != nil {
		b.Fatal(err)
	}
	if err := writeManifest(dir, manifest{}); err != nil {
		b.Fatal(err)
	}
}
