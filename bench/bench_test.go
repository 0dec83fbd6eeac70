// Package bench compares duckload with other tools and with the least that a
// machine can do: both sides of every ratio are measured in one run, in turns,
// and medians are told. It holds no code of duckload, and no test asks for a
// time: make bench prints tables for people to read. It runs every contestant,
// and the servers, with a real-time priority where it may, so that a machine
// that others use is measured as if it were ours. What burns a processor whole is
// then stopped by the kernel for a twentieth of each second, which shows in p99.
package bench

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The programs of this package are the test binary itself, started with the
// name of one in the environment.
const (
	programKey = "DUCKLOAD_BENCH_PROGRAM"
	toolsKey   = "DUCKLOAD_BENCH_TOOLS" // folder of duckload and its peers
)

func TestMain(m *testing.M) {
	switch os.Getenv(programKey) {
	case "server":
		serveArrivals()
	case "spin":
		spin(os.Args[1:])
	case "burst":
		rawBurst(os.Args[1:])
	case "blast":
		blast(os.Args[1:])
	default:
		os.Exit(m.Run())
	}
}

// own returns a command that runs a program of this package.
func own(b *testing.B, program string, args ...string) *exec.Cmd {
	b.Helper()
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	c := exec.Command(self, args...)
	c.Env = append(os.Environ(), programKey+"="+program)
	c.Stderr = os.Stderr
	return c
}

// tool returns the path of a peer. Without it there is nothing to compare.
func tool(b *testing.B, name string) string {
	b.Helper()
	for _, path := range []string{filepath.Join(os.Getenv(toolsKey), name), name, "/usr/sbin/" + name} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	b.Fatalf("%s is not installed (make bench installs it)", name)
	return ""
}

// run runs a command to its end and returns what it wrote. Tools that judge
// what they see may end with a failure.
func run(b *testing.B, c *exec.Cmd, mayFail bool) string {
	b.Helper()
	var errs strings.Builder
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil && !mayFail {
		b.Fatalf("%s: %v\n%s%s", c, err, out, errs.String())
	}
	return string(out)
}

// table prints the rows of a measurement, and what is to be said of them all.
func table(title, remark string, rows ...[]string) {
	fmt.Printf("\n%s\n", title)
	widths := map[int]int{}
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	for _, row := range rows {
		for i, cell := range row {
			fmt.Print("  ", cell, strings.Repeat(" ", widths[i]-len([]rune(cell))))
		}
		fmt.Println()
	}
	fmt.Println("  " + remark)
}

// median returns the middle of some values, and quantile another part.
func median[T cmp.Ordered](values []T) T { return quantile(values, 0.5) }

func quantile[T cmp.Ordered](values []T, q float64) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

func micros(ns float64) string { return fmt.Sprintf("%.0f µs", ns/1e3) }

// duckload runs a plan written by hand against a target, and returns the
// folder of its record.
func duckload(b *testing.B, target, group string) string {
	b.Helper()
	dir := b.TempDir()
	scenario := filepath.Join(dir, "scenario.yaml")
	text := "version: 1\ntarget: " + target + "\ngroups:\n  g: {promise: {limit: 1000000/s, burst: 1000000}, requests: [GET /x], " + group + "}\n"
	if err := os.WriteFile(scenario, []byte(text), 0o644); err != nil {
		b.Fatal(err)
	}
	out := run(b, exec.Command(tool(b, "duckload"), "run", scenario, "--quiet", "--out", dir), true)
	records, err := filepath.Glob(filepath.Join(dir, "*", "observations"))
	if err != nil || len(records) != 1 {
		b.Fatalf("got records %q, %v\n%s", records, err, out)
	}
	return records[0]
}
