package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// serveArrivals is a server that answers each request with the least that is
// HTTP and notes when it came. It says where it listens and ends with its
// standard input.
func serveArrivals() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(l.Addr())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	a := &arrivals{began: time.Now()}
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go a.serve(c)
	}
}

type arrivals struct {
	began time.Time
	mu    sync.Mutex
	at    []time.Duration
}

var (
	yes  = []byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	ends = []byte("\r\n\r\n")
)

func (a *arrivals) serve(c net.Conn) {
	defer c.Close()
	buffer := make([]byte, 0, 4096)
	for {
		n, err := c.Read(buffer[len(buffer):cap(buffer)])
		at := time.Since(a.began)
		if err != nil {
			return
		}
		buffer = buffer[:len(buffer)+n]
		// More than one may come at once, to a sender that does not wait for answers.
		for end := bytes.Index(buffer, ends); end >= 0; end = bytes.Index(buffer, ends) {
			if bytes.HasPrefix(buffer, []byte("GET /arrivals ")) {
				io.WriteString(c, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"+a.take())
				return
			}
			a.mu.Lock()
			a.at = append(a.at, at)
			a.mu.Unlock()
			c.Write(yes)
			buffer = buffer[:copy(buffer, buffer[end+len(ends):])]
		}
	}
}

// take returns the moments of all requests since it was last asked.
func (a *arrivals) take() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var text strings.Builder
	for _, at := range a.at {
		fmt.Fprintln(&text, int64(at))
	}
	a.at = nil
	return text.String()
}

// A witness is a server in a process of its own.
type witness struct {
	b       *testing.B
	address string
}

func startWitness(b *testing.B) witness {
	b.Helper()
	c := own(b, "server")
	in, err := c.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { in.Close(); _ = c.Wait() })
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return witness{b, strings.TrimSpace(address)}
}

func (w witness) url() string { return "http://" + w.address }

// seen returns when the requests since the last call arrived, in order.
func (w witness) seen() []time.Duration {
	w.b.Helper()
	answer, err := http.Get(w.url() + "/arrivals")
	if err != nil {
		w.b.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		w.b.Fatal(err)
	}
	var all []time.Duration
	for field := range strings.FieldsSeq(string(text)) {
		at, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			w.b.Fatal(err)
		}
		all = append(all, time.Duration(at))
	}
	slices.Sort(all)
	return all
}
