package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	told  = "{status: 429, retry_after: required}"
	quiet = "{status: 429, retry_after: none}"
)

func nginxCases(t *testing.T) []realCase {
	port := freePort(t)
	url := serveNginx(t, movedTo(t, "testdata/real/nginx.conf", "127.0.0.1:18080", "127.0.0.1:"+strconv.Itoa(port)), port)
	const brief = 20 * time.Second
	tooMany := []string{"limit.ceiling", "limit.burst"}
	tooFew := []string{"limit.floor", "limit.burst"}
	return []realCase{
		// rate=10r/m burst=1 nodelay: nginx counts 166 thousandths a second,
		// which is 0.4 % less.
		{name: "nginx: 10 a minute, nearly", url: url, path: "/minute", promise: "{limit: 10/min, burst: 2, scope: ip, tolerance: best-effort 1%}", reject: quiet},
		{name: "nginx: 10 a minute, exactly", url: url, path: "/minute", promise: "{limit: 10/min, burst: 2, scope: ip}", reject: quiet,
			fails: []string{"limit.floor", "limit.rate", "sustained"}},

		// rate=10r/s burst=5 nodelay
		{name: "nginx: burst and one", url: url, path: "/burst", promise: "{limit: 10/s, burst: 6, scope: ip}", reject: quiet, patience: brief},
		{name: "nginx: burst as the word says", url: url, path: "/burst", promise: "{limit: 10/s, burst: 5, scope: ip}", reject: quiet, patience: brief,
			fails: tooMany, says: []string{"nginx"}},
		{name: "nginx: burst and two", url: url, path: "/burst", promise: "{limit: 10/s, burst: 7, scope: ip}", reject: quiet, patience: brief,
			fails: tooFew},
		{name: "nginx: 2 % faster", url: url, path: "/burst", promise: "{limit: 102/10s, burst: 6, scope: ip}", reject: quiet, patience: brief,
			fails: []string{"limit.floor", "limit.rate", "sustained"}},
		{name: "nginx: 2 % slower", url: url, path: "/burst", promise: "{limit: 98/10s, burst: 6, scope: ip}", reject: quiet, patience: brief,
			fails: []string{"limit.ceiling", "limit.rate"}},
		{name: "nginx: a window", url: url, path: "/burst", promise: "{limit: 10/s, reading: fixed-window, scope: ip}", reject: quiet, patience: brief,
			fails: []string{"limit.floor", "limit.window"}},
		{name: "nginx: for everybody", url: url, path: "/burst", promise: "{limit: 10/s, burst: 6, scope: global}", reject: quiet, patience: brief,
			fails: []string{"limit.ceiling", "scope"}},
		{name: "nginx: a Retry-After", url: url, path: "/burst", promise: "{limit: 10/s, burst: 6, scope: ip}", reject: told, patience: brief,
			fails: []string{"retry_after.present"}},

		// rate=5r/s without burst
		{name: "nginx: no burst is a burst of one", url: url, path: "/single", promise: "{limit: 5/s, burst: 1, scope: ip}", reject: quiet, patience: brief},
		{name: "nginx: no burst is not the rate", url: url, path: "/single", promise: "{limit: 5/s, burst: 5, scope: ip}", reject: quiet, patience: brief,
			fails: tooFew},

		// rate=8r/s burst=3 nodelay, and the status that nginx has by itself
		{name: "nginx: 503", url: url, path: "/usual", promise: "{limit: 8/s, burst: 4, scope: ip}", reject: "{status: 503, retry_after: none}", patience: brief},
		{name: "nginx: 429 that is 503", url: url, path: "/usual", promise: "{limit: 8/s, burst: 4, scope: ip}", reject: quiet, patience: brief,
			open: true, says: []string{"status 503; if the limiter answers so, write on_reject: {status: 503}"}},
	}
}

// nginxExampleCases are the example that users are shown.
func nginxExampleCases(t *testing.T) []realCase {
	text, err := os.ReadFile("../../examples/nginx.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const usual = "127.0.0.1:18080"
	port := freePort(t)
	url := serveNginx(t, movedTo(t, "../../examples/nginx/nginx.conf", usual, "127.0.0.1:"+strconv.Itoa(port)), port)
	scenario := strings.NewReplacer("http://"+usual, "$URL", "sources: auto", "sources: $SOURCES").Replace(string(text))
	naive := strings.Replace(scenario, "burst: 6", "burst: 5", 1)
	for _, s := range []string{scenario, naive} {
		if !strings.Contains(s, "$URL") || !strings.Contains(s, "$SOURCES") || s == scenario && s == naive {
			t.Fatalf("examples/nginx.yaml no longer says what this test changes: %s", s)
		}
	}
	return []realCase{
		{name: "examples/nginx.yaml", url: url, scenario: scenario, patience: 20 * time.Second},
		{name: "examples/nginx.yaml as it is often written", url: url, scenario: naive, patience: 20 * time.Second,
			fails: []string{"limit.ceiling", "limit.burst"}, says: []string{"nginx"}},
	}
}

func serveNginx(t *testing.T, conf string, port int) string {
	return serve(t, port, exec.Command(tool(t, "nginx", "nginx-light"), "-p", filepath.Dir(conf), "-c", conf))
}
