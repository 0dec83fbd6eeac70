package history

import (
	"errors"
	"fmt"
	"io"
	"iter"
)

// A reader yields the observations of one stream.
type reader struct {
	walk
	decoder *decoder
	rows    []Observation // of the frame at hand, what is left of it
}

// peek returns the next observation, or nil behind the last one. It is valid
// until the next call.
func (r *reader) peek() (*Observation, error) {
	for len(r.rows) == 0 {
		p, err := r.frame()
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if p.kind != kindObservations {
			continue
		}
		if r.rows, err = r.decoder.decode(p.head, p.payload); err != nil {
			return nil, fmt.Errorf("%sframe %d at byte %d: %w", r.place(), p.number, p.from, err)
		}
		r.doubts.apply(r.rows)
		if r.sender != nil {
			for i := range r.rows {
				r.sender.place(&r.rows[i])
			}
		}
	}
	return &r.rows[0], nil
}

// observations reads streams side by side, each in its own order.
func observations(streams []stream) iter.Seq2[Observation, error] {
	return func(yield func(Observation, error) bool) {
		readers := make([]*reader, len(streams))
		for i, s := range streams {
			d, err := newDecoder(s.counts.version, s.counts.lanes, s.counts.phases)
			if err != nil {
				yield(Observation{}, err)
				return
			}
			r := &reader{walk: walk{stream: s}, decoder: d}
			defer r.close()
			defer d.close()
			readers[i] = r
		}
		for {
			from, err := first(readers)
			if err != nil {
				yield(Observation{}, err)
				return
			}
			if from == nil || !yield(from.rows[0], nil) {
				return
			}
			from.rows = from.rows[1:]
		}
	}
}

// first returns the reader whose next observation was done first, or nil when
// all are at their end. There are as many as agents: a few.
func first(readers []*reader) (*reader, error) {
	var best *reader
	for _, r := range readers {
		o, err := r.peek()
		if err != nil {
			return nil, err
		}
		if o != nil && (best == nil || o.Done < best.rows[0].Done) {
			best = r
		}
	}
	return best, nil
}
