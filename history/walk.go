package history

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// A stream is what one writer wrote.
type stream struct {
	name     string // folder of the agent; empty: the record's own folder
	record   uint64
	segments []segmentFile
	counts   struct{ version, lanes, phases int } // of its own header
	sender   *sender                              // nil: nothing is moved
	doubts   doubts                               // by its own lanes and clock
}

// A walk goes through the frames of a stream and yields those that count:
// undamaged, of this record, in rising order, none twice. Walking twice yields
// the same, whether or not somebody listens to the remarks.
type walk struct {
	stream
	remarks *remarks // nil: nobody listens

	at    int // index of the segment that is open
	file  *os.File
	scan  scanner
	next  uint64 // number that the next frame should have
	ended bool
}

// frame returns the next frame that counts, or io.EOF.
func (w *walk) frame() (piece, error) {
	for w.at < len(w.segments) {
		if w.file == nil {
			if err := w.open(); err != nil {
				return piece{}, err
			}
		}
		p, err := w.scan.next()
		switch {
		case errors.Is(err, io.EOF):
			w.close()
			w.at++
		case err != nil:
			return piece{}, fmt.Errorf("%s: %w", w.segments[w.at].path, err)
		case w.counts(p):
			return p, nil
		}
	}
	return piece{}, io.EOF
}

func (w *walk) open() error {
	s := w.segments[w.at]
	f, err := os.Open(s.path)
	if err != nil {
		return err
	}
	w.file = f
	w.scan = scanner{file: f, size: s.size, buf: w.scan.buf[:0]}
	if s.size == 0 {
		w.remarks.note("%sit is empty", w.place())
	}
	return nil
}

func (w *walk) close() {
	if w.file != nil {
		w.file.Close()
		w.file = nil
	}
}

// place says where the walk is, as the start of a remark.
func (w *walk) place() string {
	return fmt.Sprintf("%ssegment %d: ", w.prefix(), w.segments[w.at].index)
}

func (s stream) prefix() string {
	if s.name == "" {
		return ""
	}
	return s.name + ": "
}

// counts decides about a piece, and remarks on whatever is wrong with it.
func (w *walk) counts(p piece) bool {
	switch {
	case p.state == torn:
		w.remarks.miss("%storn frame at byte %d: 1 frame lost at most", w.place(), p.from)
	case p.state == unreadable:
		w.remarks.miss("%sbytes %d to %d cannot be read", w.place(), p.from, p.to)
	case p.record != w.record:
		w.remarks.miss("%sframe at byte %d is of another record and is left out", w.place(), p.from)
		w.remarks.mistrust()
	case p.kind == kindHeader:
		if p.state == damaged {
			w.remarks.note("%sits header is damaged; another segment's is the same", w.place())
		}
	case p.number < w.next:
		w.again(p)
	case w.ended:
		w.remarks.miss("%sframe %d stands behind the end and is left out", w.place(), p.number)
		w.remarks.mistrust()
	default:
		return w.forward(p)
	}
	return false
}

// forward takes a frame that is not behind its place.
func (w *walk) forward(p piece) bool {
	if p.number > w.next {
		w.remarks.miss("%s%s missing before byte %d", w.place(), span("frame", w.next, p.number-1), p.from)
	}
	w.next = p.number + 1
	if p.state == damaged {
		w.remarks.miss("%sframe %d at byte %d is damaged: %d observations lost", w.place(), p.number, p.from, p.count)
		return false
	}
	w.remarks.took(p)
	w.ended = p.kind == kindEnd
	return true
}

// again remarks on a frame whose place in the order has passed.
func (w *walk) again(p piece) {
	if w.remarks == nil {
		return
	}
	crc, known := w.remarks.crc(p.number)
	switch {
	case p.state == whole && known && crc == p.crc:
		w.remarks.note("%sframe %d came again and is left out", w.place(), p.number)
	case p.state == whole && known:
		w.remarks.miss("%sframe %d came again with other content: the first is kept", w.place(), p.number)
		w.remarks.mistrust()
	default:
		w.remarks.miss("%sframe %d at byte %d is out of place and left out", w.place(), p.number, p.from)
	}
}

// span returns "frame 3 is" or "frames 3 to 5 are".
func span(what string, from, to uint64) string {
	if from == to {
		return fmt.Sprintf("%s %d is", what, from)
	}
	return fmt.Sprintf("%ss %d to %d are", what, from, to)
}
