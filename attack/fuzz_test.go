package attack

import (
	"bytes"
	"encoding/base64"
	"io"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"duckload/limiter"
)

// A said is a connection whose peer says something and is gone.
type said struct {
	net.Conn
	io.Reader
}

func (s said) Read(p []byte) (int, error) { return s.Reader.Read(p) }
func (s said) Close() error               { return nil }

// FuzzAnswer gives the lean client whatever a server may send. What it takes
// for an answer stays within its bounds, and the bytes it counts were there.
func FuzzAnswer(f *testing.F) {
	for _, text := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 429 \r\nRetry-After: 7\r\nContent-Length: 28\r\n\r\n" + `{"error": {"code": "E4004"}}`,
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 204 No\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\nrest",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\nContent-Length: 99999999999999999999\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello",
		"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n\x00\x00", "HTTP/9.9 -1 \r\n\r\n", "\r\n\r\n\r\n", "HTTP/1.1 200 OK\nConnection: close\n\nuntil the end",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
		"HTTP/1.1 200 OK\r\nX-Ratelimit-Limit: \x1b[2J\r\n folded\r\n\x00: \xff\r\n\r\n",
	} {
		f.Add([]byte(text), true, false)
		f.Add([]byte(text), false, true)
	}
	f.Fuzz(func(t *testing.T, text []byte, keep, head bool) {
		c := newClock(false)
		l := newLine(said{Reader: bytes.NewReader(text)})
		l.head = head
		for range 4 { // answers over one connection
			if _, err := l.read(&c); err != nil {
				return
			}
			body, n, err := l.body(keep)
			if n < 0 || n > int64(len(text)) || int64(len(body)) > n || len(body) > maxJSON || !bytes.Contains(text, body) && !bytes.Contains(text, []byte("hunked")) {
				t.Fatalf("read %d bytes and kept %q of an answer of %d bytes", n, body, len(text))
			}
			for _, field := range l.evidence(body, []string{"error.code"}) {
				if len(field.Value) > maxValue {
					t.Fatalf("kept %d bytes of %s", len(field.Value), field.Name)
				}
			}
			if err != nil || !l.clean() && l.r.Buffered() == 0 {
				return
			}
		}
	})
}

// FuzzBlank hides a secret in what a server says back. Wherever it stands, and
// in whatever form it travels, nothing of it is left that could be read.
func FuzzBlank(f *testing.F) {
	f.Add("s3cret-key/+x%", "Bearer ", ":pass", uint8(0))
	f.Add("aaaaaaaaa-", "a", "aaaa", uint8(3))
	f.Add("schlüssel-\x00\xff\"", "user:", "", uint8(4))
	f.Fuzz(func(t *testing.T, secret, before, after string, form uint8) {
		if !echoed(secret) || len(secret) > 200 {
			return
		}
		whole := before + secret + after
		value, leak := whole, secret
		switch form % 5 {
		case 1:
			value, leak = url.QueryEscape(whole), url.QueryEscape(secret)
		case 2:
			value, leak = url.PathEscape(whole), url.PathEscape(secret)
		case 3:
			value, leak = base64.StdEncoding.EncodeToString([]byte(whole)), aligned(base64.RawStdEncoding, secret, len(before)%3)
		case 4:
			value, leak = base64.RawURLEncoding.EncodeToString([]byte(whole)), aligned(base64.RawURLEncoding, secret, len(before)%3)
		}
		got := withSecrets(secret).blank(limiter.Fields{{Name: "RateLimit-Policy", Value: value}})
		if strings.Contains(got[0].Value, leak) {
			t.Errorf("%q of the secret %q is in %q", leak, secret, got[0].Value)
		}
	})
}

// FuzzCapture takes a value out of whatever a login answers.
func FuzzCapture(f *testing.F) {
	f.Add([]byte(`{"a":{"b":["x",1e400,true]}}`), "a.b.1")
	f.Add([]byte(strings.Repeat(`{"a":`, 2000)), "a.a")
	f.Add([]byte(`{"a":"`+"\u202e"+`\u0000\r\nX: y"}`), "a")
	f.Fuzz(func(t *testing.T, body []byte, path string) {
		start := time.Now()
		if value := pick(body, path); len(value) > 3*len(body)+64 { // a byte that is no UTF-8 becomes U+FFFD
			t.Errorf("a value of %d bytes from a body of %d", len(value), len(body))
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("took %s for %d bytes", took, len(body))
		}
	})
}
