package attack

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"

	"duckload/english"
)

// Troubles are what kept requests of a run from a useful answer. The record
// has the class of each; this keeps, for people, how the first of each class
// was put.
type troubles struct {
	mu  sync.Mutex
	all []trouble // of each kind one; there are few
}

type trouble struct {
	kind  string // a class of failure, or a status: see [class]
	n     int
	first string
}

// add counts a trouble. said is asked about the first of a kind alone.
func (t *troubles) add(kind string, said func() string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.all {
		if t.all[i].kind == kind {
			t.all[i].n++
			return
		}
	}
	t.all = append(t.all, trouble{kind, 1, said()})
}

// Bounds of what is told: a person reads it.
const (
	mostTroubles = 8
	mostSaid     = 160
)

// note says how many requests had no useful answer, and why; empty: none.
func (t *troubles) note() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	slices.SortStableFunc(t.all, func(a, b trouble) int { return cmp.Compare(b.n, a.n) })
	n, said := 0, []string{}
	for i, x := range t.all {
		n += x.n
		if i < mostTroubles {
			said = append(said, fmt.Sprintf("%d %s (%s)", x.n, x.kind, x.first))
		}
	}
	if more := len(t.all) - len(said); more > 0 {
		said = append(said, fmt.Sprintf("and %d more kinds", more))
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%s had no useful, whole answer: %s", english.Count(int(n), "request"), strings.Join(said, ", "))
}

// failed notes a request that had no whole answer. Those that were given up
// because the run was stopped are nobody's trouble.
func (l *lane) failed(class string, err error) {
	if class == "canceled" {
		return
	}
	l.troubles.add(class, func() string {
		if class == "timeout" {
			return fmt.Sprintf("given up after %s", l.timeout())
		}
		said := cut(strings.ReplaceAll(visible(l.masked(briefly(err))), "\n", " "), mostSaid)
		if remedy := exhausted(err); remedy != "" {
			said += "; " + remedy
		}
		return said
	})
}

// odd notes an answer that is neither admitted nor a rejection. A sender in
// disguise was promised none that is, and one that is turned away as
// documented has what it asked for.
func (l *lane) odd(status int) {
	if of := l.plan.Lanes[l.index]; of.Trick != "" || l.group.Promise.Turned(of.Identity) {
		return
	}
	l.troubles.add(fmt.Sprintf("status %d", status), func() string {
		return cmp.Or(http.StatusText(status), "of no known meaning") + ", neither admitted nor a rejection"
	})
}

// briefly returns what an error says without the addresses of both ends, which
// are the target's and a port of no interest.
func briefly(err error) string {
	switch {
	case err == nil:
		return "nothing is known of it"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "closed before the answer was whole"
	}
	var op *net.OpError
	var handshake handshakeError
	if errors.As(err, &op) && op.Err != nil {
		said := op.Op + ": " + op.Err.Error()
		if errors.As(err, &handshake) {
			said = "TLS handshake: " + said
		}
		return said
	}
	said := strings.TrimPrefix(err.Error(), "net/http: HTTP/1.x transport connection broken: ")
	said, _, _ = strings.Cut(said, ": buffer size=") // and what is in fasthttp's
	return said
}
