package analyze

import (
	"math"
	"sort"
	"strings"
	"time"

	"duckload/history"
	"duckload/limiter"
)

// Remaining is what an answer said is left of the allowance: 0 if it said
// nothing, or more than fits, else one more than the number.
type Remaining uint16

func remaining(n int64) Remaining {
	if n < 0 || n >= math.MaxUint16 {
		return 0
	}
	return Remaining(n + 1)
}

// A teller reads what answers told their clients into rows, and keeps beside
// them what hardly any answer tells. It remembers the headers that it has seen,
// because they repeat.
//
// What answers say about the limits themselves hardly ever changes, so that a
// number is enough to tell apart what was said: rows with the same Claim have
// the same words in every header that speaks of a limit or a policy, and their
// accounts are about the same limits in the same order.
type teller struct {
	read     map[string]reading // by the value of RateLimit
	claims   map[uint64]uint8   // by the hash of everything that is said about limits
	further  []further          // in order of their ordinals
	skipped  int                // answers of which not everything was kept
	longest  map[resetKey]longReset
	accounts []account // of the answer that is read
}

// A reading is a RateLimit field as it was read.
type reading struct {
	allowance
	about uint64 // the hash of what it is about, or that it cannot be read
}

// A further number is what an answer said is left under another limit than its
// first one.
type further struct {
	ordinal uint32
	at      uint8 // place in the answer's accounts
	left    Remaining
}

// A resetKey is one account of one claim of one group's answers.
type resetKey struct {
	group int
	claim uint8
	at    uint8
}

// A longReset is the longest reset that was told, and by which answer.
type longReset struct {
	in, rounding time.Duration
	row          Row
}

// Bounds of what a teller remembers.
const (
	mostRead    = 4096
	mostFurther = 1 << 22
	lastClaim   = math.MaxUint8 // stands for all that are one too many
)

func newTeller() *teller {
	return &teller{read: map[string]reading{}, claims: map[uint64]uint8{}, longest: map[resetKey]longReset{}}
}

// unread is hashed in place of what cannot be read.
var unread = limiter.Field{Name: "unreadable"}

// tell sets Wait, Remaining and Claim of the row of an observation of a group.
// The row's outcome and ordinal must be known.
func (t *teller) tell(r *Row, o *history.Observation, group int) {
	if r.Outcome == limiter.Rejected {
		r.Wait = parseRetryAfter(o.Evidence).wait()
	}
	said, limited := uint64(0), false
	t.accounts = t.accounts[:0]
	for i, f := range o.Evidence {
		kind, family := allowanceField(f.Name)
		switch {
		case kind == "", family == "" && kind == "limit" && limited:
			continue
		case family == "" && kind == "limit":
			limited = true
			a := t.field(joined(o.Evidence[i:], f))
			t.accounts = append(t.accounts, a.accounts[:min(len(a.accounts), mostAccounts-len(t.accounts))]...)
			said = mixed(said^a.about, limiter.Field{Name: "RateLimit"})
			continue
		case kind == "policy":
			said = mixed(said, f)
			continue
		}
		s := t.of(family, &said)
		switch kind {
		case "limit":
			said = mixed(said, f)
		case "remaining":
			if left, ok := wholeNumber(f.Value); !ok {
				said = mixed(said, unread)
			} else if s.left < 0 || left < s.left {
				s.left = left
			}
		case "reset":
			s.reset = strings.Trim(f.Value, " \t")
		}
	}
	if said != 0 {
		r.Claim = t.claim(said)
		t.keep(r, o, group)
	}
}

// of returns the account of a family of fields, as [allowance.of] does: that
// there is one is a part of what was said.
func (t *teller) of(family string, said *uint64) *account {
	for i := range t.accounts {
		if t.accounts[i].family == family {
			return &t.accounts[i]
		}
	}
	if len(t.accounts) == mostAccounts {
		return &account{}
	}
	*said = mixed(*said, limiter.Field{Name: family, Value: "is told"})
	t.accounts = append(t.accounts, account{family: family, left: -1})
	return &t.accounts[len(t.accounts)-1]
}

// keep keeps what the accounts of an answer say.
func (t *teller) keep(r *Row, o *history.Observation, group int) {
	for i, s := range t.accounts {
		left := remaining(s.left)
		switch {
		case left == 0:
		case i == 0:
			r.Remaining = left
		case len(t.further) < mostFurther:
			t.further = append(t.further, further{r.Ordinal, uint8(i), left})
		default:
			t.skipped++
		}
		if s.reset == "" {
			continue
		}
		if in, rounding, ok := resetIn(s.reset, o.Evidence); ok {
			key := resetKey{group, r.Claim, uint8(i)}
			if was, seen := t.longest[key]; !seen || in-rounding > was.in-was.rounding {
				t.longest[key] = longReset{in, rounding, *r}
			}
		}
	}
}

// left returns what an answer said is left in one of its accounts.
func (t *teller) left(r Row, at int) (int64, bool) {
	left := r.Remaining
	if at > 0 {
		left = 0
		i := sort.Search(len(t.further), func(i int) bool {
			f := t.further[i]
			return f.ordinal > r.Ordinal || f.ordinal == r.Ordinal && int(f.at) >= at
		})
		if i < len(t.further) && t.further[i].ordinal == r.Ordinal && int(t.further[i].at) == at {
			left = t.further[i].left
		}
	}
	return int64(left) - 1, left > 0
}

// field reads a RateLimit field.
func (t *teller) field(value string) reading {
	a, ok := t.read[value]
	if !ok {
		a.allowance = parseAllowance(limiter.Fields{{Name: "RateLimit", Value: value}})
		for _, s := range a.accounts {
			a.about = mixed(a.about, limiter.Field{Name: s.name})
		}
		for _, n := range a.limits {
			a.about = a.about*31 + uint64(n) + 1
		}
		if a.broken != nil {
			a.about = mixed(a.about, unread)
		}
		if len(t.read) < mostRead {
			t.read[value] = a
		}
	}
	return a
}

func (t *teller) claim(said uint64) uint8 {
	n, ok := t.claims[said]
	if !ok {
		n = uint8(min(len(t.claims)+1, lastClaim))
		if n < lastClaim {
			t.claims[said] = n
		}
	}
	return n
}

// mixed adds a field to a hash (FNV-1a).
func mixed(hash uint64, f limiter.Field) uint64 {
	hash ^= 14695981039346656037
	for _, s := range [...]string{f.Name, f.Value} {
		for i := range len(s) {
			hash = (hash ^ uint64(s[i])) * 1099511628211
		}
	}
	return hash | 1
}
