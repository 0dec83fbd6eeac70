package main

import (
	"context"
	"crypto/rand"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"duckload/clients"
)

// A clientProcess is a command that runs, with everything that it starts.
type clientProcess struct {
	command *exec.Cmd
	mark    string
	ended   chan struct{} // closed once the command itself has ended
	said    *tail
	now     func() time.Duration

	result clients.Process
}

// grace is how long clients have to end once they were asked to.
const grace = 2 * time.Second

// startClient starts a command in a group of its own. The clock is that of the
// server that the client calls.
func startClient(argv, env []string, said *tail, now func() time.Duration) (*clientProcess, error) {
	p := &clientProcess{command: exec.Command(argv[0], argv[1:]...), mark: rand.Text(), ended: make(chan struct{}), said: said, now: now}
	p.command.Env = append(append(os.Environ(), env...), markVariable+"="+p.mark)
	p.command.Stdout, p.command.Stderr = said, said
	p.command.WaitDelay = 500 * time.Millisecond // whoever inherits the output may outlive the command
	grouped(p.command)
	p.result.Began = now()
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		_ = p.command.Wait() // the state tells what matters of it
		p.result.Ended = now()
		p.result.Status = p.command.ProcessState.ExitCode()
	}()
	return p, nil
}

// wait returns how the command ended once it and all that it started have. When
// the context ends first, all are ended.
func (p *clientProcess) wait(ctx context.Context) clients.Process {
	select {
	case <-p.ended:
		p.result.Alone = true
	case <-ctx.Done():
		p.end()
	}
	p.sweep()
	p.result.Output = p.said.String()
	return p.result
}

// end asks the group to end, and does not wait for long.
func (p *clientProcess) end() {
	askGroup(p.command.Process.Pid)
	select {
	case <-p.ended:
	case <-time.After(grace):
		killGroup(p.command.Process.Pid)
		<-p.ended
	}
}

// sweep ends what the command left behind, and counts it. What is about to end
// has a moment for that.
func (p *clientProcess) sweep() {
	leader := p.command.Process.Pid
	left := remaining(leader, p.mark)
	for began := time.Now(); len(left) > 0 && time.Since(began) < 500*time.Millisecond; left = remaining(leader, p.mark) {
		time.Sleep(50 * time.Millisecond)
	}
	if p.result.Alone {
		p.result.Children = len(left)
	}
	for began := time.Now(); len(left) > 0 && time.Since(began) < 5*time.Second; left = remaining(leader, p.mark) {
		killGroup(leader)
		for _, pid := range left {
			if process, err := os.FindProcess(pid); err == nil {
				_ = process.Kill() // it may have ended just now
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// mostSaid is how much is kept of what a client says, of its end.
const mostSaid = 16 << 10

// A tail keeps the end of what is written to it, from several goroutines.
type tail struct {
	mu    sync.Mutex
	kept  []byte
	clone *spill // where everything goes; nil: nowhere
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.clone != nil {
		t.clone.write(b)
	}
	t.kept = append(t.kept, b...)
	if over := len(t.kept) - mostSaid; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.ToValidUTF8(string(t.kept), "�")
}

// mostSpilled is how much of what clients say is written to a file.
const mostSpilled = 64 << 20

// A spill is a file for what all clients say, up to a bound.
type spill struct {
	mu   sync.Mutex
	file *os.File
	left int
	err  error // the first that happened
}

func (s *spill) write(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil || s.left == 0 {
		return
	}
	n := min(len(b), s.left)
	s.left -= n
	_, s.err = s.file.Write(b[:n])
}
