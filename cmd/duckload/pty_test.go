package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/creack/pty"

	"duckload/emulator"
)

// watched is a scenario of two groups that takes about two seconds.
const watched = `
version: 1
name: watched
target: http://127.0.0.1:1
groups:
  status: {promise: {limit: 60/2s, burst: 120}, requests: [GET /beak/system/status], pacing: [{burst: 3}, {hold: 20/s, for: 2s}]}
  signup: {promise: {limit: 10/2s, burst: 5, scope: ip}, requests: [POST /beak/signup], admitted: [2xx, 400], pacing: [{rest: 500ms}, {burst: 7}, {rest: 1s}]}
`

// A session is duckload in a terminal.
type session struct {
	t       *testing.T
	pty     *os.File
	command *exec.Cmd
	dir     string

	mu     sync.Mutex
	screen terminal
	all    strings.Builder
	ended  chan struct{} // all was read
}

// inTerminal runs duckload in a terminal of some columns: a real process and a
// real pseudo-terminal.
func inTerminal(t *testing.T, columns int, env []string, args ...string) *session {
	t.Helper()
	served, err := start(t.Context(), emulator.SpaceDuck().Scaled(2*time.Second), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(served.close)
	s := &session{t: t, dir: t.TempDir(), ended: make(chan struct{}), screen: terminal{columns: columns}}
	if err := os.WriteFile(filepath.Join(s.dir, "watched.yaml"), []byte(watched), 0o644); err != nil {
		t.Fatal(err)
	}
	s.command = exec.Command(itself(t, s.dir), append([]string{"run", "watched.yaml", "--target", served.url, "--fail-on", "fail"}, args...)...)
	s.command.Dir = s.dir
	s.command.Env = append([]string{"TERM=xterm", "PATH=" + os.Getenv("PATH")}, env...)
	s.pty, err = pty.StartWithSize(s.command, &pty.Winsize{Rows: 30, Cols: uint16(columns)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.pty.Close() })
	go s.read()
	return s
}

// itself makes a copy of the test that is the command: TestMain looks at the
// name under which it runs.
func itself(t *testing.T, dir string) string {
	t.Helper()
	tests, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "duckload")
	if err := os.Symlink(tests, name); err != nil {
		t.Fatal(err)
	}
	return name
}

func (s *session) read() {
	defer close(s.ended)
	buffer := make([]byte, 1<<16)
	kept := 0 // bytes of a rune or of a sequence that is not whole yet
	for {
		n, err := s.pty.Read(buffer[kept:])
		text := buffer[:kept+n]
		whole := len(text)
		if err == nil {
			whole = wholeText(text)
		}
		s.mu.Lock()
		s.all.Write(text[:whole])
		s.screen.write(string(text[:whole]))
		s.mu.Unlock()
		kept = copy(buffer, text[whole:])
		if err != nil {
			return
		}
	}
}

// wholeText is how much of a text ends with neither half a rune nor half a
// control sequence.
func wholeText(text []byte) int {
	if i := strings.LastIndexByte(string(text), 0x1b); i >= 0 && control.FindIndex(text[i:]) == nil {
		return i
	}
	for i := 1; i <= min(3, len(text)); i++ {
		if last := text[len(text)-i:]; utf8.RuneStart(last[0]) {
			if !utf8.FullRune(last) {
				return len(text) - i
			}
			break
		}
	}
	return len(text)
}

// shows waits until a word stands on the screen.
func (s *session) shows(word string) {
	s.t.Helper()
	for range 1200 {
		s.mu.Lock()
		found := strings.Contains(s.screen.text(), word)
		s.mu.Unlock()
		if found {
			return
		}
		select {
		case <-s.ended:
			s.t.Fatalf("%q never came:\n%s", word, s.screen.text())
		case <-time.After(50 * time.Millisecond):
		}
	}
	s.t.Fatalf("%q does not come", word)
}

// wait returns the exit status and what stands on the screen in the end.
func (s *session) wait() (exit int, text string) {
	s.t.Helper()
	<-s.ended
	err := s.command.Wait()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		s.t.Fatal(err)
	}
	if odd := s.screen.odd; len(odd) > 0 {
		s.t.Errorf("got %q, which no terminal needs", odd)
	}
	return s.command.ProcessState.ExitCode(), s.screen.text()
}

// left looks for what the live view must not leave behind.
func (s *session) nothingLeft(text string) {
	s.t.Helper()
	for line := range strings.Lines(text) {
		if strings.Contains(line, "░") || strings.Contains(line, "█") || strings.HasSuffix(strings.TrimSpace(line), " left") {
			s.t.Errorf("the live view left %q:\n%s", line, text)
		}
	}
}

