package history

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/klauspost/compress/zstd"

	"duckload/limiter"
)

// A decoder turns payloads back into observations. It keeps its buffers from
// frame to frame; nothing that it hands out points into them.
type decoder struct {
	zstd   *zstd.Decoder
	raw    []byte
	rows   []Observation
	lanes  []lane
	frame  uint64
	phases int

	columns int // of the record's version
}

func newDecoder(version, lanes, phases int) (*decoder, error) {
	z, err := zstd.NewReader(nil,
		zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderMaxMemory(mostRaw),
		zstd.WithDecodeAllCapLimit(true), // never more than the head has announced
	)
	if err != nil {
		return nil, err
	}
	return &decoder{zstd: z, lanes: make([]lane, lanes), phases: phases, columns: columnsOf(version)}, nil
}

func (d *decoder) close() { d.zstd.Close() }

var errMalformed = errors.New("its columns do not fit together")

// decode returns the observations of a frame, valid until the next call. All
// of them or none: a frame that contradicts itself anywhere is not believed.
func (d *decoder) decode(h head, payload []byte) ([]Observation, error) {
	if cap(d.raw) < int(h.raw) {
		d.raw = make([]byte, 0, h.raw)
	}
	raw, err := d.zstd.DecodeAll(payload, d.raw[:0:h.raw])
	if err != nil {
		return nil, fmt.Errorf("it cannot be decompressed: %w", err)
	}
	if len(raw) != int(h.raw) {
		return nil, fmt.Errorf("it holds %d bytes where %d are announced", len(raw), h.raw)
	}
	cols, ok := split(raw, d.columns)
	if !ok || len(cols[colFlags].b) != int(h.count) {
		return nil, errMalformed
	}
	words, wordsOK := texts(&cols[colWordLength], cols[colWord].b)
	values, valuesOK := texts(&cols[colValueLength], cols[colValue].b)
	if !wordsOK || !valuesOK {
		return nil, errMalformed
	}
	cols[colWord].b, cols[colValue].b = nil, nil
	dict := dictionary{cols: cols, words: words, values: values}
	if !dict.readForms() {
		return nil, errMalformed
	}
	// count is at most the bytes of one column by now, so this is bounded by
	// what was read.
	if cap(d.rows) < int(h.count) {
		d.rows = make([]Observation, h.count)
	}
	d.rows = d.rows[:h.count]
	if !d.fill(&dict) || !spent(cols) {
		return nil, errMalformed
	}
	return d.rows, nil
}

// fill decodes the rows. What a broken column yields meanwhile is thrown away.
func (d *decoder) fill(dict *dictionary) bool {
	d.frame++
	cols := dict.cols
	flags := cols[colFlags].b
	cols[colFlags].b = nil
	for i := range d.rows {
		o := &d.rows[i]
		flag := flags[i]
		at := cols[colLane].uvarint()
		if at >= uint64(len(d.lanes)) || flag&^flagsKnown != 0 {
			return false
		}
		l := &d.lanes[at]
		if l.frame != d.frame {
			*l = lane{frame: d.frame}
		}
		o.Lane = int(at)
		l.phase += cols[colPhase].varint()
		o.Phase = int(l.phase)
		o.Seq = l.seq + uint64(cols[colSeq].varint())
		l.seq = o.Seq + 1
		o.Request = int(cols[colRequest].varint())
		l.step += cols[colIntended].varint()
		l.intended += l.step
		o.Intended = time.Duration(l.intended)
		o.Sent = o.Intended + time.Duration(cols[colSent].varint())
		o.Answered = Never
		answered := o.Sent
		if flag&flagUnanswered == 0 {
			answered += time.Duration(cols[colAnswered].varint())
			o.Answered = answered
		}
		o.Done = answered + time.Duration(cols[colDone].varint())
		o.Resent = flag&flagResent != 0
		o.Unsent = flag&flagUnsent != 0
		o.Look, o.Of = limiter.LookNone, 0
		switch flag & (flagAgain | flagAfter) {
		case flagAgain | flagAfter:
			return false
		case flagAgain:
			o.Look = limiter.LookAgain
		case flagAfter:
			o.Look = limiter.LookAfter
		}
		if o.Look != limiter.LookNone {
			o.Of = o.Seq - uint64(cols[colOf].varint())
		}
		l.status += cols[colStatus].varint()
		o.Status = int(l.status)
		l.bytesIn += cols[colIn].varint()
		o.BytesIn = l.bytesIn
		l.byteOut += cols[colOut].varint()
		o.BytesOut = l.byteOut
		o.Error = ""
		if flag&flagError != 0 {
			word := cols[colError].uvarint()
			if word >= uint64(len(dict.words)) {
				return false
			}
			o.Error = dict.words[word]
		}
		evidence, ok := dict.next()
		if !ok || l.phase < 0 || l.phase >= int64(d.phases) {
			return false
		}
		o.Evidence = evidence
	}
	return true
}

// A column is what is left of it. Reading past its end yields zeros and leaves
// bad behind, so that a loop need not look each time.
type column struct {
	b   []byte
	bad bool
}

func (c *column) uvarint() uint64 {
	if len(c.b) > 0 && c.b[0] < 0x80 {
		v := uint64(c.b[0])
		c.b = c.b[1:]
		return v
	}
	return c.long()
}

func (c *column) long() uint64 {
	v, n := binary.Uvarint(c.b)
	if n <= 0 {
		c.b, c.bad = nil, true
		return 0
	}
	c.b = c.b[n:]
	return v
}

func (c *column) varint() int64 {
	v := c.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

func split(raw []byte, n int) (*[columns]column, bool) {
	all := column{b: raw}
	var lengths [columns]uint64
	for i := range lengths[:n] {
		lengths[i] = all.uvarint()
	}
	var cols [columns]column
	for i, n := range lengths {
		if n > uint64(len(all.b)) {
			return nil, false
		}
		cols[i].b, all.b = all.b[:n:n], all.b[n:]
	}
	return &cols, !all.bad && len(all.b) == 0
}

// spent reports whether every column was read exactly to its end.
func spent(cols *[columns]column) bool {
	for _, c := range cols {
		if c.bad || len(c.b) != 0 {
			return false
		}
	}
	return true
}
