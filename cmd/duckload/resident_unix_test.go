//go:build unix

package main

import (
	"os"
	"runtime"
	"syscall"
)

// mostResident is how many MiB a process that has ended had in memory at most; 0:
// nobody knows.
func mostResident(ended *os.ProcessState) float64 {
	usage, ok := ended.SysUsage().(*syscall.Rusage)
	switch {
	case !ok:
		return 0
	case runtime.GOOS == "darwin" || runtime.GOOS == "ios": // in bytes; elsewhere in KiB
		return float64(usage.Maxrss) / (1 << 20)
	}
	return float64(usage.Maxrss) / 1024
}
