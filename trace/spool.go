package trace

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// A Spool keeps the moments and keys of a recording for many passes: about four
// bytes for each request, in memory as long as they are few, else in a file. A
// hundred million requests need no more memory than a million of as many keys.
type Spool struct {
	dir    string
	file   *os.File
	blocks []block
	memory int   // bytes of blocks that are held
	end    int64 // of the file

	now   []byte // the block that is being filled
	count int    // of its requests
	begin int64  // its first moment
	last  int64

	first    int64
	requests int
	ids      map[string]uint32
	names    []string
}

// A block is a stretch of the recording, each moment told from the one before.
type block struct {
	begin  int64
	count  int
	length int
	bytes  []byte // nil: in the file
	at     int64
}

// The bounds of a spool.
const (
	blockBytes = 1 << 20
	heldBytes  = 4 << 20
	maxKeys    = 5_000_000
)

// NewSpool returns an empty spool. Its file, if it needs one, is made in a
// folder; empty: the usual one for such files. Close removes it.
func NewSpool(dir string) *Spool {
	return &Spool{dir: dir, ids: map[string]uint32{}}
}

// Add appends a request, none earlier than the one before.
func (s *Spool) Add(at int64, key string) error {
	id, known := s.ids[key]
	if !known {
		if len(s.names) == maxKeys {
			return fmt.Errorf("more than %d clients (choose another key, or %q)", maxKeys, NoKey)
		}
		key = strings.Clone(key)
		id = uint32(len(s.names))
		s.ids[key] = id
		s.names = append(s.names, key)
	}
	switch {
	case s.requests == 0:
		s.first = at
	case at < s.last:
		return fmt.Errorf("time goes back by %s", time.Duration(s.last-at))
	}
	if s.count == 0 {
		s.begin, s.last = at, at
	}
	s.now = binary.AppendUvarint(s.now, uint64(at-s.last))
	s.now = binary.AppendUvarint(s.now, uint64(id))
	s.count++
	s.last = at
	s.requests++
	if len(s.now) > blockBytes-2*binary.MaxVarintLen64 {
		return s.seal()
	}
	return nil
}

// Seal ends the recording; nothing may be added after it.
func (s *Spool) Seal() error {
	s.ids = nil
	return s.seal()
}

func (s *Spool) seal() error {
	if s.count == 0 {
		return nil
	}
	b := block{begin: s.begin, count: s.count, length: len(s.now)}
	if s.memory+len(s.now) <= heldBytes {
		b.bytes = append([]byte(nil), s.now...)
		s.memory += len(s.now)
	} else {
		if s.file == nil {
			var err error
			if s.file, err = os.CreateTemp(s.dir, "duckload-trace-*"); err != nil {
				return fmt.Errorf("keeping the recording: %w", err)
			}
		}
		if _, err := s.file.WriteAt(s.now, s.end); err != nil {
			return fmt.Errorf("keeping the recording: %w", err)
		}
		b.at = s.end
		s.end += int64(len(s.now))
	}
	s.blocks = append(s.blocks, b)
	s.now, s.count = s.now[:0], 0
	return nil
}

// Close removes what a spool keeps.
func (s *Spool) Close() error {
	if s.file == nil {
		return nil
	}
	return errors.Join(s.file.Close(), os.Remove(s.file.Name()))
}

// Len returns the number of requests.
func (s *Spool) Len() int { return s.requests }

// Keys returns the number of clients, at least one where there is a request.
func (s *Spool) Keys() int { return len(s.names) }

// Name returns what a client is called; empty where nothing tells them apart.
func (s *Spool) Name(key uint32) string { return s.names[key] }

// First and Last return the moments of the outermost requests, in nanoseconds
// since 1970 or whatever the recording counts from.
func (s *Spool) First() int64 { return s.first }

// Last returns the moment of the last request.
func (s *Spool) Last() int64 { return s.last }

// Pass returns a reader of all requests from the first on. Passes may be made
// side by side.
func (s *Spool) Pass() *Pass { return &Pass{spool: s} }

// A Pass reads the requests of a spool once, in order.
type Pass struct {
	At  int64  // nanoseconds since 1970
	Key uint32 // from 0

	spool *Spool
	next  int // block
	left  int // of the requests in this one
	bytes []byte
	room  []byte
	err   error
}

// Next goes to the next request, and reports whether there is one.
func (p *Pass) Next() bool {
	if p.left == 0 && !p.load() {
		return false
	}
	p.left--
	// Most moments and keys are written in a byte or two.
	b := p.bytes
	if len(b) > 1 && b[0] < 0x80 && b[1] < 0x80 {
		p.At += int64(b[0])
		p.Key = uint32(b[1])
		p.bytes = b[2:]
		return true
	}
	gap, n := binary.Uvarint(b)
	key, m := binary.Uvarint(b[max(n, 0):])
	if n <= 0 || m <= 0 {
		p.err = errors.New("reading the recording again: it is damaged")
		return false
	}
	p.At += int64(gap)
	p.Key = uint32(key)
	p.bytes = b[n+m:]
	return true
}

func (p *Pass) load() bool {
	if p.err != nil || p.next == len(p.spool.blocks) {
		return false
	}
	b := p.spool.blocks[p.next]
	p.next++
	p.bytes = b.bytes
	if p.bytes == nil {
		if cap(p.room) < b.length {
			p.room = make([]byte, blockBytes)
		}
		p.bytes = p.room[:b.length]
		if n, err := p.spool.file.ReadAt(p.bytes, b.at); n < b.length {
			p.err = fmt.Errorf("reading the recording again: %w", errors.Join(err, io.ErrUnexpectedEOF))
			return false
		}
	}
	p.At, p.left = b.begin, b.count
	return true
}

// Err returns why a pass ended early; nil: it did not.
func (p *Pass) Err() error { return p.err }
