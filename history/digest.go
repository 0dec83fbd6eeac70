package history

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"iter"
	"slices"
	"strings"
)

// Digest names what was observed: histories with the same digest hold the same
// observations by the same agents. It does not depend on the folders that they
// lie in, on how the frames came there, or on probes of the clock.
func (h *History) Digest() (string, error) {
	var all []string
	for name, observations := range h.raw() {
		sum := sha256.New()
		var line []byte
		for o, err := range observations {
			if err != nil {
				return "", err
			}
			line = o.appendTo(line[:0])
			sum.Write(line)
		}
		all = append(all, name+"\x00"+string(sum.Sum(nil)))
	}
	slices.Sort(all)
	sum := sha256.Sum256([]byte(h.Header.Run + "\x00" + strings.Join(all, "\x00")))
	return hex.EncodeToString(sum[:16]), nil
}

// raw yields the observations of each agent as it wrote them.
func (h *History) raw() iter.Seq2[string, iter.Seq2[Observation, error]] {
	return func(yield func(string, iter.Seq2[Observation, error]) bool) {
		if len(h.streams) == 0 {
			yield("", h.all())
			return
		}
		for _, s := range h.streams {
			name := ""
			if s.sender != nil {
				name = s.sender.header.Agents[0].Name
			}
			s.sender = nil
			if !yield(name, observations([]stream{s})) {
				return
			}
		}
	}
}

// appendTo writes all of an observation, so that no two that differ read the
// same.
func (o *Observation) appendTo(b []byte) []byte {
	flags := int64(0)
	if o.Resent {
		flags |= 1
	}
	if o.Unsent {
		flags |= 2
	}
	for _, n := range []int64{
		int64(o.Lane), int64(o.Phase), int64(o.Seq), int64(o.Request), int64(o.Intended), int64(o.Sent), int64(o.Answered), int64(o.Done),
		flags, int64(o.Status), o.BytesIn, o.BytesOut, int64(len(o.Error)), int64(len(o.Evidence)),
	} {
		b = binary.AppendVarint(b, n)
	}
	b = append(b, o.Error...)
	for _, f := range o.Evidence {
		b = binary.AppendVarint(b, int64(len(f.Name)))
		b = binary.AppendVarint(b, int64(len(f.Value)))
		b = append(append(b, f.Name...), f.Value...)
	}
	return b
}
