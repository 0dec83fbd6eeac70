package history

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
)

// Open reads a record as far as it is on the disk at this moment: also one
// that is still being written, or whose writer died. It reads every byte once
// to say in Missing what cannot be believed; All reads them again, so that
// memory does not grow with the record.
//
// Several agents' records of one run, each in a folder of its own, are one
// history: every agent's observations in its own order, on one axis of time
// (see [AxisOf] and [Agent.Bound]), merged by Done.
func Open(dir string) (*History, error) {
	streams, err := findStreams(dir)
	if err != nil {
		return nil, err
	}
	h := &History{}
	headers := make([]Header, len(streams))
	for i := range streams {
		if headers[i], err = streams[i].readHeaders(); err != nil {
			return nil, err
		}
		for _, other := range streams[:i] {
			if other.record == streams[i].record {
				return nil, fmt.Errorf("%s is the same record as %s: each request would count twice, so remove one", streams[i].dir(), other.dir())
			}
		}
	}
	h.Header = headers[0]
	if len(streams) > 1 || len(h.Header.Agents) > 0 {
		if err := h.gather(streams, headers); err != nil {
			return nil, err
		}
	}
	if err := h.survey(streams); err != nil {
		return nil, err
	}
	h.streams = streams
	h.all = func() iter.Seq2[Observation, error] { return observations(streams) }
	return h, nil
}

// survey says what is missing, and how the run ended.
func (h *History) survey(streams []stream) error {
	var ends []*End
	var senders []*sender
	for i := range streams {
		words, found, events, err := streams[i].survey()
		if err != nil {
			return err
		}
		var end *End
		if words != nil {
			end = &words.End
		}
		ends, senders = append(ends, end), append(senders, streams[i].sender)
		h.Events = append(h.Events, events...) // agents listen for none
		h.Missing = append(h.Missing, found.missing...)
		h.Notes = append(h.Notes, found.notes...)
		if len(found.missing) > 0 {
			if err := h.lose(streams[i], words, len(events), found.doubt); err != nil {
				return err
			}
		}
	}
	if h.End = ends[0]; senders[0] != nil {
		h.End = h.together(ends, senders)
	}
	return nil
}

func findStreams(dir string) ([]stream, error) {
	own, err := segmentFiles(dir)
	if err != nil {
		return nil, err
	}
	var streams []stream
	if len(own) > 0 {
		streams = append(streams, stream{segments: own})
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		segments, err := segmentFiles(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		if len(segments) > 0 {
			streams = append(streams, stream{name: e.Name(), segments: segments})
		}
	}
	if len(streams) == 0 {
		return nil, fmt.Errorf("%s: no record here: it should hold seg-000000.dlh", dir)
	}
	return streams, nil
}

// readHeaders returns the header of a stream, from whichever segment has a
// readable one, and notes the id that its frames carry.
func (s *stream) readHeaders() (Header, error) {
	var header *Header
	for _, seg := range s.segments {
		h, record, err := readHeader(seg)
		switch {
		case err != nil:
			return Header{}, fmt.Errorf("%s: %w", seg.path, err)
		case h == nil:
		case header == nil:
			header, s.record = h, record
		case record != s.record:
			return Header{}, fmt.Errorf("%s is of another record (run %q) than the segments before it (run %q): keep one record in a folder", seg.path, h.Run, header.Run)
		}
	}
	if header == nil {
		return Header{}, fmt.Errorf("%s: no readable header in %d segments: not a record, or damaged beyond reading", filepath.Dir(s.segments[0].path), len(s.segments))
	}
	s.counts.version, s.counts.lanes, s.counts.phases = header.Version, len(header.Lanes), len(header.Phases)
	return *header, nil
}

// readHeader returns the first whole header of a segment; nil if it has none.
func readHeader(seg segmentFile) (*Header, uint64, error) {
	f, err := os.Open(seg.path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	scan := scanner{file: f, size: seg.size}
	for {
		p, err := scan.next()
		if errors.Is(err, io.EOF) {
			return nil, 0, nil
		}
		if err != nil {
			return nil, 0, err
		}
		if p.state == whole && p.kind == kindHeader {
			h, err := parseHeader(p.payload)
			return h, p.record, err
		}
	}
}

func parseHeader(payload []byte) (*Header, error) {
	// The version first: the rest may look different in another one.
	var only struct {
		Header struct {
			Version int    `json:"version"`
			Tool    string `json:"tool"`
		} `json:"header"`
	}
	if err := json.Unmarshal(payload, &only); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if v := only.Header.Version; v < 1 || v > Version {
		return nil, fmt.Errorf("record version %d; this duckload reads versions 1 to %d: use the one that wrote it (%q)", v, Version, only.Header.Tool)
	}
	var all segmentHeader
	if err := json.Unmarshal(payload, &all); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if err := all.Header.check(); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	return &all.Header, nil
}

// survey walks a stream for what it lacks and how it ended.
func (s *stream) survey() (*lastWords, *remarks, []Event, error) {
	found := &remarks{}
	next := 0
	for _, seg := range s.segments {
		if seg.index > next {
			found.miss("%s%s missing", s.prefix(), span("segment", uint64(next), uint64(seg.index-1)))
		}
		next = seg.index + 1
	}
	w := walk{stream: *s, remarks: found}
	defer w.close()
	var end *lastWords
	var events []Event
	for {
		p, err := w.frame()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, nil, err
		}
		if p.kind == kindEvents {
			more, err := parseEvents(p.payload, s.counts.lanes)
			if err != nil {
				found.miss("%sdeliveries of webhooks cannot be read: %v", s.prefix(), err)
			}
			events = append(events, more...)
		}
		if p.kind == kindDoubt {
			if err := s.doubts.read(p.payload, s.counts.lanes); err != nil {
				found.miss("%sa doubt about answers cannot be read: %v", s.prefix(), err)
			}
		}
		if p.kind == kindEnd {
			end = &lastWords{}
			if err := json.Unmarshal(p.payload, end); err != nil {
				end = nil
				found.miss("%sits end cannot be read: %v", s.prefix(), err)
			}
		}
	}
	if !w.ended {
		found.miss("%sthe record has no end: it is still being written or broke off, and what had not been flushed is not in it", s.prefix())
	}
	if found.more > 0 {
		found.missing = append(found.missing, fmt.Sprintf("%s%d more like these", s.prefix(), found.more))
	}
	return end, found, events, nil
}
