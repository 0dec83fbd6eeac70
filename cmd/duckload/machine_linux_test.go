package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"duckload/emulator"
)

// The tests of this file fail the machine that sends: its disk, its sockets,
// its time, its life. The target is an emulator that keeps its promise, in this
// process; what is failed is a process of its own.

// steady keeps a part of the Space Duck promise busy for a while.
const steady = `
version: 1
name: steady
target: http://127.0.0.1:1
groups:
  status:
    promise: {limit: 60/2s, burst: 120, scope: global}
    objectives: {errors: 1%%}
    sources: [127.0.0.1]
    requests: [GET /beak/system/status]
    pacing: [%s]
    %s
`

// A failing is a folder with a scenario, and a target that is honest.
type failing struct {
	t        *testing.T
	dir      string
	duckload string
	url      string
}

func newFailing(t *testing.T, pacing, keys string) *failing {
	t.Helper()
	served, err := start(t.Context(), emulator.SpaceDuck().Scaled(2*time.Second), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(served.close)
	f := &failing{t: t, dir: t.TempDir(), url: served.url}
	f.duckload = itself(t, f.dir)
	f.scenario(pacing, keys)
	return f
}

func (f *failing) scenario(pacing, keys string) {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, "steady.yaml"), fmt.Appendf(nil, steady, pacing, keys), 0o644); err != nil {
		f.t.Fatal(err)
	}
}

// shell returns a command for a shell, in the folder, with $RUN as the command
// that runs the scenario.
func (f *failing) shell(script string) *exec.Cmd {
	c := exec.CommandContext(f.t.Context(), "sh", "-c", script)
	c.Dir = f.dir
	c.Env = append(os.Environ(), "RUN="+f.duckload+" run steady.yaml --quiet --target "+f.url, "DUCKLOAD="+f.duckload, "CI=", "GITHUB_ACTIONS=")
	return c
}

// run runs a script to its end.
func (f *failing) run(script string) (exit int, said string) {
	f.t.Helper()
	out, err := f.shell(script).CombinedOutput()
	var ended *exec.ExitError
	if err != nil && !asExit(err, &ended) {
		f.t.Fatal(err)
	}
	if ended != nil {
		exit = ended.ExitCode()
	}
	return exit, string(out)
}

func asExit(err error, ended **exec.ExitError) bool {
	e, ok := err.(*exec.ExitError)
	*ended = e
	return ok
}

// judged judges what is in the only run of a folder, and fails the test if a
// check fails or nothing can be read.
func (f *failing) judged(out string, statuses ...int) string {
	f.t.Helper()
	exit, said := inProcess(f.t, "analyze", f.only(out))
	for _, status := range statuses {
		if exit == status {
			return said
		}
	}
	f.t.Errorf("analyze: got status %d, want one of %d:\n%s", exit, statuses, said)
	return said
}

func (f *failing) only(out string) string {
	f.t.Helper()
	runs, err := filepath.Glob(filepath.Join(f.dir, out, "*"))
	if err != nil || len(runs) != 1 {
		f.t.Fatalf("got the runs %q, %v, want one", runs, err)
	}
	return runs[0]
}

// wants fails the test unless a command ended as it must and said so.
func wants(t *testing.T, got int, said string, want int, words ...string) {
	t.Helper()
	if got != want {
		t.Errorf("got status %d, want %d:\n%s", got, want, said)
	}
	for _, w := range words {
		if !strings.Contains(said, w) {
			t.Errorf("got no %q in:\n%s", w, said)
		}
	}
}

// unshared reports whether this machine lets a test have a file system, or a
// network, of its own. Where it does not, the rest of a test stands for it.
func unshared(t *testing.T, flags string) bool {
	if err := exec.Command("unshare", flags, "true").Run(); err != nil {
		t.Logf("unshare %s: %v: not tested here", flags, err)
		return false
	}
	return true
}

// kills is how often a run is killed.
const kills = 30

