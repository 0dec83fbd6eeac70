package bench

import (
	"io"
	"net"
	"runtime"
	"strconv"
	"time"
)

// connections opens so many, and reads and forgets what comes.
func connections(address string, n int) []net.Conn {
	var all []net.Conn
	for range n {
		c, err := net.Dial("tcp", address)
		if err != nil {
			panic(err)
		}
		go io.Copy(io.Discard, c)
		all = append(all, c)
	}
	return all
}

var ask = []byte("GET /x HTTP/1.1\r\nHost: x\r\n\r\n")

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return n
}

// spin is the floor of pacing: one thread that does nothing but look at the
// clock and write. Arguments: address, requests a second, requests.
func spin(args []string) {
	rate, n := number(args[1]), number(args[2])
	all := connections(args[0], 16)
	runtime.LockOSThread()
	time.Sleep(200 * time.Millisecond)
	began := time.Now()
	for i := range n {
		for at := time.Duration(i) * time.Second / time.Duration(rate); time.Since(began) < at; {
		}
		if _, err := all[i%len(all)].Write(ask); err != nil {
			panic(err)
		}
	}
	time.Sleep(time.Second) // until the last of it was read
}

// rawBurst is the floor of a burst: one thread that writes to one connection
// after the other. Arguments: address, requests.
func rawBurst(args []string) {
	all := connections(args[0], number(args[1]))
	runtime.LockOSThread()
	time.Sleep(200 * time.Millisecond)
	for _, c := range all {
		if _, err := c.Write(ask); err != nil {
			panic(err)
		}
	}
	time.Sleep(time.Second) // until the last of it was read
}
