package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"duckload/fleet"
)

// An ownFleet is a bus and agents on this machine, for one run: the way to try
// a fleet. Agents are processes of their own, so losing one is like losing a
// machine.
type ownFleet struct {
	server *fleet.Server
	dir    string // of the run
	agents []*exec.Cmd
	gone   chan string // names of agents whose processes have ended
	work   sync.WaitGroup
	once   sync.Once
}

// Folders of an own fleet in a run's folder. They are gone when everything has
// been collected.
const (
	busDir    = "bus"
	agentsDir = "agents"
)

func (p process) startOwn(dir, run, files string, agents int) (*ownFleet, error) {
	server, err := fleet.Serve(filepath.Join(dir, busDir))
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		server.Close()
		return nil, err
	}
	o := &ownFleet{server: server, dir: dir, gone: make(chan string, agents)}
	for i := range agents {
		if err := o.spawn(p, self, run, files, ownName(i)); err != nil {
			o.close()
			return nil, err
		}
	}
	return o, nil
}

// ownName is A, B, C and so on.
func ownName(i int) string {
	if i < 26 {
		return string(rune('A' + i))
	}
	return fmt.Sprintf("A%d", i)
}

func (o *ownFleet) spawn(p process, self, run, files, name string) error {
	c := exec.Command(self, "agent", "--nats", o.server.Access.URL, "--name", name, "--run", run,
		"--dir", filepath.Join(o.dir, agentsDir), "--files", files)
	c.Env = append(os.Environ(), tokenVariable+"="+o.server.Access.Token)
	log, err := os.OpenFile(filepath.Join(o.dir, agentsDir+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	c.Stderr = log
	apart(c)
	if err := c.Start(); err != nil {
		return err
	}
	o.agents = append(o.agents, c)
	o.work.Go(func() {
		_ = c.Wait() // its record says how it went
		o.gone <- name
	})
	return nil
}

func (o *ownFleet) access() fleet.Access { return o.server.Access }

// ended names agents whose processes have ended; nil if none are ours.
func (o *ownFleet) ended() <-chan string {
	if o == nil {
		return nil
	}
	return o.gone
}

// close ends the agents that are still there, and the bus.
func (o *ownFleet) close() {
	o.once.Do(func() {
		for _, a := range o.agents {
			if a.Process.Signal(os.Interrupt) != nil { // it has ended, or this system cannot interrupt it
				_ = a.Process.Kill()
			}
		}
		o.work.Wait()
		o.server.Close()
	})
}

// remove takes away the copies of what was collected.
func (o *ownFleet) remove() error {
	return errors.Join(
		os.RemoveAll(filepath.Join(o.dir, busDir)),
		os.RemoveAll(filepath.Join(o.dir, agentsDir)),
		os.RemoveAll(filepath.Join(o.dir, agentsDir+".log")),
	)
}
