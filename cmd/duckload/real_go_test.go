package main

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/throttled/throttled/v2"
	ulule "github.com/ulule/limiter/v3"
	"github.com/ulule/limiter/v3/drivers/middleware/stdlib"
	"github.com/ulule/limiter/v3/drivers/store/memory"
)

var answer = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })

// byAddress is the key of a limiter for each source address. throttled's own
// way of saying so takes the port along.
type byAddress struct{}

func (byAddress) Key(r *http.Request) string {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	return host
}

// theoreticalArrivals is where throttled keeps the one number of each key that
// its algorithm needs. Its own store in memory would bring a library along.
type theoreticalArrivals struct {
	mu sync.Mutex
	at map[string]int64
}

func (s *theoreticalArrivals) GetWithTime(_ context.Context, key string) (int64, time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.at[key]
	if !ok {
		at = -1
	}
	return at, time.Now(), nil
}

func (s *theoreticalArrivals) SetIfNotExistsWithTTL(_ context.Context, key string, value int64, _ time.Duration) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.at[key]; ok {
		return false, nil
	}
	s.at[key] = value
	return true, nil
}

func (s *theoreticalArrivals) CompareAndSwapWithTTL(_ context.Context, key string, old, value int64, _ time.Duration) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, ok := s.at[key]; !ok || at != old {
		return false, nil
	}
	s.at[key] = value
	return true, nil
}

// throttledCases are promises about GCRA: 5 a second, and MaxBurst 9 beyond
// the one that fits the rate.
func throttledCases(t *testing.T) []realCase {
	limiter, err := throttled.NewGCRARateLimiterCtx(&theoreticalArrivals{at: map[string]int64{}}, throttled.RateQuota{MaxRate: throttled.PerSec(5), MaxBurst: 9})
	if err != nil {
		t.Fatal(err)
	}
	http := throttled.HTTPRateLimiterCtx{RateLimiter: limiter, VaryBy: byAddress{}}
	server := httptest.NewServer(http.RateLimit(answer))
	t.Cleanup(server.Close)
	const brief = 25 * time.Second
	return []realCase{
		{name: "throttled: MaxBurst and one", url: server.URL, path: "/", promise: "{limit: 5/s, burst: 10, scope: ip}", reject: told, patience: brief},
		{name: "throttled: MaxBurst", url: server.URL, path: "/", promise: "{limit: 5/s, burst: 9, scope: ip}", reject: told, patience: brief,
			fails: []string{"limit.ceiling", "limit.burst"}},
		{name: "throttled: one more", url: server.URL, path: "/", promise: "{limit: 5/s, burst: 11, scope: ip}", reject: told, patience: brief,
			fails: []string{"limit.floor", "limit.burst"}},
		{name: "throttled: 2 % faster", url: server.URL, path: "/", promise: "{limit: 51/10s, burst: 10, scope: ip}", reject: told, patience: brief,
			fails: []string{"limit.floor", "limit.rate", "sustained"}},
		{name: "throttled: 2 % slower", url: server.URL, path: "/", promise: "{limit: 49/10s, burst: 10, scope: ip}", reject: told, patience: brief,
			fails: []string{"limit.ceiling", "limit.rate"}},
		{name: "throttled: a window", url: server.URL, path: "/", promise: "{limit: 10/2s, reading: fixed-window, scope: ip}", reject: told, patience: brief,
			fails: []string{"limit.floor", "limit.window"}},
	}
}

// ululeCases are promises about a window that begins with its first request:
// 10 in 3 s.
func ululeCases(t *testing.T) []realCase {
	limiter := ulule.New(memory.NewStore(), ulule.Rate{Period: 3 * time.Second, Limit: 10})
	server := httptest.NewServer(stdlib.NewMiddleware(limiter).Handler(answer))
	t.Cleanup(server.Close)
	const brief = 26 * time.Second
	return []realCase{
		{name: "ulule: a window", url: server.URL, path: "/", promise: "{limit: 10/3s, reading: fixed-window, scope: ip}", reject: quiet, patience: brief},
		{name: "ulule: nothing said about the algorithm", url: server.URL, path: "/", promise: "{limit: 10/3s, scope: ip}", reject: quiet, patience: brief},
		{name: "ulule: one less", url: server.URL, path: "/", promise: "{limit: 9/3s, reading: fixed-window, scope: ip}", reject: quiet, patience: brief,
			fails: []string{"limit.ceiling", "limit.window"}},
		{name: "ulule: one more", url: server.URL, path: "/", promise: "{limit: 11/3s, reading: fixed-window, scope: ip}", reject: quiet, patience: brief,
			fails: []string{"limit.floor", "limit.window"}},
		{name: "ulule: a shorter window", url: server.URL, path: "/", promise: "{limit: 10/2940ms, reading: fixed-window, scope: ip}", reject: quiet, patience: brief,
			fails: []string{"limit.floor", "limit.window"}},
		{name: "ulule: a bucket", url: server.URL, path: "/", promise: "{limit: 10/3s, burst: 10, scope: ip}", reject: quiet, patience: brief,
			fails: []string{"limit.floor", "limit.ceiling", "limit.rate"}},
	}
}
