package main

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// haproxyCases are promises about 10 requests in a sliding period of 3 s,
// those that are denied included.
func haproxyCases(t *testing.T) []realCase {
	const usual = "127.0.0.1:18081"
	port := freePort(t)
	file := movedTo(t, "../../examples/haproxy/haproxy.cfg", usual, "127.0.0.1:"+strconv.Itoa(port))
	url := serve(t, port, exec.Command(tool(t, "haproxy", "haproxy"), "-db", "-f", file))
	text, err := os.ReadFile("../../examples/haproxy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	example := strings.NewReplacer("http://"+usual, "$URL", "sources: auto", "sources: $SOURCES").Replace(string(text))
	const brief = 45 * time.Second
	return []realCase{
		{name: "examples/haproxy.yaml", url: url, scenario: example, patience: brief},
		{name: "haproxy: nothing said about the algorithm", url: url, path: "/", promise: "{limit: 10/3s, rejects_consume: true}", reject: told, patience: brief},
		{name: "haproxy: two less", url: url, path: "/", promise: "{limit: 8/3s, reading: sliding-counter, scope: ip, rejects_consume: true}", reject: told, patience: brief,
			fails: []string{"limit.ceiling"}},
		{name: "haproxy: one more", url: url, path: "/", promise: "{limit: 11/3s, reading: sliding-counter, scope: ip, rejects_consume: true}", reject: told, patience: brief,
			fails: []string{"limit.floor"}},
		{name: "haproxy: a bucket", url: url, path: "/", promise: "{limit: 10/3s, burst: 10, scope: ip, rejects_consume: true}", reject: told, patience: brief,
			fails: []string{"limit.floor", "limit.rate", "recovery", "sustained"}},
		{name: "haproxy: denials for nothing", url: url, path: "/", promise: "{limit: 10/3s, reading: sliding-counter, scope: ip}", reject: told, patience: brief,
			fails: []string{"limit.floor"}},
	}
}
