package emulator

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"duckload/limiter"
)

// SourceHeader tells on each answer which source address the server saw, so
// that a client can prove where its requests came from.
const SourceHeader = "X-Duckload-Source"

// Stage is the prefix under which the published API lies. It may be left out.
const Stage = "/prod"

// A Server is the API. It is an [http.Handler]; see [Server.Transport] for one
// without sockets and [Server.Serve] for one with. Its moment 0 is the call of
// [New], by the monotonic clock.
type Server struct {
	config   Config
	began    time.Time
	groups   []*group
	rest     *group // of the paths that no group has
	accounts *accounts
	ledger   *ledger
	postman  *postman
	tickets  atomic.Int64
	claims   sync.Map // address of a connection → the source it stands for
}

// A group is what changes about one of the configuration's groups.
type group struct {
	Group
	counters []*counters // one for each limit
	served   atomic.Int64
}

// New returns a server with every counter full. The error names everything
// that is wrong with the configuration.
func New(c Config) (*Server, error) {
	c = c.clone()
	s := &Server{config: c, began: time.Now(), rest: &group{}}
	s.accounts = newAccounts(or(c.Accounts, 100_000))
	s.postman = newPostman(c.Webhooks, c.Faults)
	s.ledger = newLedger(or(c.Accounts, 100_000))
	mistakes := c.mistakes()
	for _, g := range c.Groups {
		one := &group{Group: g}
		for i, l := range g.Limits {
			fresh, reading, err := c.fresh(l)
			if err != nil {
				mistakes = errors.Join(mistakes, fmt.Errorf("group %q: limit %d: %w", g.Name, i+1, err))
			}
			one.Limits[i].Reading = reading // what is told is what is enforced
			most := or(c.Senders, 100_000)
			one.counters = append(one.counters, &counters{
				fresh:    fresh,
				replicas: or(c.Faults.Replicas, 1),
				most:     most,
				sweep:    min(64, most),
				of:       map[sender]*counter{},
			})
		}
		s.groups = append(s.groups, one)
	}
	if mistakes != nil {
		return nil, mistakes
	}
	return s, nil
}

// fresh returns a full limiter for a limit, and how the limit is read.
func (c Config) fresh(l limiter.Limit) (limiter.Limiter, limiter.Reading, error) {
	if c.Keep != nil {
		fresh, err := c.Keep(l)
		return fresh, l.Reading, err
	}
	m, err := c.model(l)
	if err != nil {
		return nil, l.Reading, err
	}
	fresh, err := m.New(l)
	return fresh, m.Reading, err
}

func or(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

// ServeHTTP decides and answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(SourceHeader, s.source(r))
	path := r.URL.Path
	if below, ok := strings.CutPrefix(path, Stage); ok && strings.HasPrefix(below, "/") {
		path = below
	}
	g := s.group(path)
	stands, leave, ok := s.decide(g, r)
	defer leave() // before the answer is on its way: net/http sends it when this returns
	if stands.Decision.OK && ok {
		hold(r, stands.Decision.Delay+s.config.Service)
	}
	now := time.Now()
	if len(g.Limits) > 0 && ok {
		for _, tell := range s.config.Tell {
			tell(stands, w.Header())
		}
	}
	reply := s.reply(g, stands, ok, now, path, r)
	if s.misbehave(g, r) {
		reply = failed(http.StatusInternalServerError, codeInternal, "internal server error")
	}
	s.retold(reply).write(w)
}

// reply returns the honest answer to a request that was decided.
func (s *Server) reply(g *group, stands Standing, ok bool, now time.Time, path string, r *http.Request) answer {
	if !ok {
		return failed(http.StatusInternalServerError, codeInternal, "too many senders at once")
	}
	if stands.Decision.OK {
		return s.answer(path, r)
	}
	if s.config.Faults.Effects {
		s.answer(path, r)
	}
	return s.config.Rejection.answer(g.Name, stands.Decision.Wait, now)
}

// decide asks the limits of a group; those of a group without any admit. What
// they admit is under way until done is called.
func (s *Server) decide(g *group, r *http.Request) (stands Standing, done func(), ok bool) {
	if len(g.Limits) == 0 {
		return Standing{Decision: limiter.Decision{OK: true}}, func() {}, true
	}
	who := make([]sender, len(g.Limits))
	for i, l := range g.Limits {
		who[i] = s.sender(l.Scope, r)
	}
	stands, done, ok = g.take(who, func() time.Duration { return time.Since(s.began) })
	if s.config.Faults.Unlimited {
		stands.Decision.OK, stands.Decision.Delay = true, 0
	}
	// Nobody knows when a request under way will be done, but if no other comes
	// all will be after the time that each takes.
	if stands.Decision.Wait == limiter.Far {
		stands.Decision.Wait = s.config.Service
	}
	if stands.Decision.Reset == limiter.Far {
		stands.Decision.Reset = s.config.Service
	}
	return stands, done, ok
}

// hold waits as long as a request takes, or until nobody waits for it any more.
func hold(r *http.Request, d time.Duration) {
	if d <= 0 {
		return
	}
	held := time.NewTimer(d)
	defer held.Stop()
	select {
	case <-held.C:
	case <-r.Context().Done():
	}
}

// sender returns whose counter a request is counted on.
func (s *Server) sender(scope limiter.Scope, r *http.Request) sender {
	var name string
	switch scope {
	case limiter.ScopeIP:
		name = s.source(r)
		if forged := r.Header.Get("X-Forwarded-For"); forged != "" && s.config.Faults.ForwardedFor {
			name, _, _ = strings.Cut(forged, ",")
		}
	case limiter.ScopeKey:
		name = beakKey(r)
	}
	if s.config.Faults.PerPath {
		name += "\x00" + r.URL.EscapedPath()
	}
	return sha256.Sum256([]byte(name))
}

// source returns the address that a request came from: what its connection
// stands for, else the host part of the connection's other end.
func (s *Server) source(r *http.Request) string {
	if c, ok := s.claims.Load(r.RemoteAddr); ok {
		return c.(*claim).source
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// group returns the group that a path belongs to.
func (s *Server) group(path string) *group {
	for _, g := range s.groups {
		if g.has(path) {
			return g
		}
	}
	return s.rest
}

func (g Group) has(path string) bool {
	for _, p := range g.Paths {
		prefix, all := strings.CutSuffix(p, "*")
		if p == path || all && strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// misbehave commits the faults that are due for a request that was counted,
// and reports whether it must be answered by an error.
func (s *Server) misbehave(g *group, r *http.Request) (fails bool) {
	f, n := s.config.Faults, g.served.Add(1)
	due := func(every int) bool { return every > 0 && n%int64(every) == 0 }
	if due(f.SlowEvery) {
		hold(r, f.Slow)
	}
	if due(f.CloseEvery) {
		panic(http.ErrAbortHandler) // net/http then closes the connection
	}
	return due(f.ErrorEvery)
}
