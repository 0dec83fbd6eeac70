package trace

import (
	"bufio"
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// collected reads text in one format, whatever it looks like, and checks what
// every format promises: times in order, mistakes with a place, and not many.
func collected(t *testing.T, o Options, text []byte, read func(*collector, *bufio.Reader)) {
	last, n := int64(math.MinInt64), 0
	c := &collector{name: "f", options: o, most: 1000}
	c.order = func(r Request) bool {
		if r.At < last {
			t.Fatalf("%d after %d", r.At, last)
		}
		last = r.At
		n++
		return true
	}
	read(c, bufio.NewReaderSize(bytes.NewReader(text), maxLine))
	c.flush(math.MinInt64)
	if n > c.taken || n > c.most || len(c.mistakes) > maxMistakes {
		t.Fatalf("%d requests of %d handed on, at most %d; %d mistakes, at most %d", n, c.taken, c.most, len(c.mistakes), maxMistakes)
	}
	for _, m := range c.mistakes {
		if m.Text == "" || strings.Contains(m.Error(), "\n") {
			t.Fatalf("got the mistake %+v, want one line", m)
		}
	}
	var mistakes Mistakes
	if errors.As(c.mistakes, &mistakes) && c.skipped < len(mistakes) {
		t.Fatalf("%d lines are wrong and %d counted", len(mistakes), c.skipped)
	}
}

func FuzzAccessLog(f *testing.F) {
	for _, line := range []string{
		`127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326`,
		`::1 - a b [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 429 0 "-" "curl/8" "1.2.3.4"`,
		`h - - [31/Feb/0000:99:99:99 +9999]`, `h [10/Oct/2000:13:55:36 -0700]` + "\n" + `h [10/Oct/2000:13:55:35 -0700]`,
		"\uFEFF# a comment\n\n[10/Oct/2262:13:55:36 -0700]\r\n",
	} {
		f.Add([]byte(line+"\n"+line), "")
		f.Add([]byte(line), "user")
	}
	f.Fuzz(func(t *testing.T, text []byte, key string) {
		collected(t, Options{Key: key, SkipBad: len(text)%2 == 0}, text, (*collector).accessLog)
	})
}

// Each of vegeta's encodings, whatever the recording looks like.
func FuzzVegeta(f *testing.F) {
	result := vegeta.Result{Attack: "a", Seq: 1, Code: 429, Timestamp: time.Unix(1.7e9, 5), Latency: time.Second, Error: "x", Body: []byte("b"), Method: "GET", URL: "http://h/"}
	encodings := []string{gobs, jsonLines, csvLines}
	for i, encoder := range []func(*bytes.Buffer) vegeta.Encoder{
		func(b *bytes.Buffer) vegeta.Encoder { return vegeta.NewEncoder(b) },
		func(b *bytes.Buffer) vegeta.Encoder { return vegeta.NewJSONEncoder(b) },
		func(b *bytes.Buffer) vegeta.Encoder { return vegeta.NewCSVEncoder(b) },
	} {
		var b bytes.Buffer
		encode := encoder(&b)
		for range 2 {
			if err := encode(&result); err != nil {
				f.Fatal(err)
			}
		}
		f.Add(uint8(i), b.Bytes())
		f.Add(uint8(i), b.Bytes()[:b.Len()/2])
	}
	f.Fuzz(func(t *testing.T, encoding uint8, text []byte) {
		collected(t, Options{}, text, func(c *collector, in *bufio.Reader) { c.results(in, encodings[int(encoding)%len(encodings)]) })
	})
}
