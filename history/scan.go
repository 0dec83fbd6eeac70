package history

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
)

// A state says how much of a piece can be believed.
type state uint8

const (
	whole      state = iota
	damaged          // the head is right, the payload is not
	torn             // the file ends before the frame does
	unreadable       // no head in sight
)

// A piece is a stretch of a segment: a frame, or bytes that are none.
type piece struct {
	head
	state    state
	from, to int64
	payload  []byte // of a whole frame, valid until the next call
}

// A scanner finds the frames of a segment. After bytes that are no frame it
// goes on at the next one.
type scanner struct {
	file io.ReaderAt
	size int64 // as far as it reads; the file may grow meanwhile
	at   int64

	buf   []byte
	start int64 // where in the file buf begins
}

// next returns the piece at hand, or io.EOF behind the last one. Any other
// error is the file system's.
func (s *scanner) next() (piece, error) {
	if s.at >= s.size {
		return piece{}, io.EOF
	}
	p := piece{from: s.at}
	b, err := s.window(s.at, headSize)
	if err != nil {
		return p, err
	}
	h, ok := parseHead(b)
	if !ok {
		return s.skip()
	}
	p.head, p.to = h, s.at+headSize+int64(h.length)
	s.at = p.to
	if p.to > s.size {
		p.state, p.to, s.at = torn, s.size, s.size
		return p, nil
	}
	if p.payload, err = s.window(p.from+headSize, int(h.length)); err != nil {
		return p, err
	}
	if crc32.Checksum(p.payload, castagnoli) != h.crc {
		p.state, p.payload = damaged, nil
	}
	return p, nil
}

// skip looks for the next frame.
func (s *scanner) skip() (piece, error) {
	p := piece{state: unreadable, from: s.at}
	rest, err := s.window(s.at, headSize)
	if err != nil {
		return p, err
	}
	if len(rest) < headSize && bytes.HasPrefix(rest, []byte(magic)[:min(len(rest), len(magic))]) {
		p.state, p.to, s.at = torn, s.size, s.size
		return p, nil
	}
	for s.at++; s.at < s.size; {
		b, err := s.some(s.at)
		if err != nil {
			return p, err
		}
		i := bytes.Index(b, []byte(magic))
		if i < 0 {
			// The last bytes may be the first ones of a magic.
			s.at += int64(max(1, len(b)-len(magic)+1))
			continue
		}
		s.at += int64(i)
		if b, err = s.window(s.at, headSize); err != nil {
			return p, err
		}
		if _, ok := parseHead(b); ok {
			break
		}
		s.at++
	}
	s.at = min(s.at, s.size)
	p.to = s.at
	return p, nil
}

// stride is how much is read at once.
const stride = 256 << 10

// some returns the bytes from an offset on that are at hand, at least
// headSize of them where the segment has them, so that looking for frames
// reads nothing twice.
func (s *scanner) some(at int64) ([]byte, error) {
	if skip := at - s.start; skip >= 0 && int64(len(s.buf))-skip >= headSize {
		return s.buf[skip:], nil
	}
	return s.window(at, stride)
}

// window returns n bytes at an offset, fewer where the segment ends.
func (s *scanner) window(at int64, n int) ([]byte, error) {
	n = int(min(int64(n), s.size-at))
	if at >= s.start && at+int64(n) <= s.start+int64(len(s.buf)) {
		return s.buf[at-s.start:][:n], nil
	}
	want := int(min(max(int64(n), stride), s.size-at))
	if cap(s.buf) < want {
		s.buf = make([]byte, want)
	}
	s.buf, s.start = s.buf[:want], at
	if got, err := s.file.ReadAt(s.buf, at); got < want {
		s.buf = s.buf[:0]
		if err == io.EOF {
			return nil, fmt.Errorf("it has become shorter than it was: %d bytes instead of %d", at+int64(got), s.size)
		}
		return nil, err
	}
	return s.buf[:n], nil
}
