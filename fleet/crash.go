package fleet

import (
	"os"
	"strconv"
	"strings"
	"sync"
)

// A place in the code at which tests end a process as kill -9 would:
// DUCKLOAD_CRASH_AT names it, with a number behind a colon if it is not the
// first time that counts. DUCKLOAD_CRASH_PID names another process to end
// instead. Without them this does nothing.
var crashes struct {
	sync.Mutex
	counts map[string]int
}

func crash(point string) {
	at := os.Getenv("DUCKLOAD_CRASH_AT")
	if at == "" {
		return
	}
	name, number, _ := strings.Cut(at, ":")
	if name != point {
		return
	}
	crashes.Lock()
	defer crashes.Unlock()
	if crashes.counts == nil {
		crashes.counts = map[string]int{}
	}
	crashes.counts[point]++
	if want, _ := strconv.Atoi(number); crashes.counts[point] != max(want, 1) {
		return
	}
	pid := os.Getpid()
	if other, err := strconv.Atoi(os.Getenv("DUCKLOAD_CRASH_PID")); err == nil {
		pid = other
	}
	if p, err := os.FindProcess(pid); err == nil && p.Kill() == nil && pid == os.Getpid() {
		select {}
	}
}
