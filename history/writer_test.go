package history

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"duckload/limiter"
)

func contains(t testing.TB, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got error %v, want one with %q", err, want)
	}
}

// A disk is a file system that fills up.
type disk struct {
	mu     sync.Mutex
	files  map[string]*bytes.Buffer
	synced int // bytes that were on the disk at the last Sync
	total  int
	room   int
	syncs  error
}

var errFull = errors.New("no space left on device")

func (d *disk) create(path string) (file, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.files[filepath.Base(path)] = &bytes.Buffer{}
	return diskFile{d, filepath.Base(path)}, nil
}

type diskFile struct {
	disk *disk
	name string
}

func (f diskFile) Write(p []byte) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	n := min(len(p), f.disk.room)
	f.disk.room -= n
	f.disk.total += n
	f.disk.files[f.name].Write(p[:n])
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}

func (f diskFile) Sync() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	f.disk.synced = f.disk.total
	return f.disk.syncs
}

func (f diskFile) Close() error { return nil }

// folder writes what is on the disk to a real folder.
func (d *disk) folder(t *testing.T) string {
	dir := t.TempDir()
	for name, b := range d.files {
		if err := os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestAFullDiskLosesNothingThatWasWritten(t *testing.T) {
	all := realistic(2000)
	header := 0
	for room := 100; ; room += 1777 {
		d := &disk{files: map[string]*bytes.Buffer{}, room: room}
		w, err := create(t.TempDir(), someHeader(), 4000, d.create)
		if err != nil {
			if !errors.Is(err, errFull) {
				t.Fatal(err)
			}
			header++
			continue
		}
		flushed := 0
		for i, o := range all {
			if err = w.Append(o); err != nil {
				break
			}
			if every(100)(i) {
				if err = w.Flush(); err != nil {
					break
				}
				flushed = i + 1
			}
		}
		if err == nil {
			break // the disk was large enough
		}
		if !errors.Is(err, errFull) {
			t.Fatalf("got %v, want the disk's error", err)
		}
		for name, again := range map[string]error{"append": w.Append(all[0]), "flush": w.Flush(), "close": w.Close(End{Complete: true})} {
			if !errors.Is(again, errFull) {
				t.Errorf("%s after a full disk: got %v, want the same error again", name, again)
			}
		}
		h := open(t, d.folder(t))
		if h.End != nil || len(h.Missing) == 0 {
			t.Fatalf("room %d: got end %v and missing %q, want no end and a reason", room, h.End, h.Missing)
		}
		same(t, read(t, h), all[:flushed])
	}
	if header == 0 {
		t.Error("no case without room for the header: begin with less room")
	}
}

func TestAFailedSyncIsFinal(t *testing.T) {
	d := &disk{files: map[string]*bytes.Buffer{}, room: 1 << 20}
	w, err := create(t.TempDir(), someHeader(), segmentSize, d.create)
	if err != nil {
		t.Fatal(err)
	}
	d.syncs = errors.New("input/output error")
	if err := w.Append(Observation{}); err != nil {
		t.Fatal(err)
	}
	contains(t, w.Flush(), "input/output error")
	d.syncs = nil
	contains(t, w.Flush(), "input/output error")
}

func TestFlushSyncsWhatItWrote(t *testing.T) {
	d := &disk{files: map[string]*bytes.Buffer{}, room: 1 << 20}
	w, err := create(t.TempDir(), someHeader(), segmentSize, d.create)
	if err != nil {
		t.Fatal(err)
	}
	if d.synced == 0 || d.synced != d.total {
		t.Errorf("the header: %d of %d bytes synced, want all", d.synced, d.total)
	}
	if err := w.Append(Observation{}); err != nil {
		t.Fatal(err)
	}
	before := d.total
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if d.total == before || d.synced != d.total {
		t.Errorf("after Flush: %d bytes, %d synced, %d before, want more and all", d.total, d.synced, before)
	}
}

func TestAFullFrameIsWrittenWithoutFlush(t *testing.T) {
	all := realistic(frameCount + 10)
	h := open(t, record(t, all, nil, nil))
	same(t, read(t, h), all[:frameCount])

	long := Observation{Error: strings.Repeat("x", frameText)}
	h = open(t, record(t, []Observation{long}, nil, nil))
	same(t, read(t, h), []Observation{long})

	wide := Observation{Evidence: make(limiter.Fields, mostOfOne)}
	for i := range wide.Evidence {
		wide.Evidence[i] = limiter.Field{Name: "X", Value: fmt.Sprint(i)}
	}
	wider := wide
	wider.Evidence = append(limiter.Fields{{Name: "Y"}}, wide.Evidence[1:]...)
	h = open(t, record(t, []Observation{wide, wider}, nil, nil))
	same(t, read(t, h), []Observation{wide, wider})
}

func TestSegmentsRoll(t *testing.T) {
	dir := t.TempDir()
	w, err := create(dir, someHeader(), 5000, createFile)
	if err != nil {
		t.Fatal(err)
	}
	all := realistic(3000)
	for i, o := range all {
		if err := w.Append(o); err != nil {
			t.Fatal(err)
		}
		if every(100)(i) {
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(End{Complete: true}); err != nil {
		t.Fatal(err)
	}
	files, err := segmentFiles(dir)
	if err != nil || len(files) < 5 {
		t.Fatalf("got %d segments (%v), want at least 5", len(files), err)
	}
	same(t, read(t, open(t, dir)), all)

	// One of them alone can be read, and says what it is not.
	alone := t.TempDir()
	if err := os.Rename(files[2].path, filepath.Join(alone, filepath.Base(files[2].path))); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{alone, dir} {
		h := open(t, d)
		if len(h.Missing) == 0 {
			t.Errorf("%s: nothing missing, want the lost segments", d)
		}
		isPart(t, read(t, h), all)
	}
	got := strings.Join(open(t, dir).Missing, "\n")
	if !strings.Contains(got, "segment 2 is missing") {
		t.Errorf("got missing %q, want segment 2", got)
	}
}

func TestWhatDoesNotBelongIsRefused(t *testing.T) {
	w, err := Create(t.TempDir(), someHeader())
	if err != nil {
		t.Fatal(err)
	}
	contains(t, w.Append(Observation{Lane: 3}), "observation of lane 3: the header has 3 lanes")
	contains(t, w.Append(Observation{Lane: -1}), "observation of lane -1")
	contains(t, w.Append(Observation{Phase: 2}), "observation of phase 2: the header has 2 phases")
	contains(t, w.Append(Observation{Error: strings.Repeat("x", mostText+1)}), "at most")
	if err := w.Append(Observation{}); err != nil {
		t.Errorf("after a refusal: got %v, want the record to go on", err)
	}
	if err := w.Close(End{}); err != nil {
		t.Fatal(err)
	}
	contains(t, w.Append(Observation{}), "closed")
	contains(t, w.Flush(), "closed")
	contains(t, w.Close(End{}), "closed")
	if got := len(read(t, open(t, w.dir))); got != 1 {
		t.Errorf("got %d observations, want 1", got)
	}

	_, err = Create(w.dir, someHeader())
	contains(t, err, "holds a record already (seg-000000.dlh): write to a new folder")
	wrong := someHeader()
	wrong.Lanes[1].Group = 5
	_, err = Create(t.TempDir(), wrong)
	contains(t, err, "lane 1 is of group 5: there are 2 groups")
}

func TestAppendAndFlushMayMeet(t *testing.T) {
	dir := t.TempDir()
	w, err := create(dir, someHeader(), 100_000, createFile)
	if err != nil {
		t.Fatal(err)
	}
	all := realistic(3 * frameCount)
	stop := make(chan struct{})
	var flusher sync.WaitGroup
	flusher.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				if err := w.Flush(); err != nil {
					t.Error(err)
				}
			}
		}
	})
	for _, o := range all {
		if err := w.Append(o); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	flusher.Wait()
	if err := w.Close(End{}); err != nil {
		t.Fatal(err)
	}
	same(t, read(t, open(t, dir)), all)
}

// A record that is read while it is written shows what was flushed.
func TestARecordCanBeReadWhileItIsWritten(t *testing.T) {
	dir := t.TempDir()
	w, err := Create(dir, someHeader())
	if err != nil {
		t.Fatal(err)
	}
	all := realistic(300)
	for i, o := range all {
		if err := w.Append(o); err != nil {
			t.Fatal(err)
		}
		if every(100)(i) {
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
			early := open(t, dir)
			if err := w.Append(o); err != nil { // goes on between Open and All
				t.Fatal(err)
			}
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
			if got := len(read(t, early)); got != i+1+i/100 {
				t.Errorf("after %d: got %d observations, want %d", i+1, got, i+1+i/100)
			}
			if early.End != nil || len(early.Missing) != 1 || !strings.Contains(early.Missing[0], "no end") {
				t.Errorf("got end %v and missing %q, want no end and one sentence that says so", early.End, early.Missing)
			}
		}
	}
}

func TestARecordIsKeptInVirtualTimeToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		w, err := Create(dir, someHeader())
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		for range 10 {
			time.Sleep(250 * time.Millisecond)
			if err := w.Append(Observation{Sent: time.Since(began)}); err != nil {
				t.Fatal(err)
			}
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(End{At: time.Since(began)}); err != nil {
			t.Fatal(err)
		}
		if got := read(t, open(t, dir))[9].Sent; got != 2500*time.Millisecond {
			t.Errorf("got %v, want 2.5s", got)
		}
	})
}
