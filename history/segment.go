package history

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// A segmentHeader is the payload of a segment's first frame. It is repeated in
// each segment, so that one alone can be read.
type segmentHeader struct {
	Segment int    `json:"segment"`
	Header  Header `json:"header"`
}

// begin makes the next segment. Its header is on the disk when it returns.
func (w *Writer) begin() error {
	payload, err := json.Marshal(segmentHeader{Segment: w.index, Header: w.header})
	if err != nil {
		return err
	}
	if len(payload) > mostHeader {
		return fmt.Errorf("the header has %d bytes: at most %d can be kept", len(payload), mostHeader)
	}
	f, err := w.create(segmentPath(w.dir, w.index))
	if err != nil {
		return err
	}
	w.file, w.size = f, 0
	if err := w.frame(head{kind: kindHeader, number: w.next, raw: uint32(len(payload))}, payload); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Sync(); err != nil {
		return errors.Join(err, f.Close())
	}
	syncDir(w.dir)
	return nil
}

// roll ends the segment and begins the next.
func (w *Writer) roll() error {
	if err := w.file.Sync(); err != nil {
		return err
	}
	if err := w.file.Close(); err != nil {
		return err
	}
	w.index++
	return w.begin()
}

// frame writes a frame in one piece, so that a crash tears one at most.
func (w *Writer) frame(h head, payload []byte) error {
	h.record = w.record
	w.out = appendFrame(w.out[:0], h, payload)
	n, err := w.file.Write(w.out)
	w.size += int64(n)
	return err
}

// syncDir makes a new file's name survive a loss of power, where the system
// can do that. Where it cannot, there is nothing better to do.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		d.Sync()
		d.Close()
	}
}

func segmentPath(dir string, index int) string {
	return filepath.Join(dir, fmt.Sprintf("seg-%06d.dlh", index))
}

var segmentName = regexp.MustCompile(`^seg-(\d{6,9})\.dlh$`)

// A segmentFile is a segment as it is found on the disk.
type segmentFile struct {
	path  string
	index int
	size  int64 // when it was found
}

// segmentFiles lists the segments in a folder, in order.
func segmentFiles(dir string) ([]segmentFile, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var found []segmentFile
	for _, e := range entries {
		m := segmentName.FindStringSubmatch(e.Name())
		if m == nil || e.IsDir() {
			continue
		}
		info, err := os.Stat(filepath.Join(dir, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !info.Mode().IsRegular() {
			continue // reading a pipe would wait for ever
		}
		index, err := strconv.Atoi(m[1])
		if err != nil {
			return nil, err
		}
		found = append(found, segmentFile{path: filepath.Join(dir, e.Name()), index: index, size: info.Size()})
	}
	slices.SortFunc(found, func(a, b segmentFile) int { return a.index - b.index })
	return found, nil
}
