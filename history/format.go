package history

import (
	"encoding/binary"
	"hash/crc32"
)

// Version is the version of the record on disk that this package writes. It
// reads the earlier ones, too: in version 1, no request looks at another one.
const Version = 2

// A record on disk is a folder of segments, seg-000000.dlh and so on, each a
// sequence of frames: a header, then observations, and in the last segment an
// end. A folder may also hold one folder per agent, each with the segments
// that the agent wrote.
//
// A frame is, with integers in little-endian order:
//
//	 0  magic    "\xd1DLH"
//	 4  kind     'H', 'O', 'V', 'D' or 'E', and three zero bytes
//	 8  number   of the frame in its record, without gaps from 0, across
//	             segments; a header takes no number, it names the next one's
//	16  record   id of the record, drawn at its creation
//	24  count    observations in the frame
//	28  raw      bytes of the payload when decompressed
//	32  length   bytes of the payload as it follows
//	36  CRC-32C  of the payload
//	40  CRC-32C  of the 40 bytes before
//	44  payload  'H', 'V', 'D', 'E': JSON; 'O': columns (see columns.go), in zstd
//
// The frame's own head has a checksum so that its length can be trusted: a
// damaged payload costs its frame and never the ones behind it.
const (
	magic    = "\xd1DLH"
	headSize = 44

	kindHeader       = 'H'
	kindObservations = 'O'
	kindEnd          = 'E'
	kindEvents       = 'V'
	kindDoubt        = 'D'
)

// Limits of what a reader accepts. They bound what it allocates, whatever the
// bytes say; the writer stays below them.
const (
	mostRaw    = 32 << 20 // bytes of a payload, compressed or not
	mostCount  = 1 << 16  // observations in a frame
	mostFields = 1 << 19  // fields of evidence in a frame, each different evidence counted once
	mostHeader = 4 << 20  // bytes of a header or an end
	mostNumber = 1 << 62  // of a frame
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A head is what stands before a frame's payload.
type head struct {
	kind   byte
	number uint64
	record uint64
	count  uint32
	raw    uint32
	length uint32
	crc    uint32
}

func (h head) append(b []byte) []byte {
	start := len(b)
	b = append(b, magic...)
	b = append(b, h.kind, 0, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, h.number)
	b = binary.LittleEndian.AppendUint64(b, h.record)
	for _, v := range []uint32{h.count, h.raw, h.length, h.crc} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
}

// parseHead reads the first headSize bytes of a frame. It reports false for
// anything that this package would not have written.
func parseHead(b []byte) (head, bool) {
	if len(b) < headSize || string(b[:4]) != magic {
		return head{}, false
	}
	if crc32.Checksum(b[:40], castagnoli) != binary.LittleEndian.Uint32(b[40:]) {
		return head{}, false
	}
	h := head{
		kind:   b[4],
		number: binary.LittleEndian.Uint64(b[8:]),
		record: binary.LittleEndian.Uint64(b[16:]),
		count:  binary.LittleEndian.Uint32(b[24:]),
		raw:    binary.LittleEndian.Uint32(b[28:]),
		length: binary.LittleEndian.Uint32(b[32:]),
		crc:    binary.LittleEndian.Uint32(b[36:]),
	}
	most := uint32(mostHeader)
	switch h.kind {
	case kindObservations:
		most = mostRaw
	case kindHeader, kindEnd, kindEvents, kindDoubt:
	default:
		return head{}, false
	}
	zero := b[5] == 0 && b[6] == 0 && b[7] == 0
	return h, zero && h.raw <= most && h.length <= most && h.count <= mostCount && h.number < mostNumber
}

// appendFrame appends a whole frame. The head's length and checksum are filled
// in from the payload.
func appendFrame(b []byte, h head, payload []byte) []byte {
	h.length = uint32(len(payload))
	h.crc = crc32.Checksum(payload, castagnoli)
	return append(h.append(b), payload...)
}
