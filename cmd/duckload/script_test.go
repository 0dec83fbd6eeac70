package main

import (
	"io"
	"log"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// The command as a user types it: testdata/script holds a file for each story.

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard)
	net.DefaultResolver = names.resolver()
	testscript.Main(m, map[string]func(){"duckload": main, "bus": busMain, "disorderly": disorderlyMain})
}

func TestScripts(t *testing.T) {
	t.Parallel() // it waits more than it works
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("PORT", strconv.Itoa(freePort(t)))
			env.Setenv("CLOSED", strconv.Itoa(freePort(t)))
			env.Setenv("BUS", strconv.Itoa(freePort(t)))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"listening": listening,
			"status":    exitStatus,
		},
		RequireExplicitExec: true,
	})
}

// freePort returns a port that nobody listens on right now. It is none that
// connections leave from: those of tests beside this one would take it before
// it is listened on.
func freePort(t *testing.T) int {
	for range 1000 {
		port := 20_000 + rand.IntN(10_000)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue
		}
		l.Close()
		if _, given := portsGiven.LoadOrStore(port, true); !given {
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

var portsGiven sync.Map

// listening waits until somebody answers at an address.
func listening(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: listening host:port")
	}
	for range 200 {
		if c, err := net.DialTimeout("tcp", args[0], time.Second); err == nil {
			c.Close()
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("nobody listens on %s", args[0])
}

// exitStatus runs a command and compares its exit status: "status 4 duckload run …".
func exitStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status CODE COMMAND …")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		code, ok := err.(interface{ ExitCode() int })
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = code.ExitCode()
	}
	// What the command said, for stdout and stderr to look at.
	ts.Check(os.WriteFile(ts.MkAbs("stdout.txt"), []byte(ts.ReadFile("stdout")), 0o644))
	ts.Check(os.WriteFile(ts.MkAbs("stderr.txt"), []byte(ts.ReadFile("stderr")), 0o644))
	if got != want {
		ts.Fatalf("exit status: got %d, want %d", got, want)
	}
}
