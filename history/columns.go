package history

import (
	"encoding/binary"
	"fmt"

	"duckload/limiter"
)

// The payload of a frame of observations is a list of columns, each its length
// as a uvarint and its bytes; the lengths stand first. One kind of number in
// one place is what makes them small: most columns are a run of zeros once
// they are written as differences, and compress to nothing.
//
// Differences wrap around like the integers they are made of, so that any
// moment, Never included, comes back exactly. "In the lane" means compared
// with the lane's observation before, within the frame: frames stand alone.
const (
	colFlags    = iota // a byte each: see below
	colLane            // uvarint
	colPhase           // varint: difference in the lane
	colSeq             // varint: difference in the lane from one more than the last
	colRequest         // varint
	colIntended        // varint: difference in the lane of the difference
	colSent            // varint: since Intended
	colAnswered        // varint: since Sent; nothing for an observation without an answer
	colDone            // varint: since Answered, or since Sent without an answer
	colStatus          // varint: difference in the lane
	colIn              // varint: difference in the lane
	colOut             // varint: difference in the lane
	colError           // uvarint: word, for the observations that have an error
	colEvidence        // uvarint: 0 the next new evidence, 1 the newest so far, 2 the one before it, …

	// A dictionary of the frame's evidence, in order of first appearance. A
	// form is a list of names; evidence is a form and a value for each name.
	colForms       // uvarint: how many names, then the word of each
	colFormOf      // uvarint of each evidence: its form
	colValues      // uvarint of each value: 0 as in the form's last evidence, 1 the next new value, else value + 2
	colWordLength  // uvarint of each word: a name, or an error
	colWord        // bytes of all words
	colValueLength // uvarint of each value
	colValue       // bytes of all values

	colOf // varint: how long before a look's number that of its request is; for looks
	columns
)

// columnsOf returns how many columns a version of the record has.
func columnsOf(version int) int {
	if version == 1 {
		return colOf
	}
	return columns
}

const (
	flagResent = 1 << iota
	flagUnanswered
	flagError
	flagUnsent
	flagAgain
	flagAfter
	flagsKnown = flagResent | flagUnanswered | flagError | flagUnsent | flagAgain | flagAfter
)

// Sizes at which a frame is closed. Beyond the second of a pair, it must be:
// until then it may grow while the disk is busy with the one before.
const (
	frameCount, frameCountMost   = 4096, 4 * 4096
	frameText, frameTextMost     = 1 << 20, 4 << 20
	frameFields, frameFieldsMost = 1 << 17, 1 << 18

	// Of one observation. No HTTP client lets more in.
	mostText   = 16 << 20
	mostOfOne  = 1 << 16
	fieldBytes = 8 // what a field costs at most, beside its text
)

// A lane is what differences in the lane are taken from.
type lane struct {
	frame            uint64 // the frame it belongs to: stands for a reset
	phase, status    int64
	seq              uint64 // the one that is expected next
	intended, step   int64
	bytesIn, byteOut int64
}

// A block is a frame of observations in the making.
type block struct {
	lanes  []lane
	phases int
	frame  uint64 // counts resets, so that lanes need not be visited

	count  int
	fields int
	cols   [columns][]byte

	words    map[string]uint64
	values   map[string]uint64
	forms    map[string]int // by the words of their names
	evidence map[string]int // by its fields
	last     [][]uint64     // of each form: the values of its last evidence

	key []byte
}

func newBlock(lanes, phases int) *block {
	return &block{
		lanes:    make([]lane, lanes),
		phases:   phases,
		frame:    1,
		words:    map[string]uint64{},
		values:   map[string]uint64{},
		forms:    map[string]int{},
		evidence: map[string]int{},
	}
}

func (b *block) reset() {
	b.frame++
	b.count, b.fields = 0, 0
	for i := range b.cols {
		b.cols[i] = b.cols[i][:0]
	}
	clear(b.words)
	clear(b.values)
	clear(b.forms)
	clear(b.evidence)
	b.last = b.last[:0]
}

func (b *block) full() bool {
	return b.count >= frameCount || b.textBytes() >= frameText || b.fields >= frameFields
}

func (b *block) overfull() bool {
	return b.count >= frameCountMost || b.textBytes() >= frameTextMost || b.fields >= frameFieldsMost
}

func (b *block) textBytes() int { return len(b.cols[colWord]) + len(b.cols[colValue]) }

// check reports why an observation cannot be kept in this record.
func (b *block) check(o *Observation) error {
	if o.Lane < 0 || o.Lane >= len(b.lanes) {
		return fmt.Errorf("observation of lane %d: the header has %d lanes", o.Lane, len(b.lanes))
	}
	if o.Phase < 0 || o.Phase >= b.phases {
		return fmt.Errorf("observation of phase %d: the header has %d phases", o.Phase, b.phases)
	}
	text := len(o.Error)
	for _, f := range o.Evidence {
		text += len(f.Name) + len(f.Value) + fieldBytes
	}
	if text > mostText || len(o.Evidence) > mostOfOne {
		return fmt.Errorf("observation with %d bytes of evidence in %d fields: at most %d bytes in %d fields can be kept", text, len(o.Evidence), mostText, mostOfOne)
	}
	return nil
}

func (b *block) add(o *Observation) {
	l := &b.lanes[o.Lane]
	if l.frame != b.frame {
		*l = lane{frame: b.frame}
	}
	flags := byte(0)
	if o.Resent {
		flags |= flagResent
	}
	if o.Unsent {
		flags |= flagUnsent
	}
	answered := o.Answered
	if o.Answered == Never {
		flags |= flagUnanswered
		answered = o.Sent
	}
	if o.Error != "" {
		flags |= flagError
		b.uvarint(colError, b.word(o.Error))
	}
	switch o.Look {
	case limiter.LookAgain:
		flags |= flagAgain
	case limiter.LookAfter:
		flags |= flagAfter
	}
	if o.Look != limiter.LookNone {
		b.varint(colOf, int64(o.Seq-o.Of))
	}
	b.cols[colFlags] = append(b.cols[colFlags], flags)
	b.uvarint(colLane, uint64(o.Lane))
	b.varint(colPhase, int64(o.Phase)-l.phase)
	b.varint(colSeq, int64(o.Seq-l.seq))
	b.varint(colRequest, int64(o.Request))
	step := int64(o.Intended) - l.intended
	b.varint(colIntended, step-l.step)
	b.varint(colSent, int64(o.Sent-o.Intended))
	if o.Answered != Never {
		b.varint(colAnswered, int64(answered-o.Sent))
	}
	b.varint(colDone, int64(o.Done-answered))
	b.varint(colStatus, int64(o.Status)-l.status)
	b.varint(colIn, o.BytesIn-l.bytesIn)
	b.varint(colOut, o.BytesOut-l.byteOut)
	b.keep(o.Evidence)
	*l = lane{
		frame: b.frame, phase: int64(o.Phase), status: int64(o.Status), seq: o.Seq + 1,
		intended: int64(o.Intended), step: step, bytesIn: o.BytesIn, byteOut: o.BytesOut,
	}
	b.count++
}

func (b *block) uvarint(col int, v uint64) { b.cols[col] = binary.AppendUvarint(b.cols[col], v) }
func (b *block) varint(col int, v int64)   { b.cols[col] = binary.AppendVarint(b.cols[col], v) }

// appendTo appends the columns, ready to be compressed.
func (b *block) appendTo(raw []byte) []byte {
	for _, col := range b.cols {
		raw = binary.AppendUvarint(raw, uint64(len(col)))
	}
	for _, col := range b.cols {
		raw = append(raw, col...)
	}
	return raw
}
