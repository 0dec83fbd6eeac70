package main

import (
	"os/exec"
	"testing"
	"time"
)

// haproxyCases are promises about 10 requests in a sliding period of 3 s,
// those that are denied included.
func haproxyCases(t *testing.T) []realCase {
	port := freePort(t)
	url := serve(t, port, exec.Command(tool(t, "haproxy", "haproxy"), "-db", "-f", fileFor(t, "testdata/real/haproxy.cfg", port)))
	const brief = 12 * time.Second
	return []realCase{
		{name: "haproxy: sliding, denials count", url: url, path: "/", promise: "{limit: 10/3s, reading: sliding-counter, scope: ip, rejects_consume: true}", reject: told, patience: brief},
		{name: "haproxy: nothing said about the algorithm", url: url, path: "/", promise: "{limit: 10/3s, scope: ip, rejects_consume: true}", reject: told, patience: brief},
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
