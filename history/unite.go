package history

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// An Origin says whose record a folder holds.
type Origin struct {
	Dir    string
	Record uint64 // drawn when the record was created: copies share it
	Header Header
}

// Agent returns the name of the agent that wrote the record; empty: it is of a
// run on one machine.
func (o Origin) Agent() string {
	if len(o.Header.Agents) != 1 {
		return ""
	}
	return o.Header.Agents[0].Name
}

// Peek reads whose record a folder holds. Its frames are not looked at.
func Peek(dir string) (Origin, error) {
	segments, err := segmentFiles(dir)
	if err != nil {
		return Origin{}, err
	}
	if len(segments) == 0 {
		return Origin{}, fmt.Errorf("%s: no record here: it should hold seg-000000.dlh", dir)
	}
	s := stream{segments: segments}
	header, err := s.readHeaders()
	return Origin{dir, s.record, header}, err
}

// Unite writes one record from copies of it, each of which may lack segments,
// frames, or the end of a file: every frame that is whole in any of them, once.
// The probes of the clock are those of all copies. Copies that contradict each
// other are an error. The folder must not hold a record yet.
func Unite(dir string, copies []Origin) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if had, err := segmentFiles(dir); err != nil || len(had) > 0 {
		return errors.Join(err, taken(dir, had))
	}
	frames := map[uint64]found{}
	for _, c := range copies {
		if err := find(frames, c); err != nil {
			return err
		}
	}
	if err := writeFrames(dir, copies[0], frames); err != nil {
		return err
	}
	return uniteProbes(dir, copies)
}

// A found is where a whole frame lies.
type found struct {
	path string
	crc  uint32
	from int64
	size int64
}

// find notes every whole frame of a copy.
func find(frames map[uint64]found, c Origin) error {
	segments, err := segmentFiles(c.Dir)
	if err != nil {
		return err
	}
	for _, seg := range segments {
		if err := findIn(frames, c, seg); err != nil {
			return fmt.Errorf("%s: %w", seg.path, err)
		}
	}
	return nil
}

func findIn(frames map[uint64]found, c Origin, seg segmentFile) error {
	f, err := os.Open(seg.path)
	if err != nil {
		return err
	}
	defer f.Close()
	scan := scanner{file: f, size: seg.size}
	for {
		p, err := scan.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if p.state != whole || p.record != c.Record || p.kind == kindHeader {
			continue
		}
		had, known := frames[p.number]
		if known && had.crc != p.crc {
			return fmt.Errorf("frame %d is not the one in %s: these are not copies of one record", p.number, had.path)
		}
		if !known {
			frames[p.number] = found{seg.path, p.crc, p.from, p.to - p.from}
		}
	}
}

// writeFrames writes the frames in their order, in segments of the usual size. It
// reads where they were found, mostly one after another.
func writeFrames(dir string, of Origin, frames map[uint64]found) error {
	w := &Writer{header: of.Header, segment: segment{dir: dir, record: of.Record, create: createFile, most: segmentSize}}
	if err := w.begin(); err != nil {
		return err
	}
	var open *os.File
	defer func() {
		if open != nil {
			open.Close()
		}
	}()
	for _, number := range slices.Sorted(maps.Keys(frames)) {
		f := frames[number]
		if open == nil || open.Name() != f.path {
			if open != nil {
				open.Close()
			}
			var err error
			if open, err = os.Open(f.path); err != nil {
				return errors.Join(err, w.file.Close())
			}
		}
		if err := w.copy(open, number, f); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", f.path, err), w.file.Close())
		}
	}
	return errors.Join(w.file.Sync(), w.file.Close())
}

// copy appends a frame as it stands in another segment.
func (w *Writer) copy(from io.ReaderAt, number uint64, f found) error {
	if w.next = number; w.size >= w.most {
		if err := w.roll(); err != nil {
			return err
		}
	}
	n, err := io.Copy(w.file, io.NewSectionReader(from, f.from, f.size))
	if w.size += n; err == nil && n < f.size {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// uniteProbes writes the probes of all copies, each once.
func uniteProbes(dir string, copies []Origin) error {
	seen := map[Probe]bool{}
	var text bytes.Buffer
	for _, c := range copies {
		probes, err := ReadProbes(c.Dir)
		if err != nil {
			return err
		}
		for _, p := range probes {
			if seen[p] {
				continue
			}
			seen[p] = true
			if err := AppendProbe(&text, p); err != nil {
				return err
			}
		}
	}
	if text.Len() == 0 {
		return nil
	}
	return os.WriteFile(filepath.Join(dir, ClockFile), text.Bytes(), 0o644)
}
