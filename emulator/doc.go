// Package emulator is the Space Duck API on loopback. It keeps its promise
// unless it is given a named defect.
package emulator
