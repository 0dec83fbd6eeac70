package history

import (
	"encoding/binary"

	"duckload/limiter"
)

// keep writes evidence as a reference to the frame's dictionary.
func (b *block) keep(evidence limiter.Fields) {
	b.key = b.key[:0]
	for _, f := range evidence {
		b.key = binary.AppendUvarint(b.key, uint64(len(f.Name)))
		b.key = append(b.key, f.Name...)
		b.key = binary.AppendUvarint(b.key, uint64(len(f.Value)))
		b.key = append(b.key, f.Value...)
	}
	if id, known := b.evidence[string(b.key)]; known {
		b.uvarint(colEvidence, uint64(len(b.evidence)-id))
		return
	}
	b.evidence[string(b.key)] = len(b.evidence)
	b.uvarint(colEvidence, 0)
	b.fields += len(evidence)

	form := b.form(evidence)
	b.uvarint(colFormOf, uint64(form))
	for i, f := range evidence {
		value, known := b.values[f.Value]
		switch {
		case !known:
			value = b.intern(b.values, f.Value, colValueLength)
			b.uvarint(colValues, 1)
		case value == b.last[form][i]:
			b.uvarint(colValues, 0)
		default:
			b.uvarint(colValues, value+2)
		}
		b.last[form][i] = value
	}
}

// noValue stands before a form's first evidence.
const noValue = ^uint64(0)

func (b *block) form(evidence limiter.Fields) int {
	b.key = b.key[:0]
	b.key = binary.AppendUvarint(b.key, uint64(len(evidence)))
	for _, f := range evidence {
		b.key = binary.AppendUvarint(b.key, b.word(f.Name))
	}
	form, known := b.forms[string(b.key)]
	if !known {
		form = len(b.forms)
		b.forms[string(b.key)] = form
		b.cols[colForms] = append(b.cols[colForms], b.key...)
		last := make([]uint64, len(evidence))
		for i := range last {
			last[i] = noValue
		}
		b.last = append(b.last, last)
	}
	return form
}

func (b *block) word(s string) uint64 {
	if id, known := b.words[s]; known {
		return id
	}
	return b.intern(b.words, s, colWordLength)
}

// intern adds a new text to a dictionary, whose bytes follow the column of
// its lengths.
func (b *block) intern(in map[string]uint64, s string, lengths int) uint64 {
	id := uint64(len(in))
	in[s] = id
	b.uvarint(lengths, uint64(len(s)))
	b.cols[lengths+1] = append(b.cols[lengths+1], s...)
	return id
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
