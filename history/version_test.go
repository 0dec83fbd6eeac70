package history

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// A record of version 1 has one column less, and is read like any other.
func TestRecordsOfTheFirstVersionAreRead(t *testing.T) {
	all := []Observation{
		{Seq: 0, Sent: time.Second, Answered: 2 * time.Second, Done: 2 * time.Second, Status: 200},
		{Seq: 1, Sent: 3 * time.Second, Answered: Never, Done: 4 * time.Second, Error: "timeout"},
	}
	b := newBlock(1, 1)
	for _, o := range all {
		b.add(&o)
	}
	raw := b.appendTo(nil)
	// The lengths stand first, and the last is that of the column which is new.
	at := 0
	for range columns - 1 {
		for raw[at] >= 0x80 {
			at++
		}
		at++
	}
	if raw[at] != 0 {
		t.Fatalf("got a column of %d bytes where nobody looks, want none", raw[at])
	}
	raw = slices.Delete(raw, at, at+1)
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	d, err := newDecoder(1, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	got, err := d.decode(head{count: 2, raw: uint32(len(raw))}, z.EncodeAll(raw, nil))
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, all)
	for version, readable := range map[int]bool{0: false, 1: true, 2: true, 3: false} {
		text, err := json.Marshal(segmentHeader{Header: Header{Version: version}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseHeader(text); (err == nil) != readable {
			t.Errorf("version %d: got %v, want it read: %v", version, err, readable)
		}
	}
}
