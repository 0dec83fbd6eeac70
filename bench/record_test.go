package bench

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"duckload/attack"
	"duckload/history"
	"duckload/scenarios"
)

// BenchmarkRecord is what keeping every observation costs: bytes on disk, and
// a share of the throughput.
func BenchmarkRecord(b *testing.B) {
	const without, with = "no record", "every observation"
	target := nginx(b)
	var bytes []float64
	r := compete(9*b.N,
		contestant{without, func() float64 { return many / seconds(b, target, "") }},
		contestant{with, func() float64 {
			dir := filepath.Join(b.TempDir(), "record")
			took := seconds(b, target, dir)
			bytes = append(bytes, sizeOf(b, dir)/many)
			return many / took
		}},
	)
	size := ratio{median(bytes), quantile(bytes, 0.25), quantile(bytes, 0.75)}
	table(fmt.Sprintf("Record: %d requests over %d connections, nginx", many, atOnce), r.quiet(),
		[]string{"requests a second, " + without, fmt.Sprintf("%.0f", r.median(without))},
		[]string{"requests a second, " + with, fmt.Sprintf("%.0f", r.median(with))},
		[]string{"the second against the first", r.ratio(with, without).atLeast(0.9)},
		[]string{"bytes an observation", size.atMost(24)},
	)
}

func seconds(b *testing.B, target, dir string) float64 {
	b.Helper()
	took, err := strconv.ParseFloat(strings.TrimSpace(run(b, own(b, "blast", target, dir), false)), 64)
	if err != nil {
		b.Fatal(err)
	}
	return took
}

func sizeOf(b *testing.B, dir string) (bytes float64) {
	b.Helper()
	err := filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		bytes += float64(info.Size())
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return bytes
}

// blast sends as fast as it can and says how many seconds it took. Arguments:
// target, folder of the record; empty: none is kept.
func blast(args []string) {
	text := fmt.Sprintf("version: 1\ntarget: %s\ngroups:\n  g: {promise: {limit: 1000000/s, burst: 1000000}, requests: [GET /x], transport: fast, connections: %d, pacing: [{burst: %d}]}\n", args[0], atOnce, many)
	s, err := scenarios.Load("bench", []byte(text), scenarios.Env{})
	if err != nil {
		panic(err)
	}
	plan, err := scenarios.Compile(s, scenarios.CompileOptions{Run: "bench"})
	if err != nil {
		panic(err)
	}
	o := attack.Options{Target: args[0], UserAgent: "duckload/bench", Record: func(history.Observation) error { return nil }}
	var record *history.Writer
	if args[1] != "" {
		record, err = history.Create(args[1], history.Header{
			Run: "bench", Groups: []history.Group{{Name: "g", Promise: s.Groups[0].Promise}},
			Lanes: []history.Lane{{}}, Phases: []history.Phase{{Pace: "burst"}},
		})
		if err != nil {
			panic(err)
		}
		o.Record = record.Append
	}
	began := time.Now()
	end, err := attack.Run(context.Background(), plan, o)
	if err != nil || !end.Complete {
		panic(fmt.Sprint(end, err))
	}
	if record != nil {
		if err := record.Close(end); err != nil {
			panic(err)
		}
	}
	fmt.Fprintln(os.Stdout, time.Since(began).Seconds())
}
