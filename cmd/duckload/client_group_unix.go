//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// grouped makes a command the leader of a process group of its own, so that it
// can be ended together with what it starts.
func grouped(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// askGroup asks a whole group to end.
func askGroup(leader int) { _ = syscall.Kill(-leader, syscall.SIGTERM) }

// killGroup ends a whole group.
func killGroup(leader int) { _ = syscall.Kill(-leader, syscall.SIGKILL) }

// groupLives reports whether somebody of a group is left.
func groupLives(leader int) bool { return syscall.Kill(-leader, 0) == nil }