// Whatever a run has told its follower is on the disk: the run may be killed at
// any moment, and all of it can be read and judged.
func TestKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	slots := make(chan struct{}, 6)
	var wait sync.WaitGroup
	var broken atomic.Int32
	for range kills {
		f := newFailing(t, "{hold: 100/s, for: 1500ms}", "") // nobody else uses its counter
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			var told, said bytes.Buffer
			c := f.shell("exec $RUN --format ndjson=- --out out")
			c.Stdout, c.Stderr = &told, &said
			if err := c.Start(); err != nil {
				t.Error(err)
				return
			}
			time.Sleep(time.Duration(rand.Int64N(int64(2500 * time.Millisecond))))
			c.Process.Kill()
			c.Wait()
			if f.killed(told.String(), said.String()) {
				broken.Add(1)
			}
		})
	}
	wait.Wait()
	if broken.Load() == 0 {
		t.Error("no run was killed in its middle")
	}
}

// killed looks at what a run left, and reports whether it had begun and not
// ended.
func (f *failing) killed(told, said string) (broken bool) {
	t := f.t
	if strings.Contains(said, "panic") || strings.Contains(said, "duckload: ") || strings.Contains(said, "FAIL") {
		t.Errorf("it said %q", said)
	}
	runs, _ := filepath.Glob(filepath.Join(f.dir, "out", "*"))
	if len(runs) == 0 {
		if told != "" {
			t.Errorf("it told of requests and left nothing")
		}
		return false
	}
	exit, verdict := inProcess(t, "analyze", runs[0])
	h, err := openRun(runs[0])
	if err != nil { // it had not begun
		if told != "" || exit != exitUsage || !strings.Contains(verdict, "no record here") && !strings.Contains(verdict, "no readable header") {
			t.Errorf("got status %d, %v after %d bytes of events:\n%s", exit, err, len(told), verdict)
		}
		return false
	}
	type attempt struct {
		Event  string
		Seq    uint64
		Resent bool
	}
	recorded := map[attempt]bool{}
	for o, err := range h.All() {
		if err != nil {
			t.Errorf("%v", err)
		}
		recorded[attempt{"request", o.Seq, o.Resent}] = true
	}
	lines := strings.Split(told, "\n")
	for _, line := range lines[:len(lines)-1] { // the last one may be cut
		var event attempt
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			t.Errorf("%v in the event %q", err, line)
		}
		if event.Event == "request" && !recorded[event] {
			t.Errorf("the record lacks request %d, which was told", event.Seq)
		}
	}
	switch broken = h.End == nil; {
	case broken && (exit != exitStopped || !strings.Contains(verdict, "the record breaks off")):
		t.Errorf("got status %d of a run that was killed:\n%s", exit, verdict)
	case !broken && exit != exitInconclusive && exit != exitPass:
		t.Errorf("got status %d of a run that had ended:\n%s", exit, verdict)
	}
	if page, err := os.ReadFile(filepath.Join(runs[0], "report.html")); err == nil && !bytes.HasSuffix(bytes.TrimSpace(page), []byte("</html>")) {
		t.Errorf("half a report")
	}
	return broken
}

// A disk that is full ends the run, and what had reached it is judged.
func TestAFullDisk(t *testing.T) {
	t.Parallel()
	t.Run("files may not grow", func(t *testing.T) {
		t.Parallel()
		f := newFailing(t, "{hold: 400/s, for: 3s}", "")
		exit, said := f.run("ulimit -f 16; exec $RUN --out out")
		wants(t, exit, said, exitStopped, "recording to", "file too large", "the record breaks off", "nothing fails")
		if n := strings.Count(said, "recording to"); n != 1 {
			t.Errorf("got the error %d times, want once:\n%s", n, said)
		}
		wants(t, exitStopped, f.judged("out", exitStopped), exitStopped, "the record breaks off")
	})
	t.Run("the file system is full", func(t *testing.T) {
		t.Parallel()
		if !unshared(t, "-Urm") {
			return
		}
		f := newFailing(t, "{hold: 400/s, for: 3s}", "")
		exit, said := f.run(`exec unshare -Urm sh -c 'mkdir full && mount -t tmpfs -o size=16k none full && $RUN --out full; status=$?; cp -r full out; exit $status'`)
		wants(t, exit, said, exitStopped, "recording to", "no space left on device", "the record breaks off", "report.html", "verdict.json")
		f.judged("out", exitStopped)
	})
	t.Run("no room for the report", func(t *testing.T) {
		t.Parallel()
		f := newFailing(t, "{hold: 100/s, for: 500ms}", "")
		exit, said := f.run("ulimit -f 32; exec $RUN --out out") // 16 KiB
		wants(t, exit, said, exitStopped, "report.html", "file too large", "nothing fails")
		f.judged("out", exitPass, exitInconclusive)
		if _, err := os.Stat(filepath.Join(f.only("out"), "verdict.json")); err != nil {
			t.Errorf("the verdict was not written: %v", err)
		}
	})
}

