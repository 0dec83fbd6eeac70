package history

import (
	"cmp"
	"fmt"
	"slices"
)

// Remarks collect what is wrong with a record. Nil ones listen to nothing.
type remarks struct {
	missing, notes []string
	more           int // beyond what is worth reading
	taken          []takenFrame

	doubt bool // what was read may not be what was written
}

// A takenFrame is a frame that counted. It is remembered to tell a frame that came twice from one that
// says something else. A few bytes each, far fewer than the frame has.
type takenFrame struct {
	number uint64
	crc    uint32
}

// mostRemarks bounds what a record that is broken all over has to say.
const mostRemarks = 100

func (r *remarks) miss(format string, args ...any) {
	if r == nil {
		return
	}
	if len(r.missing) == mostRemarks {
		r.more++
		return
	}
	r.missing = append(r.missing, fmt.Sprintf(format, args...))
}

// mistrust says that somebody has put the record together: what was read may
// not be what was written, also if nothing is missing.
func (r *remarks) mistrust() {
	if r != nil {
		r.doubt = true
	}
}

func (r *remarks) note(format string, args ...any) {
	if r != nil && len(r.notes) < mostRemarks {
		r.notes = append(r.notes, fmt.Sprintf(format, args...))
	}
}

func (r *remarks) took(p piece) {
	if r != nil {
		r.taken = append(r.taken, takenFrame{p.number, p.crc})
	}
}

func (r *remarks) crc(number uint64) (uint32, bool) {
	i, found := slices.BinarySearchFunc(r.taken, number, func(t takenFrame, n uint64) int {
		return cmp.Compare(t.number, n)
	})
	if !found {
		return 0, false
	}
	return r.taken[i].crc, true
}
