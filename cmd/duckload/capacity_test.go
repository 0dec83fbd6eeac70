package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"duckload/analyze"
	"duckload/attack"
	"duckload/history"
	"duckload/scenarios"
)

// workers is a service that a given number of requests share, each for a given
// time.
func workers(n int, service time.Duration) http.Handler {
	places := make(chan struct{}, n)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case places <- struct{}{}:
		case <-r.Context().Done():
			return
		}
		time.Sleep(service)
		<-places
	})
}

// directly serves requests without a network.
type directly struct{ http.Handler }

func (p directly) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	answer := w.Result()
	answer.Request = r
	return answer, nil
}

func searching(t *testing.T, keys string) scenarios.Plan {
	t.Helper()
	s, err := scenarios.Load("capacity.yaml", []byte(`version: 1
name: capacity
target: http://127.0.0.1:1
defaults: {objectives: {p99: 1s, errors: 1%}}
groups:
  work:
    promise: {limit: 100000/s, verify: false}
    requests: [GET /]
    pacing: [{find-capacity: {`+keys+`}}]
`), scenarios.Env{})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := scenarios.Compile(s, scenarios.CompileOptions{Run: "01TEST", Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// The driver and the search together find what a service can do, and the record
// tells it again.
func TestACapacityIsFoundInVirtualTime(t *testing.T) {
	for _, c := range []struct {
		workers int
		service time.Duration
	}{{1, 10 * time.Millisecond}, {8, 20 * time.Millisecond}} {
		want := float64(c.workers) / c.service.Seconds()
		plan := searching(t, "from: 10/s, to: 3000/s, each: 5s, requests: 100000")
		synctest.Test(t, func(t *testing.T) {
			service := directly{workers(c.workers, c.service)}
			var all []history.Observation
			end, err := attack.Run(t.Context(), plan, attack.Options{
				Target:    "http://127.0.0.1",
				Transport: func(scenarios.Lane) http.RoundTripper { return service },
				Record:    func(o history.Observation) error { all = append(all, o); return nil },
			})
			if err != nil {
				t.Fatal(err)
			}
			f, err := analyze.Judge(history.Of(headerOf(plan, "http://127.0.0.1", time.Now()), all, &end))
			if err != nil {
				t.Fatal(err)
			}
			r := f.Groups[0].Capacity[0]
			if off := r.Low/want - 1; off < -0.05 || off > 0.05 || !r.Confirmed || r.High == nil {
				t.Errorf("%d workers of %s: found %.1f/s (%+.1f %%), want %.0f/s: %s", c.workers, c.service, r.Low, 100*off, want, r.Sentence)
			}
			t.Logf("%d trials, %d requests, %s: %s", len(r.Trials), len(all), f.Run.Duration.Round(time.Second), r.Sentence)
		})
	}
}

// The same as a user types it, over a socket. A loaded machine may make a
// service slower than it says, never faster.
func TestACapacityIsFoundOverASocket(t *testing.T) {
	t.Parallel()                                                  // it waits more than it works
	server := httptest.NewServer(workers(4, 40*time.Millisecond)) // 100/s
	defer server.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "capacity.yaml")
	text := `version: 1
name: capacity
target: ` + server.URL + `
defaults: {objectives: {p99: 2s, errors: 1%}}
groups:
  work:
    promise: {limit: 100000/s, verify: false}
    requests: [GET /]
    pacing: [{find-capacity: {from: 50/s, to: 1000/s, each: 1s, precision: 20%, requests: 4000}}]
`
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	exit, out := inProcess(t, "run", file, "--out", filepath.Join(dir, "out"), "--fail-on", "none")
	if exit != exitPass || !strings.Contains(out, "capacity  work: the objectives hold") {
		t.Fatalf("exit %d\n%s", exit, out)
	}
	runs, err := runFolders(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	h, err := openRun(runs[0])
	if err != nil {
		t.Fatal(err)
	}
	r, err := judge(h)
	if err != nil {
		t.Fatal(err)
	}
	if low := r.Findings.Groups[0].Capacity[0].Low; low < 25 || low > 115 {
		t.Errorf("found %.1f/s, want at most 100/s and a little", low)
	}
}
