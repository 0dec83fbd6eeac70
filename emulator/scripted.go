package emulator

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A Turn is an answer that a script gives to one method and path of a client,
// so many times in a row.
type Turn struct {
	Times int // 0: for ever

	Status int
	Close  bool          // the connection ends without an answer
	After  time.Duration // how long the answer is held back

	// RetryAfter returns the values of Retry-After for Wait, as [Rejection] has
	// it; nil: the header is not sent.
	RetryAfter func(wait time.Duration, now time.Time) []string
	Wait       time.Duration

	Code string // "error.code" of the body; empty: it has none
	Body string // instead of the usual one; empty: the usual one. Without an error, the API's own answer
}

// A Scene is a server that plays a script to clients, each on a listener of its
// own, in front of an API.
type Scene struct {
	API   *Server
	Turns []Turn
	Then  *Turn // what follows; nil: the API

	// Paths are those that the script answers, as [Group] has them. Empty: every
	// path of the API.
	Paths []string

	// Together holds the first requests of all clients, which are so many, until
	// all are there, for Patience at most. 0: none is held.
	Together int
	Patience time.Duration

	// Seen is told of each request once it was answered, from many goroutines.
	Seen func(Seen)

	began time.Time
	once  sync.Once
	conns atomic.Int64

	mu      sync.Mutex
	turns   map[string]int // how many answers each method and path of a client had
	arrived map[int]bool   // clients that are there
	all     chan struct{}  // closed once all are
}

// Seen is what a server saw of one request. Moments are counted from
// [Scene.Begin].
type Seen struct {
	Client, Conn int
	Method, Path string
	Call         string // equal for requests with the same method, path, query, body and credentials
	Scripted     bool
	Arrived      time.Duration // when its head had been read
	Answered     time.Duration // just before the first byte of the answer left
	Status       int           // 0: the connection was closed
	Left         bool          // the client went away before it was answered
	Code         string
	RetryAfter   string
	Until        time.Duration // when it may come back by that; 0: nothing was told
	Date         bool
}

// Begin sets the moment 0, if that was not done yet.
func (s *Scene) Begin() {
	s.once.Do(func() {
		s.began, s.turns, s.arrived, s.all = time.Now(), map[string]int{}, map[int]bool{}, make(chan struct{})
	})
}

// Now is the moment by the clock of the scene.
func (s *Scene) Now() time.Duration { return time.Since(s.began) }

type connKey struct{}

// Serve plays to one client, counted from 0, on a listener, which it closes,
// until the context ends.
func (s *Scene) Serve(ctx context.Context, l net.Listener, client int) error {
	s.Begin()
	return serve(ctx, l, &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.play(w, r, client) }),
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, int(s.conns.Add(1)))
		},
	})
}

// play answers one request.
func (s *Scene) play(w http.ResponseWriter, r *http.Request, client int) {
	seen := Seen{Client: client, Method: r.Method, Path: r.URL.Path, Arrived: s.Now()}
	seen.Conn, _ = r.Context().Value(connKey{}).(int)
	seen.Call = callOf(r)
	turn := &Turn{Status: http.StatusOK}
	if seen.Scripted = s.scripts(r); seen.Scripted {
		turn = s.next(fmt.Sprint(client, " ", r.Method, " ", r.URL.Path))
		s.gather(r, client)
	}
	hold(r, turn.After)
	watched := &watchedWriter{ResponseWriter: w, scene: s, seen: &seen}
	defer func() {
		seen.Left = r.Context().Err() != nil
		if seen.Status == 0 {
			seen.Answered = s.Now()
		}
		s.Seen(seen)
	}()
	if turn.Close {
		panic(http.ErrAbortHandler)
	}
	if turn.RetryAfter != nil {
		w.Header()["Retry-After"] = turn.RetryAfter(turn.Wait, time.Now())
	}
	s.answer(watched, r, turn)
}

// answer writes what a turn says, or what the API does.
func (s *Scene) answer(w http.ResponseWriter, r *http.Request, turn *Turn) {
	switch {
	case turn.Body != "":
		w.Header().Set("Content-Type", bodyType(turn.Body))
		w.WriteHeader(turn.Status)
		_, _ = io.WriteString(w, turn.Body) // a client that has left is no error of ours
	case turn.Status < 400 && len(s.Paths) == 0 || turn.Status < 400 && !s.scripts(r):
		s.API.ServeHTTP(w, r)
	case turn.Status < 400:
		done(turn.Status, map[string]string{}).write(w)
	default:
		failed(turn.Status, turn.Code, strings.ToLower(http.StatusText(turn.Status))).write(w)
	}
}

func bodyType(body string) string {
	if strings.HasPrefix(body, "{") || strings.HasPrefix(body, "[") {
		return "application/json"
	}
	return http.DetectContentType([]byte(body))
}

// scripts reports whether the script answers a path.
func (s *Scene) scripts(r *http.Request) bool {
	path := r.URL.Path
	if len(s.Paths) > 0 {
		return Group{Paths: s.Paths}.has(path)
	}
	if below, ok := strings.CutPrefix(path, Stage); ok && strings.HasPrefix(below, "/") {
		path = below
	}
	_, refusal := find(r.Method, path)
	return refusal == nil
}

// next is the turn of a lane, which is counted.
func (s *Scene) next(lane string) *Turn {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.turns[lane]
	s.turns[lane]++
	for i, t := range s.Turns {
		if t.Times == 0 || n < t.Times {
			return &s.Turns[i]
		}
		n -= t.Times
	}
	if s.Then != nil {
		return s.Then
	}
	return &Turn{Status: http.StatusOK}
}

// gather holds the first request of a client until all are there.
func (s *Scene) gather(r *http.Request, client int) {
	if s.Together == 0 {
		return
	}
	s.mu.Lock()
	if s.arrived[client] {
		s.mu.Unlock()
		return
	}
	s.arrived[client] = true
	if len(s.arrived) == s.Together {
		close(s.all)
	}
	s.mu.Unlock()
	patience := time.NewTimer(s.Patience)
	defer patience.Stop()
	select {
	case <-s.all:
	case <-patience.C:
	case <-r.Context().Done():
	}
}

// callOf tells requests apart. Its body is read and put back.
func callOf(r *http.Request) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n%s\n", r.Method, r.URL.RequestURI(), r.Header.Get("Authorization"))
	const most = 1 << 20
	body, _ := io.ReadAll(io.LimitReader(r.Body, most)) // what cannot be read is the same for all
	h.Write(body)
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// A watchedWriter notes when an answer is about to leave, and what it tells.
type watchedWriter struct {
	http.ResponseWriter
	scene *Scene
	seen  *Seen
}

func (w *watchedWriter) WriteHeader(status int) {
	if seen := w.seen; seen.Status == 0 {
		wall := time.Now()
		seen.Answered, seen.Status = w.scene.Now(), status
		seen.RetryAfter = strings.Join(w.Header()["Retry-After"], ", ")
		if n, err := strconv.ParseUint(seen.RetryAfter, 10, 31); err == nil {
			seen.Until = seen.Answered + time.Duration(n)*time.Second
		} else if end, err := http.ParseTime(seen.RetryAfter); err == nil {
			seen.Date, seen.Until = true, seen.Answered+end.Sub(wall)
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *watchedWriter) Write(p []byte) (int, error) {
	if w.seen.Status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.seen.Code == "" {
		var problem struct{ Error struct{ Code string } }
		_ = json.Unmarshal(p, &problem) // another body has no code
		w.seen.Code = problem.Error.Code
	}
	return w.ResponseWriter.Write(p)
}
