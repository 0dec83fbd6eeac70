package main

import (
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

// expressCases are promises about express-rate-limit: a window of 3 s for 10
// requests that begins with the first, told in each generation of headers.
func expressCases(t *testing.T) []realCase {
	url := serveExpress(t)
	const brief = 30 * time.Second
	return []realCase{
		{name: "express: draft-6", url: url, path: "/draft-6", promise: "{limit: 10/3s, reading: fixed-window, scope: ip}", reject: told, patience: brief},
		{name: "express: draft-7", url: url, path: "/draft-7", promise: "{limit: 10/3s, reading: fixed-window, scope: ip}", reject: told, patience: brief},
		{name: "express: draft-8", url: url, path: "/draft-8", promise: "{limit: 10/3s, reading: fixed-window, scope: ip}", reject: told, patience: brief},
		{name: "express: one less", url: url, path: "/draft-7", promise: "{limit: 9/3s, reading: fixed-window, scope: ip}", reject: told, patience: brief,
			fails: []string{"limit.ceiling", "limit.window"}},
		{name: "express: one more", url: url, path: "/draft-7", promise: "{limit: 11/3s, reading: fixed-window, scope: ip}", reject: told, patience: brief,
			fails: []string{"limit.floor", "limit.window"}},
		{name: "express: a longer window", url: url, path: "/draft-8", promise: "{limit: 10/3060ms, reading: fixed-window, scope: ip}", reject: told, patience: brief,
			fails: []string{"limit.ceiling", "limit.window"}},
		{name: "express: for everybody", url: url, path: "/draft-8", promise: "{limit: 10/3s, reading: fixed-window, scope: global}", reject: told, patience: brief,
			fails: []string{"scope"}, says: []string{"finer than documented", "one counter per ip explains the run"}},
		{name: "express: nothing said about the algorithm", url: url, path: "/draft-7", promise: "{limit: 10/3s, scope: ip}", reject: told, patience: brief},
		{name: "express: a bucket", url: url, path: "/draft-6", promise: "{limit: 10/3s, burst: 10, scope: ip}", reject: told, patience: brief,
			fails: []string{"limit.floor", "limit.ceiling", "limit.rate"}},
	}
}

// serveExpress installs the packages that testdata/real/express locks into a
// folder that is removed again, and runs the server there.
func serveExpress(t *testing.T) string {
	node := tool(t, "node", "nodejs")
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/real/express")); err != nil {
		t.Fatal(err)
	}
	installLocked(t, dir)
	port := freePort(t)
	server := exec.Command(node, "server.js", strconv.Itoa(port))
	server.Dir = dir
	return serve(t, port, server)
}

// installLocked installs the packages that the lock file of a folder names.
func installLocked(t *testing.T, dir string) {
	t.Helper()
	install := exec.CommandContext(t.Context(), tool(t, "npm", "npm"), "ci", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund")
	install.Dir = dir
	if output, err := install.CombinedOutput(); err != nil {
		t.Fatalf("the packages that duckload is to be tested against cannot be installed: npm ci: %v\n%s", err, output)
	}
}
