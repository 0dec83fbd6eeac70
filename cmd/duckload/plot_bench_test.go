package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// BenchmarkReportBesidePlot judges and reports a million observations, with all
// its pictures, and lets vegeta plot a million results of its own in the same
// run. The ratio must stay below 1. DUCKLOAD_BENCH_VEGETA names the vegeta command.
func BenchmarkReportBesidePlot(b *testing.B) {
	const n = 1_000_000
	dir := b.TempDir()
	results := filepath.Join(dir, "results.bin")
	shapes[0].write(b, filepath.Join(dir, observationsDir), n)
	writeResults(b, results, n)
	build := func(name string, cmd *exec.Cmd) string {
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		return filepath.Join(dir, name)
	}
	duckload := build("duckload", exec.Command("go", "build", "-o", filepath.Join(dir, "duckload"), "."))
	tool := os.Getenv("DUCKLOAD_BENCH_VEGETA")
	if tool == "" {
		install := exec.Command("go", "install", "github.com/tsenart/vegeta/v12@v12.13.0")
		install.Env = append(os.Environ(), "GOBIN="+dir)
		tool = build("vegeta", install)
	}
	page := filepath.Join(dir, "report.html")
	b.ResetTimer()
	for b.Loop() {
		ours := measured(b, duckload, "report", dir, "--format", "html", "--out", page)
		theirs := measured(b, tool, "plot", "-output", filepath.Join(dir, "plot.html"), results)
		b.ReportMetric(ours.wall.Seconds(), "s/duckload")
		b.ReportMetric(theirs.wall.Seconds(), "s/vegeta-plot")
		b.ReportMetric(ours.wall.Seconds()/theirs.wall.Seconds(), "ratio")
		b.ReportMetric(ours.cpu.Seconds(), "cpu-s/duckload")
		b.ReportMetric(theirs.cpu.Seconds(), "cpu-s/vegeta-plot")
		b.ReportMetric(ours.cpu.Seconds()/theirs.cpu.Seconds(), "cpu-ratio")
		b.ReportMetric(ours.mebibytes, "MiB")
	}
	if info, err := os.Stat(page); err != nil || info.Size() > 1_500_000 {
		b.Errorf("the page has %d bytes (%v), want at most 1.5 MB", info.Size(), err)
	}
}
