package emulator

import "sync"

// accounts remember who signed up, the newest so many of them.
type accounts struct {
	mu     sync.Mutex
	known  map[string]bool
	order  []string // a ring, once it is full
	signed int      // ever
	most   int
}

func newAccounts(most int) *accounts {
	return &accounts{known: map[string]bool{}, most: most}
}

// add returns the number of a new account, or false if there is one already.
func (a *accounts) add(email string) (number int, fresh bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known[email] {
		return 0, false
	}
	if len(a.order) < a.most {
		a.order = append(a.order, email)
	} else {
		oldest := a.signed % a.most
		delete(a.known, a.order[oldest])
		a.order[oldest] = email
	}
	a.known[email] = true
	a.signed++
	return a.signed, true
}

func (a *accounts) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.signed
}
