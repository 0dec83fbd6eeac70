package attack

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"duckload/limiter"
)

// A line is a connection of the lean client, with what it needs for one
// exchange after the other. One goroutine at a time uses it.
type line struct {
	net.Conn
	r *bufio.Reader // nil: nothing is being read, nor left to be

	words               // of the request
	buffer bytes.Buffer // of words that are not shared

	answer fasthttp.ResponseHeader
	lost   error         // what reading ended with
	since  time.Time     // of its last use
	uses   int           // requests that left on it
	second time.Duration // when the second of them did
	at     [1]time.Duration

	fields []byte // of the last answer, as they came
	said   limiter.Fields
}

// maxHeader is how large the header of an answer may be with the lean client.
const maxHeader = 16 << 10

func newLine(c net.Conn) *line {
	return &line{Conn: c}
}

// readers are at rest, for the next line that reads: of thousands of
// connections few are read from at once.
var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, maxHeader) }}

// hear makes the line ready to be read from.
func (l *line) hear() {
	if l.r == nil {
		l.r = readers.Get().(*bufio.Reader)
		l.r.Reset(noting{l})
	}
}

// rest gives back what reading needs. What has not been read is forgotten.
func (l *line) rest() {
	if l.r != nil {
		l.r.Reset(nil)
		readers.Put(l.r)
		l.r = nil
	}
}

// unread reports whether something was read from the connection that nobody
// has taken.
func (l *line) unread() bool { return l.r != nil && l.r.Buffered() > 0 }

// A noting remembers why reading ended, which fasthttp says in other words.
type noting struct{ *line }

func (n noting) Read(p []byte) (int, error) {
	m, err := n.Conn.Read(p)
	if err != nil {
		n.lost = err
	}
	return m, err
}

// once returns a moment as a list of one, for the time of this exchange.
func (l *line) once(at time.Duration) []time.Duration {
	l.at[0] = at
	return l.at[:]
}

// doubtful is how long a connection may be idle before it is looked at: the
// server may have closed it meanwhile, or said something that nobody asked for.
const doubtful = 2 * time.Millisecond

// usable reports whether a request may be sent on an idle connection.
func (l *line) usable() bool { return time.Since(l.since) < doubtful || l.quiet() }

// quiet reports whether the other side has said nothing that was not read.
func (l *line) quiet() bool { return !l.unread() && open(l.Conn) }

// leaves counts a request that leaves now.
func (l *line) leaves(at time.Duration) (reused bool) {
	if l.uses++; l.uses == 2 {
		l.second = at
	}
	return l.uses == 2
}

// glimpse is how long it may take to read what is there already.
const glimpse = 10 * time.Millisecond

// leftOver reports whether the connection, which is given up, holds something
// that nobody asked for and may be an answer.
func (l *line) leftOver() bool {
	if l.SetReadDeadline(time.Now().Add(glimpse)) != nil {
		return false
	}
	l.hear()
	text, _ := l.r.Peek(len(farewellLine))
	return isAnswer(text)
}

// clean reports whether the last exchange left the connection as it was.
func (l *line) clean() bool {
	return !l.answer.ConnectionClose() && l.answer.StatusCode() != http.StatusSwitchingProtocols && !l.unread()
}

// write sends the request.
func (l *line) write() error {
	_, err := l.Conn.Write(l.text)
	return err
}

// read reads the header of the final answer, and returns the moment of its
// first byte.
func (l *line) read(c *clock) (first time.Duration, err error) {
	l.hear()
	for range maxInterim {
		if _, err := l.r.Peek(1); err != nil {
			return 0, err
		}
		first = c.now()
		l.lost = nil
		if err := l.answer.Read(l.r); err != nil {
			if l.lost != nil {
				return 0, l.lost
			}
			return 0, fmt.Errorf("malformed answer: %w", err)
		}
		if s := l.answer.StatusCode(); s >= 200 || s == http.StatusSwitchingProtocols {
			return first, nil
		}
	}
	return 0, errInterim
}

// errLeftOver says that a body is longer than is read: no failure, but the
// connection cannot be used again.
var errLeftOver = errors.New("the rest of the body was not read")

// body reads a body to its end, or to the bound.
func (l *line) body(keep bool) (kept []byte, n int64, err error) {
	status, length := l.answer.StatusCode(), l.answer.ContentLength()
	switch {
	case l.head, length == 0, status == http.StatusSwitchingProtocols, status == http.StatusNoContent, status == http.StatusNotModified:
		return nil, 0, nil
	}
	from := io.Reader(l.r)
	if length == -1 {
		from = httputil.NewChunkedReader(l.r)
	}
	most := int64(maxBody)
	if length >= 0 {
		most = min(most, int64(length))
	}
	if keep {
		kept, err = io.ReadAll(io.LimitReader(from, min(most, maxJSON)))
		n = int64(len(kept))
	}
	if err == nil && n < most {
		var more int64
		more, err = l.discard(from, most-n)
		n += more
	}
	switch {
	case err != nil:
		return kept, n, err
	case length > maxBody:
		return kept, n, errLeftOver
	case length >= 0 && n < most:
		return kept, n, io.ErrUnexpectedEOF
	case length == -1:
		return kept, n, l.trailer(from)
	case length < -1:
		l.answer.SetConnectionClose() // it was the end of the body
	}
	return kept, n, nil
}

// discard reads up to n bytes and forgets them.
func (l *line) discard(from io.Reader, n int64) (int64, error) {
	if from == io.Reader(l.r) && n <= int64(l.r.Buffered()) {
		m, err := l.r.Discard(int(n))
		return int64(m), err
	}
	return io.Copy(io.Discard, io.LimitReader(from, n))
}

// trailer reads what follows the last chunk, to the empty line.
func (l *line) trailer(chunks io.Reader) error {
	var one [1]byte
	if n, err := chunks.Read(one[:]); n > 0 {
		return errLeftOver
	} else if err != io.EOF {
		return err
	}
	for range maxFields {
		text, err := l.r.ReadSlice('\n')
		if err != nil {
			return errLeftOver // the body was whole
		}
		if len(bytes.TrimRight(text, "\r\n")) == 0 {
			return nil
		}
	}
	return errLeftOver
}

// evidence keeps what the answer says of limits. Answers often say the same
// as the one before, and then share it.
func (l *line) evidence(body []byte, wanted []string) limiter.Fields {
	before := len(l.fields)
	for name, value := range l.answer.All() {
		if isEvidence(string(name)) {
			l.fields = append(l.fields, name...)
			l.fields = append(l.fields, 0)
			l.fields = append(l.fields, value...)
			l.fields = append(l.fields, 0)
		}
	}
	now := l.fields[before:]
	if len(body) == 0 && l.said != nil && bytes.Equal(now, l.fields[:before]) {
		l.fields = l.fields[:before]
		return l.said
	}
	header := http.Header{}
	for rest := now; len(rest) > 0; {
		var name, value []byte
		name, rest, _ = bytes.Cut(rest, []byte{0})
		value, rest, _ = bytes.Cut(rest, []byte{0})
		header[string(name)] = append(header[string(name)], string(value))
	}
	l.fields = append(l.fields[:0], now...)
	said := evidence(header, body, wanted)
	l.said = nil
	if len(body) == 0 {
		l.said = said
	}
	return said
}
