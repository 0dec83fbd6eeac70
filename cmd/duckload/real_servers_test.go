package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// tool finds a program that the tests run against. Without it they fail:
// skipped, they would look as good as passed.
func tool(t *testing.T, name, debian string) string {
	t.Helper()
	for _, path := range []string{name, "/usr/sbin/" + name} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	t.Fatalf("%s is not installed, and duckload is to be tested against it (.ci/tools installs Debian's package %s)", name, debian)
	return ""
}

// serve runs a server until the test ends, and returns its base URL once it
// listens on the port.
func serve(t *testing.T, port int, command *exec.Cmd) string {
	t.Helper()
	// A file and no pipe: whoever inherits a pipe keeps Wait waiting.
	output, err := os.Create(filepath.Join(t.TempDir(), "output"))
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	command.Stdout, command.Stderr = output, output
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = command.Wait()
	}()
	t.Cleanup(func() { end(command.Process, ended) })
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	for range 400 {
		if c, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
			c.Close()
			return "http://" + addr
		}
		select {
		case <-ended:
			said, _ := os.ReadFile(output.Name())
			t.Fatalf("%s ended before it listened: %s\n%s", command.Path, command.ProcessState, said)
		case <-time.After(25 * time.Millisecond):
		}
	}
	t.Fatalf("%s does not listen on %s", command.Path, addr)
	return ""
}

// end asks a server to stop, so that it ends what it started itself, and does
// not wait for long.
func end(server *os.Process, ended <-chan struct{}) {
	_ = server.Signal(syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		_ = server.Kill()
		<-ended
	}
}

// movedTo copies a configuration into a folder of its own, with another
// address in it.
func movedTo(t *testing.T, source, from, to string) string {
	t.Helper()
	text, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), from) {
		t.Fatalf("%s no longer listens on %s", source, from)
	}
	file := filepath.Join(t.TempDir(), filepath.Base(source))
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(text), from, to)), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}
