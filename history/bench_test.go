package history

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

func size(t testing.TB, dir string) int64 {
	files, err := segmentFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	total := int64(0)
	for _, f := range files {
		total += f.size
	}
	return total
}

// An observation with all its evidence costs at most 24 bytes on the disk,
// also when it is flushed four times a second.
func TestAnObservationCostsFewBytes(t *testing.T) {
	all := realistic(40_000)
	for name, flush := range map[string]func(int) bool{
		"frames as they fill":           nil,
		"flushed every 250 ms at 500/s": every(125),
	} {
		each := float64(size(t, record(t, all, &End{}, flush))) / float64(len(all))
		t.Logf("%s: %.1f bytes an observation", name, each)
		if each > 24 {
			t.Errorf("%s: got %.1f bytes an observation, want at most 24", name, each)
		}
	}
}

// Reading holds a frame, however long the record is.
func TestMemoryDoesNotGrowWithTheRecord(t *testing.T) {
	held := func(frames int) uint64 {
		dir := filepath.Join(t.TempDir(), "observations")
		w, err := Create(dir, someHeader())
		if err != nil {
			t.Fatal(err)
		}
		part := realistic(frameCount)
		for range frames {
			for _, o := range part {
				if err := w.Append(o); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := w.Close(End{}); err != nil {
			t.Fatal(err)
		}
		w, part = nil, nil
		h := open(t, dir)
		n, last := 0, frames*frameCount-1
		var stats runtime.MemStats
		for _, err := range h.All() {
			if err != nil {
				t.Fatal(err)
			}
			if n == last {
				runtime.GC()
				runtime.ReadMemStats(&stats)
			}
			n++
		}
		return stats.HeapAlloc
	}
	few, many := held(4), held(60)
	if many > few+2<<20 {
		t.Errorf("at the end of 60 frames: got %d bytes held, want about the %d of 4 frames", many, few)
	}
}

// asVegeta returns the results that vegeta would have written itself.
func asVegeta(t testing.TB, all []Observation) []byte {
	var b bytes.Buffer
	encode := vegeta.NewEncoder(&b)
	for i, o := range all {
		r := vegeta.Result{
			Attack: "metrics", Seq: uint64(i), Code: uint16(o.Status), Timestamp: someHeader().Started.Add(o.Sent),
			Latency: o.Done - o.Sent, BytesIn: uint64(o.BytesIn), BytesOut: uint64(o.BytesOut),
			Method: http.MethodGet, URL: "http://127.0.0.1:41377/beak/metrics", Headers: http.Header{},
		}
		for _, f := range o.Evidence {
			if !strings.HasPrefix(f.Name, "json:") {
				r.Headers.Add(f.Name, f.Value)
			}
		}
		if err := encode.Encode(&r); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// BenchmarkReadBesideVegeta reads the same observations from a record and from
// vegeta's own format, one after the other in each round, and reports how many
// times as fast the record is.
func BenchmarkReadBesideVegeta(b *testing.B) {
	all := realistic(100_000)
	dir := record(b, all, &End{}, every(2500))
	theirs := asVegeta(b, all)
	for _, with := range []string{"All", "Open and All"} {
		b.Run(with, func(b *testing.B) {
			var ours, gob time.Duration
			h := open(b, dir)
			for b.Loop() {
				began := time.Now()
				if with != "All" {
					h = open(b, dir)
				}
				n := 0
				for _, err := range h.All() {
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
				ours += time.Since(began)

				began = time.Now()
				decode := vegeta.NewDecoder(bytes.NewReader(theirs))
				for {
					var r vegeta.Result
					if err := decode.Decode(&r); err == io.EOF {
						break
					} else if err != nil {
						b.Fatal(err)
					}
					n--
				}
				gob += time.Since(began)
				if n != 0 {
					b.Fatalf("%d results more or less than observations", n)
				}
			}
			each := float64(b.N * len(all))
			b.ReportMetric(float64(ours.Nanoseconds())/each, "ns/observation")
			b.ReportMetric(float64(gob.Nanoseconds())/each, "vegeta-ns/result")
			b.ReportMetric(float64(gob)/float64(ours), "times-vegeta")
			b.ReportMetric(float64(size(b, dir))/float64(len(all)), "bytes/observation")
			b.ReportMetric(float64(len(theirs))/float64(len(all)), "vegeta-bytes/result")
			b.ReportMetric(0, "ns/op") // both sides together: says nothing
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	all := realistic(10_000)
	for _, flush := range []int{0, 2500} {
		b.Run(fmt.Sprintf("flush=%d", flush), func(b *testing.B) {
			dir := b.TempDir()
			w, err := Create(dir, someHeader())
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				if err := w.Append(all[n%len(all)]); err != nil {
					b.Fatal(err)
				}
				if n++; flush > 0 && n%flush == 0 {
					if err := w.Flush(); err != nil {
						b.Fatal(err)
					}
				}
			}
			if err := w.Close(End{}); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkReadMany shows that the time for each observation, and the memory,
// stay as they are when the record grows.
func BenchmarkReadMany(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000, 10_000_000} {
		b.Run(fmt.Sprintf("observations=%d", n), func(b *testing.B) {
			dir, err := os.MkdirTemp(b.TempDir(), "many")
			if err != nil {
				b.Fatal(err)
			}
			w, err := Create(dir, someHeader())
			if err != nil {
				b.Fatal(err)
			}
			part := realistic(100_000)
			for i := range n {
				o := part[i%len(part)]
				o.Seq += uint64(i - i%len(part))
				if err := w.Append(o); err != nil {
					b.Fatal(err)
				}
			}
			if err := w.Close(End{}); err != nil {
				b.Fatal(err)
			}
			w, part = nil, nil
			var most uint64
			for b.Loop() {
				read := 0
				for _, err := range open(b, dir).All() {
					if err != nil {
						b.Fatal(err)
					}
					if read++; read%(n/4) == 0 {
						var stats runtime.MemStats
						runtime.GC()
						runtime.ReadMemStats(&stats)
						most = max(most, stats.HeapAlloc)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/observation")
			b.ReportMetric(float64(most)/(1<<20), "MiB-held")
		})
	}
}
