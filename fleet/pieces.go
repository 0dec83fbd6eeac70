package fleet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"

	"duckload/history"
)

// A folder of an agent holds its record (seg-000000.dlh and so on), clock.jsonl
// with what it asked of the coordinator's clock, agent.json with its Info, and
// done.json once nothing more will come.
const (
	clockFile = history.ClockFile
	infoFile  = "agent.json"
	doneFile  = "done.json"
)

func copied(file string) bool {
	return history.SegmentFile(file) || file == clockFile || file == infoFile || file == doneFile
}

// A manifest is what done.json says: what the folder holds.
type manifest struct {
	Files []fileSize `json:"files"`
	// BrokeOff says that the agent died before its plan had ended.
	BrokeOff bool   `json:"broke_off,omitempty"`
	Failed   string `json:"failed,omitempty"` // what kept the run from being what was asked for
	Kind     Kind   `json:"kind,omitempty"`
}

type fileSize struct {
	Name string `json:"name"`
	Size int64  `json:"size"`
}

// A piece is a stretch of a file on its way. It says where it belongs, so it
// may come twice, late, or before the one in front of it.
type piece struct {
	Agent  string `json:"agent"`
	File   string `json:"file"`
	Offset int64  `json:"offset"`
	CRC    uint32 `json:"crc32c"` // of data
	data   []byte
}

// mostPiece is how much of a file travels at once: less than what a server of
// NATS takes unless it is told otherwise, 1 MiB.
const mostPiece = 256 << 10

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// id is the same for the same piece, whoever sends it again.
func (p piece) id(run string) string {
	return fmt.Sprintf("%s/%s/%s/%d+%d", run, p.Agent, p.File, p.Offset, len(p.data))
}

func (p piece) encode() []byte {
	p.CRC = crc32.Checksum(p.data, castagnoli)
	return append(append(encode(p), '\n'), p.data...)
}

// mostOffset bounds what a piece can make of a file.
const mostOffset = 1 << 40

func decodePiece(message []byte) (p piece, err error) {
	head, data, ok := bytes.Cut(message, []byte{'\n'})
	if !ok {
		return p, errors.New("it has no head")
	}
	if err := json.Unmarshal(head, &p); err != nil {
		return p, err
	}
	p.data = data
	switch {
	case CheckName(p.Agent) != nil || !copied(p.File):
		return p, fmt.Errorf("it is of %q of agent %q, which is no file of a record", p.File, p.Agent)
	case p.Offset < 0 || p.Offset > mostOffset:
		return p, fmt.Errorf("it belongs to offset %d", p.Offset)
	case crc32.Checksum(data, castagnoli) != p.CRC:
		return p, errors.New("its checksum is wrong")
	}
	return p, nil
}
