package attack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// An answer that begins before its request leaves is somebody else's.
func TestAnAnswerBeforeItsRequestIsEarly(t *testing.T) {
	for _, tc := range []struct {
		name  string
		tries []time.Duration
		first time.Duration // negative: none came
		early bool
	}{
		{"nothing was sent", nil, 5, true},
		{"before", []time.Duration{10}, 5, true},
		{"before the second attempt", []time.Duration{1, 10}, 5, true},
		{"at the same reading of the clock", []time.Duration{10}, 10, false},
		{"after", []time.Duration{10}, 15, false},
		{"nobody noticed when", []time.Duration{10}, -1, false},
	} {
		if got := (&trace{tries: tc.tries, first: tc.first, hasFirst: tc.first >= 0}).early(); got != tc.early {
			t.Errorf("%s: got %t, want %t", tc.name, got, tc.early)
		}
	}
}

// A transport may hold a write that waits for its moment when it has given up.
func TestNothingOfARequestLeavesAfterItsEnd(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	ctx, cancel := context.WithCancel(t.Context())
	c := newClock(false)
	over := &trace{clock: &c, cancel: cancel}
	over.end()
	n, err := over.pass(&gate{Conn: ours}, []byte("GET / HTTP/1.1\r\n\r\n"))
	if n != 0 || !errors.Is(err, errNotSent) || ctx.Err() == nil {
		t.Errorf("got %d bytes and %v, want none", n, err)
	}
	if tries, refused := over.end(); len(tries) != 0 || refused {
		t.Errorf("got %v, %t, want no attempt", tries, refused)
	}
}

func TestWhatThisMachineLacksIsItsOwnFault(t *testing.T) {
	for _, cause := range []error{syscall.EMFILE, syscall.ENFILE, syscall.EADDRINUSE, syscall.EADDRNOTAVAIL, syscall.ENOBUFS} {
		err := fmt.Errorf("wrapped: %w", &net.OpError{Op: "dial", Err: os.NewSyscallError("socket", cause)})
		if got := class(err, t.Context()); got != "local" || exhausted(err) == "" {
			t.Errorf("%v: got class %q and the remedy %q", cause, got, exhausted(err))
		}
	}
	if remedy := exhausted(syscall.ECONNREFUSED); remedy != "" {
		t.Errorf("got %q for a target that refuses", remedy)
	}
}
