package history

import (
	"errors"
	"io"
	"os"
)

// SegmentFile reports whether a file of this name is a segment of a record.
func SegmentFile(name string) bool { return segmentName.MatchString(name) }

// Whole returns where the last whole frame of a segment ends, at an offset
// where a frame begins or behind it. It is for those who copy a record while it
// is being written: what lies between is never changed again.
func Whole(segment *os.File, from int64) (int64, error) {
	info, err := segment.Stat()
	if err != nil {
		return from, err
	}
	scan := scanner{file: segment, size: info.Size(), at: from}
	for {
		p, err := scan.next()
		switch {
		case errors.Is(err, io.EOF):
			return from, nil
		case err != nil:
			return from, err
		case p.state == torn, p.state == unreadable, p.state == damaged:
			// Half of it may be there: the rest is on its way.
			return from, nil
		}
		from = p.to
	}
}

// Ended reports whether the record in a folder, of one writer, says how the run
// ended: whoever wrote it did not die before.
func Ended(dir string) (bool, error) {
	segments, err := segmentFiles(dir)
	if err != nil || len(segments) == 0 {
		return false, err
	}
	own := stream{segments: segments}
	if _, err := own.readHeaders(); err != nil {
		return false, err
	}
	end, _, _, err := own.survey()
	return end != nil, err
}
