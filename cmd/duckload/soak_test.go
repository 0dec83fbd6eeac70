package main

import (
	"bytes"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"duckload/history"
)

var soak = flag.Duration("soak", 0, "how long to send at 80 % of this machine's highest rate")

// A long run at a high rate takes no more memory at its end than at its
// beginning, each request that the server saw is on record, and the report of
// it opens. make soak runs it for ten minutes.
func TestALongRunAtAHighRate(t *testing.T) {
	if *soak == 0 {
		t.Skip("make soak runs it")
	}
	if _, err := os.Stat("/proc/self/statm"); err != nil {
		t.Skip("memory is read from /proc")
	}
	var arrived atomic.Int64
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		arrived.Add(1)
		w.Header().Set("X-RateLimit-Remaining", "5")
		_, _ = w.Write([]byte("ok\n"))
	})}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close() })
	dir := t.TempDir()
	command := itself(t, dir)
	run := func(rate int, length, stop time.Duration) (sent int, memory []int) {
		arrived.Store(0)
		text := fmt.Sprintf("version: 1\nname: soak\ntarget: http://%s\nbudget: {requests: 1000000000}\ngroups:\n"+
			"  g: {promise: {limit: 1000000/s, burst: 1000000}, transport: fast, connections: 64, requests: [GET /], pacing: [{hold: %d/s, for: %s}]}\n", l.Addr(), rate, length)
		if err := os.WriteFile(filepath.Join(dir, "soak.yaml"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(dir, strconv.Itoa(rate))
		c := exec.Command(command, "run", "soak.yaml", "--out", out, "--quiet", "--fail-on", "none")
		var said bytes.Buffer
		c.Dir, c.Stdout, c.Stderr = dir, &said, &said
		began := time.Now()
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		for time.Since(began) < min(length-time.Second, stop) { // what judging takes afterwards is another matter
			time.Sleep(time.Second)
			memory = append(memory, resident(t, c.Process.Pid))
		}
		if stop < length {
			if err := c.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
		}
		err := c.Wait()
		if stopped := c.ProcessState.ExitCode() == exitTerminated && stop < length; err != nil && !stopped {
			t.Fatalf("%v\n%s", err, &said)
		}
		runs, err := filepath.Glob(filepath.Join(out, "*"))
		if err != nil || len(runs) != 1 {
			t.Fatalf("got %q, %v", runs, err)
		}
		h, err := history.Open(filepath.Join(runs[0], observationsDir))
		if err != nil {
			t.Fatal(err)
		}
		for o, err := range h.All() {
			if err != nil {
				t.Fatal(err)
			}
			if o.Status != 0 {
				sent++
			}
		}
		if h.End == nil || len(h.Missing) > 0 || h.End.Complete && sent != int(arrived.Load()) || !h.End.Complete && length <= stop {
			t.Errorf("%d answers on record, %d requests at the server, missing %q: want all of them", sent, arrived.Load(), h.Missing)
		}
		if page, err := os.ReadFile(filepath.Join(runs[0], "report.html")); err != nil || len(page) > 1_500_000 || !bytes.Contains(page, []byte("</html>")) {
			t.Errorf("the report has %d bytes (%v), want a whole page of at most 1.5 MB", len(page), err)
		}
		return sent, memory
	}
	const probed = 5 * time.Second
	most, _ := run(200_000, time.Minute, probed)
	rate := int(float64(most) / probed.Seconds() * 0.8)
	sent, memory := run(max(rate, 100), *soak, *soak)
	quarter := len(memory) / 4
	early, late := median(memory[quarter:2*quarter]), median(memory[3*quarter:])
	t.Logf("%d requests in %s, at %d/s of at most %d/s; %d MB resident in the second quarter, %d MB in the last, %d MB at most", sent, *soak, rate, most/5, early>>20, late>>20, slices.Max(memory)>>20)
	if late > early+early/4+16<<20 {
		t.Errorf("memory grew from %d MB to %d MB", early>>20, late>>20)
	}
}

// resident is how much memory a process has, in bytes.
func resident(t *testing.T, pid int) int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

func median(all []int) int {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}
