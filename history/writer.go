package history

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// A Writer appends to a record. Its methods may be called at the same time.
//
// An error of the disk is final: every later call returns it again. What was
// flushed before stays readable, as a record that breaks off.
type Writer struct {
	mu   sync.Mutex // held for moments only, so that Append is cheap
	open *block     // takes observations
	err  error

	counts []int   // observations in all, by lane
	events []Event // that are on no disk yet
	kept   int     // in all

	disk   sync.Mutex // held while a frame is on its way; taken before mu
	spare  *block     // empty; changes places with open
	zstd   *zstd.Encoder
	raw    []byte
	packed []byte
	out    []byte
	header Header
	next   uint64 // number of the next frame
	dirty  bool   // something was written and not synced
	segment
}

// A segment is the file that is written to.
type segment struct {
	dir    string
	record uint64
	index  int
	size   int64
	file   file
	create func(path string) (file, error)
	most   int64 // size from which on a new segment is begun
}

type file interface {
	io.WriteCloser
	Sync() error
}

// segmentSize is how large a segment grows before the next is begun.
const segmentSize = 64 << 20

// Create begins a record in a folder, which is made if need be and must not
// hold a record already. The header is on the disk when it returns; its
// Version is set to [Version].
func Create(dir string, h Header) (*Writer, error) {
	return create(dir, h, segmentSize, createFile)
}

// createFile is exclusive: a record is written once, and never over another.
func createFile(path string) (file, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, err // not f: a nil *os.File in an interface is not nil
	}
	return f, nil
}

func create(dir string, h Header, most int64, makeFile func(string) (file, error)) (*Writer, error) {
	h.Version = Version
	if err := h.check(); err != nil {
		return nil, fmt.Errorf("record header: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if had, err := segmentFiles(dir); err != nil || len(had) > 0 {
		return nil, errors.Join(err, taken(dir, had))
	}
	z, err := zstd.NewWriter(nil,
		zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderCRC(false), // frames have their own
		zstd.WithWindowSize(1<<20),
		zstd.WithLowerEncoderMem(true),
	)
	if err != nil {
		return nil, err
	}
	var id [8]byte
	rand.Read(id[:]) // never fails, see crypto/rand
	w := &Writer{
		open:   newBlock(len(h.Lanes), len(h.Phases)),
		spare:  newBlock(len(h.Lanes), len(h.Phases)),
		counts: make([]int, len(h.Lanes)),
		zstd:   z,
		header: h,
		segment: segment{
			dir: dir, record: binary.LittleEndian.Uint64(id[:]), create: makeFile, most: most,
		},
	}
	if err := w.begin(); err != nil {
		return nil, err
	}
	return w, nil
}

func taken(dir string, had []segmentFile) error {
	if len(had) == 0 {
		return nil
	}
	return fmt.Errorf("%s holds a record already (%s): write to a new folder", dir, filepath.Base(had[0].path))
}

// check reports whether the indices in a header lead somewhere, so that
// nobody who follows them need look.
func (h Header) check() error {
	for i, l := range h.Lanes {
		if l.Group < 0 || l.Group >= len(h.Groups) {
			return fmt.Errorf("lane %d is of group %d: there are %d groups", i, l.Group, len(h.Groups))
		}
	}
	for i, p := range h.Phases {
		if p.Group < 0 || p.Group >= len(h.Groups) {
			return fmt.Errorf("phase %d is of group %d: there are %d groups", i, p.Group, len(h.Groups))
		}
	}
	return h.checkParts()
}

var errClosed = errors.New("the record is closed")

// Append adds an observation. It is kept in memory until its frame is full or
// Flush is called. An observation that does not belong to the header's lanes
// and phases is refused, and the record goes on without it.
func (w *Writer) Append(o Observation) error {
	w.mu.Lock()
	if w.err != nil {
		defer w.mu.Unlock()
		return w.err
	}
	if err := w.open.check(&o); err != nil {
		w.mu.Unlock()
		return err
	}
	w.open.add(&o)
	w.counts[o.Lane]++
	full, over := w.open.full(), w.open.overfull()
	w.mu.Unlock()
	switch {
	case !full:
		return nil
	case over:
		w.disk.Lock()
	case !w.disk.TryLock():
		return nil // a frame is on its way; this one may grow until it has arrived
	}
	defer w.disk.Unlock()
	return w.write((*block).full)
}

// Flush brings everything appended so far to the disk, and waits until the
// disk says so.
func (w *Writer) Flush() error {
	w.disk.Lock()
	defer w.disk.Unlock()
	if err := errors.Join(w.write(begun), w.writeEvents()); err != nil {
		return err
	}
	return w.sync()
}

// Close flushes, notes how the run ended, and closes the record.
func (w *Writer) Close(end End) error {
	w.disk.Lock()
	defer w.disk.Unlock()
	err := w.write(begun)
	if errors.Is(err, errClosed) {
		return err
	}
	if err == nil {
		err = w.writeEvents()
	}
	if err == nil {
		err = w.end(end)
	}
	if closed := w.file.Close(); err == nil && closed != nil {
		err = w.fail(closed)
	}
	if err == nil {
		w.mu.Lock()
		w.err = errClosed
		w.mu.Unlock()
	}
	return err
}

func (w *Writer) end(end End) error {
	w.mu.Lock()
	payload, err := json.Marshal(lastWords{End: end, Recorded: w.counts, Events: w.kept})
	w.mu.Unlock()
	if err != nil {
		return w.fail(err)
	}
	if len(payload) > mostHeader {
		return w.fail(fmt.Errorf("the end has %d bytes: at most %d can be kept", len(payload), mostHeader))
	}
	if err := w.put(head{kind: kindEnd, raw: uint32(len(payload))}, payload); err != nil {
		return err
	}
	return w.sync()
}

func begun(b *block) bool { return b.count > 0 }

// write closes the open frame and writes it, if it is still worth it. The
// caller holds disk.
func (w *Writer) write(worth func(*block) bool) error {
	w.mu.Lock()
	err, b := w.err, w.open
	if err != nil || !worth(b) {
		w.mu.Unlock()
		return err
	}
	w.open = w.spare
	w.mu.Unlock()

	w.raw = b.appendTo(w.raw[:0])
	w.packed = w.zstd.EncodeAll(w.raw, w.packed[:0])
	err = w.put(head{kind: kindObservations, count: uint32(b.count), raw: uint32(len(w.raw))}, w.packed)
	b.reset()
	w.spare = b
	return err
}

// put writes a frame and counts it.
func (w *Writer) put(h head, payload []byte) error {
	if w.size >= w.most {
		if err := w.roll(); err != nil {
			return w.fail(err)
		}
	}
	h.number = w.next
	w.next++
	w.dirty = true
	return w.fail(w.frame(h, payload))
}

func (w *Writer) sync() error {
	if !w.dirty {
		return nil
	}
	w.dirty = false
	return w.fail(w.file.Sync())
}

// fail keeps an error for every later call.
func (w *Writer) fail(err error) error {
	if err == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = fmt.Errorf("recording to %s: %w", w.dir, err)
	}
	return w.err
}
