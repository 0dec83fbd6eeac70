//go:build !unix

package main

import "os"

// mostResident is not known here.
func mostResident(*os.ProcessState) float64 { return 0 }
