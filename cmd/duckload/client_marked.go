package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// markVariable is in the environment of every client, with a word that nobody
// else has. A process that left its group, as a daemon does, is known by it.
const markVariable = "DUCKLOAD_CHECK"

// remaining returns the processes of a group, and those that carry a mark, that
// still run. Where the system does not tell, as only Linux does, it is the
// leader's number if anybody of the group is left. A process that left its group
// and cleared its environment is not found.
func remaining(leader int, mark string) []int {
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	if len(files) == 0 {
		if groupLives(leader) {
			return []int{leader}
		}
		return nil
	}
	var all []int
	for _, file := range files {
		dir := filepath.Dir(file)
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil || pid == os.Getpid() {
			continue
		}
		state, group := standing(file)
		if state == "" || state == "Z" || state == "X" { // it has ended, and nobody asked how
			continue
		}
		environ, _ := os.ReadFile(filepath.Join(dir, "environ")) // that of others cannot be read, and is not ours
		if group == leader || bytes.Contains(environ, []byte(markVariable+"="+mark)) {
			all = append(all, pid)
		}
	}
	return all
}

// standing reads the state and the group of a process: what follows the name,
// which may hold anything, in proc(5).
func standing(file string) (state string, group int) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", 0
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 3 {
		return "", 0
	}
	group, _ = strconv.Atoi(fields[2])
	return fields[0], group
}
