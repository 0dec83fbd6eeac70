//go:build !unix

package main

import (
	"os/exec"
	"strconv"
)

// grouped does nothing where there are no process groups: the tree of processes
// stands for one.
func grouped(*exec.Cmd) {}

// askGroup ends a process and those that it started; there is no way to ask.
func askGroup(leader int) { killGroup(leader) }

func killGroup(leader int) {
	_ = exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(leader)).Run() // it fails if nobody is left
}

func groupLives(int) bool { return false }
