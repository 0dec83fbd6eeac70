//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// apart keeps what a terminal sends to us from another process: Ctrl-C is for
// the coordinator, which tells the agents.
func apart(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