// Where results cannot be written, nothing is sent.
func TestResultsThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer s.Close()
	f := newFailing(t, "{hold: 100/s, for: 500ms}", "")
	f.url = s.URL
	exit, said := f.run("touch file; exec $RUN --out file")
	wants(t, exit, said, exitUsage, "--out: ", "not a directory")
	exit, said = f.run("ulimit -f 0; exec $RUN --out none")
	wants(t, exit, said, exitUsage, "file too large")
	if unshared(t, "-Urm") {
		exit, said = f.run(`exec unshare -Urm sh -c 'mkdir ro && mount -t tmpfs -o ro none ro && $RUN --out ro/x'`)
		wants(t, exit, said, exitUsage, "--out: ", "read-only file system")
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("got %d requests, want none", n)
	}
}

// Too few files, or ports, is this machine's fault: the target is neither asked
// nor blamed, and the words say what to do.
func TestAMachineWithoutSockets(t *testing.T) {
	t.Parallel()
	t.Run("files", func(t *testing.T) {
		t.Parallel()
		slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			time.Sleep(200 * time.Millisecond)
		}))
		defer slow.Close()
		f := newFailing(t, "{burst: 60}", "")
		f.url = slow.URL
		exit, said := f.run("ulimit -n 40; exec $RUN --out out")
		wants(t, exit, said, exitInconclusive, "local (dial: socket: too many open files", "ulimit -n")
		verdict, err := os.ReadFile(filepath.Join(f.only("out"), "verdict.json"))
		if err != nil {
			t.Fatal(err)
		}
		wants(t, exit, string(verdict), exitInconclusive, "could not be sent by this machine")
	})
	t.Run("ports", func(t *testing.T) {
		t.Parallel()
		if !unshared(t, "-Urn") {
			return
		}
		f := newFailing(t, "{burst: 60}", "")
		exit, said := f.run(`exec unshare -Urn sh -c 'ip link set lo up && echo "40000 40015" >/proc/sys/net/ipv4/ip_local_port_range || exit 99
			$DUCKLOAD emulate --listen 127.0.0.1:9999 --window 2s --defect slow >/dev/null 2>&1 & server=$!
			for i in 1 2 3 4 5 6 7 8 9; do sleep 0.$i; $RUN --target http://127.0.0.1:9999 --out out; status=$?; [ $status = 5 ] || break; done; kill $server; exit $status'`)
		if exit == 99 {
			t.Skip("no network of its own here")
		}
		wants(t, exit, said, exitInconclusive, "local (dial: bind: address already in use", "no port left")
	})
}

// A machine that is too slow is late. It tells how late, and nothing wrong.
func TestAMachineThatIsTooSlow(t *testing.T) {
	t.Parallel()
	f := newFailing(t, "{burst: 130}, {hold: 200/s, for: 1s}", "")
	exit, said := f.run(`for i in 1 2 3; do timeout 30 sh -c 'while :; do :; done' & burners="$burners $!"; done
		GOMAXPROCS=1 nice -n 3 $RUN --out out; status=$?; kill $burners; exit $status`)
	if exit != exitPass && exit != exitInconclusive {
		t.Errorf("got status %d:\n%s", exit, said)
	}
	h, err := openRun(f.only("out"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for o, err := range h.All() {
		if n++; err != nil || o.Sent < o.Intended || o.Answered < o.Sent {
			t.Errorf("got %+v, %v, want intended ≤ sent ≤ answered", o, err)
		}
	}
	if n != 330 {
		t.Errorf("got %d observations, want all 330", n)
	}
}

// The first signal ends a run in order, the second at once; both leave what was
// recorded.
func TestSignals(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, script string
		exit         int
		analyzed     int
		report       bool
	}{
		{"one", `$RUN --out out & pid=$!; sleep 1.5; kill -INT $pid; wait $pid`, exitInterrupted, exitStopped, true},
		{"SIGTERM", `$RUN --out out & pid=$!; sleep 1.5; kill -TERM $pid; wait $pid`, exitTerminated, exitStopped, true},
		{"two", `$RUN --out out & pid=$!; sleep 1.5; kill -INT $pid; kill -INT $pid; kill -TERM $pid; wait $pid`, -1, exitStopped, false},
		{"nobody reads the summary", `$RUN --out out | true`, 0, exitInconclusive, true},
		{"who read the events leaves", `($RUN --format ndjson=- --out out; echo $? >status) | head -n 3 >/dev/null; exit $(cat status)`, exitStopped, exitInconclusive, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			pacing := "{hold: 50/s, for: 1m}"
			if tc.analyzed == exitInconclusive {
				pacing = "{hold: 50/s, for: 1s}"
			}
			f := newFailing(t, pacing, "")
			exit, said := f.run(tc.script)
			if exit != tc.exit && (tc.exit >= 0 || exit != exitInterrupted && exit != exitTerminated) {
				t.Errorf("got status %d, want %d:\n%s", exit, tc.exit, said)
			}
			f.judged("out", tc.analyzed)
			if _, err := os.Stat(filepath.Join(f.only("out"), "report.html")); tc.report && err != nil {
				t.Error(err)
			}
		})
	}
}