func TestARunInATerminal(t *testing.T) {
	t.Parallel() // it waits more than it works
	for _, columns := range []int{40, 80, 200} {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			s := inTerminal(t, columns, nil)
			s.shows("left") // of the time
			s.shows("signup")
			exit, text := s.wait()
			if exit != exitPass {
				t.Errorf("exit status %d:\n%s", exit, text)
			}
			s.nothingLeft(text)
			for _, want := range []string{"status", "signup", "report", "60/2s", "10/2s"} {
				if !strings.Contains(text, want) {
					t.Errorf("%d columns: the summary has no %q:\n%s", columns, want, text)
				}
			}
			if s.screen.styles == 0 {
				t.Errorf("%d columns: no colour", columns)
			}
			for line := range strings.Lines(text[strings.Index(text, "→"):]) {
				if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > columns && !strings.HasPrefix(line, "→") && !strings.HasPrefix(line, "report") {
					t.Errorf("%d columns: a line has %d: %s", columns, n, line)
				}
			}
		})
	}
}

func TestATerminalIsResized(t *testing.T) {
	t.Parallel()
	s := inTerminal(t, 120, nil)
	s.shows("left")
	for _, columns := range []int{50, 140, 30} {
		s.mu.Lock()
		s.screen.columns = columns
		err := pty.Setsize(s.pty, &pty.Winsize{Rows: 30, Cols: uint16(columns)})
		s.mu.Unlock()
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * redraw)
	}
	_, text := s.wait()
	s.nothingLeft(text)
	if strings.Count(text, "watched: 2 groups") != 1 {
		t.Errorf("the first line is not there once:\n%s", text)
	}
}

func TestWhereNobodyWatchesNothingMoves(t *testing.T) {
	t.Parallel() // it waits more than it works
	for _, env := range []string{"CI=true", "TERM=dumb", "NO_COLOR=1"} {
		t.Run(env, func(t *testing.T) {
			t.Parallel()
			s := inTerminal(t, 80, []string{env})
			_, text := s.wait()
			if s.screen.styles > 0 {
				t.Errorf("%d changes of colour:\n%s", s.screen.styles, text)
			}
			moves := strings.Contains(s.all.String(), "\x1b[")
			if wanted := env == "NO_COLOR=1"; moves != wanted {
				t.Errorf("the cursor moves: got %v, want %v:\n%q", moves, wanted, s.all.String())
			}
			if lines := strings.Contains(text, "signup      burst 7"); lines == moves {
				t.Errorf("a line for each phase: got %v where the cursor moves: %v:\n%s", lines, moves, text)
			}
		})
	}
	t.Run("--no-color", func(t *testing.T) {
		t.Parallel()
		s := inTerminal(t, 80, nil, "--no-color")
		if _, text := s.wait(); s.screen.styles > 0 {
			t.Errorf("%d changes of colour:\n%s", s.screen.styles, text)
		}
	})
	t.Run("--quiet", func(t *testing.T) {
		t.Parallel()
		s := inTerminal(t, 80, nil, "--quiet")
		if _, text := s.wait(); strings.Contains(text, "watched: 2 groups") || !strings.Contains(text, "report") {
			t.Errorf("got\n%s\nwant the summary alone", text)
		}
	})
}

func TestCtrlCInATerminal(t *testing.T) {
	t.Parallel()
	s := inTerminal(t, 80, nil)
	s.shows("left")
	if _, err := io.WriteString(s.pty, "\x03"); err != nil {
		t.Fatal(err)
	}
	exit, text := s.wait()
	s.nothingLeft(text)
	said := strings.Join(strings.Fields(text), " ")
	if exit != exitInterrupted || !strings.Contains(said, "not all that was planned: interrupted") || !strings.Contains(text, "report  results") {
		t.Errorf("exit status %d, want %d, and the report of what there is:\n%s", exit, exitInterrupted, text)
	}
}

// The second Ctrl-C does not wait for anything, and costs no record.
func TestCtrlCTwice(t *testing.T) {
	t.Parallel()
	s := inTerminal(t, 80, nil)
	s.shows("left")
	time.Sleep(2 * flushInterval) // for something to be on the disk
	if _, err := io.WriteString(s.pty, "\x03\x03"); err != nil {
		t.Fatal(err)
	}
	exit, text := s.wait()
	if exit != exitInterrupted {
		t.Errorf("exit status %d, want %d:\n%s", exit, exitInterrupted, text)
	}
	records, err := filepath.Glob(filepath.Join(s.dir, "results", "*"))
	if err != nil || len(records) != 1 {
		t.Fatalf("got %q, %v", records, err)
	}
	if h, err := openRun(records[0]); err != nil {
		t.Error(err)
	} else if all, err := h.Collect(); err != nil || len(all) == 0 {
		t.Errorf("got %d observations, %v", len(all), err)
	}
}
