package fleet

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"duckload/history"
)

// A shipper copies an agent's folder over the bus while it is being written.
// What has not arrived is shipped again: the folder on the disk is the truth,
// the copy is the second one.
type shipper struct {
	bus        Bus
	run, agent string
	dir        string
	at         map[string]int64 // how far each file has arrived
}

// shipEvery is how often a shipper looks for more, and shipAgain how long it
// waits when the bus is away.
const (
	shipEvery = 100 * time.Millisecond
	shipAgain = 300 * time.Millisecond
)

// follow ships whole frames and lines as they come, until enough is closed.
func (s *shipper) follow(ctx context.Context, enough <-chan struct{}) {
	wait := time.NewTimer(shipEvery)
	defer wait.Stop()
	for {
		select {
		case <-enough:
			return
		case <-ctx.Done():
			return
		case <-wait.C:
		}
		next := shipEvery
		if s.ship(ctx, false) != nil {
			next = shipAgain
		}
		wait.Reset(next)
	}
}

// finish ships all that is left, done.json last, and goes on trying until it
// has arrived or ctx is done.
func (s *shipper) finish(ctx context.Context) error {
	for {
		err := s.ship(ctx, true)
		var broken *fs.PathError
		if err == nil || errors.As(err, &broken) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(shipAgain):
		}
	}
}

// ship copies what there is. Unless it is all, a frame or a line that is
// being written waits for the next time.
func (s *shipper) ship(ctx context.Context, all bool) error {
	names, err := recordFiles(s.dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if name == doneFile && !all {
			continue
		}
		if err := s.file(ctx, name, all); err != nil {
			return err
		}
	}
	return nil
}

// recordFiles lists the files of a folder that are copied, done.json last.
func recordFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if copied(e.Name()) && e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	slices.SortStableFunc(names, func(a, b string) int {
		return rank(a) - rank(b)
	})
	return names, nil
}

func rank(name string) int {
	if name == doneFile {
		return 1
	}
	return 0
}

func (s *shipper) file(ctx context.Context, name string, all bool) error {
	f, err := os.Open(filepath.Join(s.dir, name))
	if err != nil {
		return err
	}
	defer f.Close()
	from := s.at[name]
	to, err := copyable(f, name, from, all)
	if err != nil {
		return err
	}
	for from < to {
		p := piece{Agent: s.agent, File: name, Offset: from, data: make([]byte, min(to-from, mostPiece))}
		if _, err := f.ReadAt(p.data, from); err != nil {
			return err
		}
		crash("agent.shipping")
		if err := s.bus.Keep(ctx, keptSubject(s.run, s.agent), p.id(s.run), p.encode()); err != nil {
			return err
		}
		from += int64(len(p.data))
		s.at[name] = from
		crash("agent.shipped")
	}
	return nil
}

// copyable returns how far a file can be copied now.
func copyable(f *os.File, name string, from int64, all bool) (int64, error) {
	info, err := f.Stat()
	switch {
	case err != nil:
		return from, err
	case all:
		return info.Size(), nil
	case history.SegmentFile(name):
		return history.Whole(f, from)
	}
	rest := make([]byte, max(0, info.Size()-from))
	if _, err := f.ReadAt(rest, from); err != nil && !errors.Is(err, io.EOF) {
		return from, err
	}
	return from + int64(bytes.LastIndexByte(rest, '\n')+1), nil
}