// A wall clock that jumps names folders oddly, and changes nothing else.
func TestAWallClockThatJumps(t *testing.T) {
	t.Parallel()
	f := newFailing(t, "{burst: 130}, {hold: 100/s, for: 500ms}", "")
	var out bytes.Buffer
	p := unwatched(&out)
	jump := time.Hour
	p.now = func() time.Time { jump *= -2; return time.Now().Add(jump) }
	exit := p.main(t.Context(), []string{"run", filepath.Join(f.dir, "steady.yaml"), "--target", f.url, "--out", filepath.Join(f.dir, "out"), "--quiet"})
	wants(t, exit, out.String(), exitInconclusive, "nothing fails")
	h, err := openRun(f.only("out"))
	if err != nil {
		t.Fatal(err)
	}
	for o, err := range h.All() {
		if err != nil || o.Sent < 0 || o.Sent < o.Intended || o.Answered < o.Sent || o.Answered > time.Minute {
			t.Errorf("got %+v, %v, want moments of one clock", o, err)
		}
	}
}

// What a server sends without end is left: the memory of a run stays small.
func TestFloodsNeedNoMemory(t *testing.T) {
	t.Parallel()
	const most = 256 << 10 // KiB; the race detector needs several times what is used
	slots := make(chan struct{}, 4)
	var wait sync.WaitGroup
	for _, f := range allFaults() {
		if !f.flood {
			continue
		}
		for _, transport := range f.transports() {
			wait.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				server := newFaulty(t, f, transport)
				defer server.close()
				dir, err := os.MkdirTemp(t.TempDir(), "flood")
				if err != nil {
					t.Error(err)
					return
				}
				c := exec.CommandContext(t.Context(), itself(t, dir), "run", f.written(t, dir, transport), "--target", server.url(), "--out", filepath.Join(dir, "out"), "--quiet")
				var said bytes.Buffer
				c.Stdout, c.Stderr = &said, &said
				if err := c.Start(); err != nil {
					t.Error(err)
					return
				}
				peak := peakOf(c.Process.Pid)
				c.Wait()
				used := <-peak
				t.Logf("%s, %s: %d KiB", f.name, transport, used)
				if exit := c.ProcessState.ExitCode(); exit != exitInconclusive || used == 0 || used > most {
					t.Errorf("%s, %s: got status %d and %d KiB, want at most %d KiB:\n%s", f.name, transport, exit, used, most, &said)
				}
			})
		}
	}
	wait.Wait()
}

// peakOf returns the most memory that a process has had, in KiB, when it has
// ended. What the kernel tells of one that has ended is at least what its
// parent had.
func peakOf(pid int) <-chan int {
	peak := make(chan int, 1)
	go func() {
		most := 0
		for {
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			_, after, found := strings.Cut(string(status), "VmHWM:")
			if err != nil || !found { // it has ended
				peak <- most
				return
			}
			var now int
			fmt.Sscan(after, &now)
			most = max(most, now)
			time.Sleep(5 * time.Millisecond)
		}
	}()
	return peak
}
