package history

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// Open reads a record as far as it is on the disk at this moment: also one
// that is still being written, or whose writer died. It reads every byte once
// to say in Missing what cannot be believed; All reads them again, so that
// memory does not grow with the record.
//
// Several agents' records of one run, each in a folder of its own, are one
// history: every agent's observations in its own order, merged by Done.
func Open(dir string) (*History, error) {
	streams, err := findStreams(dir)
	if err != nil {
		return nil, err
	}
	h := &History{}
	var ends []*End
	for i := range streams {
		header, err := streams[i].readHeaders()
		if err != nil {
			return nil, err
		}
		if i == 0 {
			h.Header = header
		} else if err := sameRun(h.Header, header); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Dir(streams[i].segments[0].path), err)
		}
		for _, other := range streams[:i] {
			if other.record == streams[i].record {
				return nil, fmt.Errorf("%s is the same record as %s: each request would count twice, so remove one", filepath.Dir(streams[i].segments[0].path), filepath.Dir(other.segments[0].path))
			}
		}
		end, found, err := streams[i].survey()
		if err != nil {
			return nil, err
		}
		ends = append(ends, end)
		h.Missing = append(h.Missing, found.missing...)
		h.Notes = append(h.Notes, found.notes...)
	}
	h.End = together(ends)
	h.all = func() iter.Seq2[Observation, error] { return observations(h.Header, streams) }
	return h, nil
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
	if v := only.Header.Version; v != Version {
		return nil, fmt.Errorf("record version %d; this duckload reads version %d: use the one that wrote it (%q)", v, Version, only.Header.Tool)
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
func (s *stream) survey() (*End, *remarks, error) {
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
	var end *End
	for {
		p, err := w.frame()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, err
		}
		if p.kind == kindEnd {
			end = &End{}
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
	return end, found, nil
}

// sameRun reports why two agents' records cannot be one history.
func sameRun(a, b Header) error {
	switch {
	case a.Run != b.Run:
		return fmt.Errorf("of run %q, beside one of run %q: keep one run in a folder", b.Run, a.Run)
	case !a.Started.Equal(b.Started):
		return fmt.Errorf("its moments count from %s, those of the record beside it from %s", b.Started, a.Started)
	case !reflect.DeepEqual(a.Groups, b.Groups) || !slices.Equal(a.Lanes, b.Lanes) || !slices.Equal(a.Phases, b.Phases):
		return errors.New("its groups, lanes or phases are not those of the record beside it")
	}
	return nil
}

// together returns how a run ended that several agents made. One that did not
// end leaves the whole without an end.
func together(ends []*End) *End {
	if slices.Contains(ends, nil) {
		return nil
	}
	if len(ends) == 1 {
		return ends[0]
	}
	all := &End{Complete: true}
	var reasons []string
	for _, e := range ends {
		all.At = max(all.At, e.At)
		all.Complete = all.Complete && e.Complete
		all.Offered += e.Offered
		all.Notes = append(all.Notes, e.Notes...)
		if e.Reason != "" && !slices.Contains(reasons, e.Reason) {
			reasons = append(reasons, e.Reason)
		}
	}
	all.Reason = strings.Join(reasons, "; ")
	return all
}
