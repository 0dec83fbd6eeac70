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
}

func newDecoder(lanes, phases int) (*decoder, error) {
	z, err := zstd.NewReader(nil,
		zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderMaxMemory(mostRaw),
		zstd.WithDecodeAllCapLimit(true), // never more than the head has announced
	)
	if err != nil {
		return nil, err
	}
	return &decoder{zstd: z, lanes: make([]lane, lanes), phases: phases}, nil
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
	cols, ok := split(raw)
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

func split(raw []byte) (*[columns]column, bool) {
	all := column{b: raw}
	var lengths [columns]uint64
	for i := range lengths {
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

// texts cuts the bytes of a dictionary into its texts.
func texts(lengths *column, b []byte) ([]string, bool) {
	// One string for all: a consumer that keeps one value keeps the frame's
	// values, some kilobytes, and nobody pays for an allocation each.
	all := string(b)
	cut := make([]string, 0, min(len(lengths.b), mostCount))
	for len(lengths.b) > 0 {
		n := lengths.uvarint()
		if lengths.bad || n > uint64(len(all)) || len(cut) == mostFields+mostCount {
			return nil, false
		}
		cut = append(cut, all[:n])
		all = all[n:]
	}
	return cut, len(all) == 0
}

// A dictionary is the evidence of one frame, made as it is first asked for.
type dictionary struct {
	cols   *[columns]column
	words  []string
	values []string
	fresh  int // values that were used so far

	forms    []form
	evidence []limiter.Fields
	fields   int
}

type form struct {
	names []string
	last  []int // index into values; -1: none yet
}

func (d *dictionary) readForms() bool {
	col := &d.cols[colForms]
	names := uint64(0)
	for len(col.b) > 0 {
		n := col.uvarint()
		// A name takes a byte at least.
		if n > uint64(len(col.b)) || names+n > mostFields || len(d.forms) == mostCount {
			return false
		}
		names += n
		f := form{names: make([]string, n), last: make([]int, n)}
		for i := range f.names {
			word := col.uvarint()
			if word >= uint64(len(d.words)) {
				return false
			}
			f.names[i], f.last[i] = d.words[word], -1
		}
		d.forms = append(d.forms, f)
	}
	return !col.bad
}

// next returns the evidence of the next observation: the same slice for the
// same evidence.
func (d *dictionary) next() (limiter.Fields, bool) {
	back := d.cols[colEvidence].uvarint()
	if back > uint64(len(d.evidence)) {
		return nil, false
	}
	if back > 0 {
		return d.evidence[uint64(len(d.evidence))-back], true
	}
	at := d.cols[colFormOf].uvarint()
	if at >= uint64(len(d.forms)) {
		return nil, false
	}
	f := d.forms[at]
	col := &d.cols[colValues]
	if d.fields += len(f.names); d.fields > mostFields || len(f.names) > len(col.b) {
		return nil, false
	}
	var evidence limiter.Fields
	if len(f.names) > 0 {
		evidence = make(limiter.Fields, len(f.names))
	}
	for i := range evidence {
		value := f.last[i]
		switch ref := col.uvarint(); ref {
		case 0:
		case 1:
			value = d.fresh
			d.fresh++
		default:
			value = int(min(ref-2, mostRaw))
		}
		if value < 0 || value >= len(d.values) {
			return nil, false
		}
		f.last[i] = value
		evidence[i] = limiter.Field{Name: f.names[i], Value: d.values[value]}
	}
	d.evidence = append(d.evidence, evidence)
	return evidence, true
}
