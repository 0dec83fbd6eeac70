package main

import (
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// nginxHeldCases are nginx's limits that delay requests or count those under
// way. How soon a request is decided is only said where something is wrong:
// on a busy machine it may not be true.
func nginxHeldCases(t *testing.T) []realCase {
	url := serveHeldNginx(t)
	const brief = 15 * time.Second
	queue := func(limit string) string { return "{" + limit + ", reading: leaky-queue, scope: ip}" }
	places := func(n int) string {
		return "{limit: " + strconv.Itoa(n) + ", reading: concurrency, service_time: 300ms, scope: ip}"
	}
	const decided = "\n    decided_within: 80ms"
	return []realCase{
		{name: "nginx: a queue", url: url, path: "/shaped", promise: queue("limit: 10/s, burst: 6"), reject: quiet, patience: brief},
		{name: "nginx: a queue as the word says", url: url, path: "/shaped", promise: queue("limit: 10/s, burst: 5") + decided, reject: quiet, patience: brief,
			fails: []string{"limit.ceiling"}, says: []string{"a queue of 5"}},
		{name: "nginx: a queue and two", url: url, path: "/shaped", promise: queue("limit: 10/s, burst: 7"), reject: quiet, patience: brief,
			fails: []string{"limit.floor"}},
		{name: "nginx: a slower queue", url: url, path: "/shaped", promise: queue("limit: 9/s, burst: 6"), reject: quiet, patience: brief,
			fails: []string{"limit.ceiling"}},
		{name: "nginx: a queue that begins late", url: url, path: "/half", promise: queue("limit: 10/s, burst: 6"), reject: quiet, patience: brief,
			fails: []string{"limit.ceiling"}, says: []string{"one by one"}},
		{name: "nginx: three at once", url: url, path: "/places", promise: places(3), reject: quiet},
		{name: "nginx: two at once", url: url, path: "/places", promise: places(2), reject: quiet, fails: []string{"limit.ceiling"}},
		{name: "nginx: four at once", url: url, path: "/places", promise: places(4), reject: quiet, fails: []string{"limit.floor"}},
	}
}

// serveHeldNginx runs nginx with limits of that kind. What counts those under
// way lies before a server that takes 300 ms.
func serveHeldNginx(t *testing.T) string {
	const takes = 300 * time.Millisecond
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(takes)
		answer(w, r)
	}))
	t.Cleanup(slow.Close)
	port := freePort(t)
	conf := movedTo(t, "testdata/real/nginx_held.conf", "127.0.0.1:18080", "127.0.0.1:"+strconv.Itoa(port))
	conf = movedTo(t, conf, "127.0.0.1:18081", strings.TrimPrefix(slow.URL, "http://"))
	return serve(t, port, exec.Command(tool(t, "nginx", "nginx-light"), "-p", filepath.Dir(conf), "-c", conf))
}
