package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/go-chi/httprate"
	"github.com/sethvargo/go-limiter/httplimit"
	"github.com/sethvargo/go-limiter/memorystore"
	"github.com/throttled/throttled/v2"
	ulule "github.com/ulule/limiter/v3"
	"github.com/ulule/limiter/v3/drivers/middleware/stdlib"
	"github.com/ulule/limiter/v3/drivers/store/memory"
	"golang.org/x/time/rate"
)

// An unknownLimiter is a real server that identify is to recognise by what it
// does.
type unknownLimiter struct {
	name, url string
	family    string
	limit     float64 // of a window; 0: it is a bucket
	window    float64 // seconds
	burst     float64
	rate      float64 // a second
	ban       float64 // seconds
	consume   bool
}

// TestIdentifyRealLimiters runs identify against limiters that nobody here
// wrote. The truth must be among the answers, with its parameters inside the
// intervals: always. On a busy machine some of them may stay open.
func TestIdentifyRealLimiters(t *testing.T) {
	t.Parallel() // it waits more than it works
	all := identifiable(t)
	results := make([]identifyResult, len(all))
	var wait sync.WaitGroup
	room := make(chan struct{}, 4)
	for i, u := range all {
		room <- struct{}{}
		wait.Go(func() {
			results[i] = u.identify(t, i)
			<-room
		})
	}
	wait.Wait()
	unique := 0
	for i, u := range all {
		t.Run(u.name, func(t *testing.T) { u.judge(t, results[i]) })
		if results[i].Measured.Family != "" {
			unique++
		}
	}
	if t.Logf("%d of %d limiters have one answer", unique, len(all)); unique == 0 {
		t.Error("no limiter has one answer")
	}
}

func identifiable(t *testing.T) []unknownLimiter {
	nginxPort, haproxyPort := freePort(t), freePort(t)
	nginx := serveNginx(t, movedTo(t, "testdata/real/nginx.conf", "127.0.0.1:18080", "127.0.0.1:"+strconv.Itoa(nginxPort)), nginxPort)
	config := movedTo(t, "../../examples/haproxy/haproxy.cfg", "127.0.0.1:18081", "127.0.0.1:"+strconv.Itoa(haproxyPort))
	held := serveHeldNginx(t)
	haproxy := serve(t, haproxyPort, exec.Command(tool(t, "haproxy", "haproxy"), "-db", "-f", config))
	gcra, err := throttled.NewGCRARateLimiterCtx(&theoreticalArrivals{at: map[string]int64{}}, throttled.RateQuota{MaxRate: throttled.PerSec(5), MaxBurst: 9})
	if err != nil {
		t.Fatal(err)
	}
	gcraHTTP := throttled.HTTPRateLimiterCtx{RateLimiter: gcra, VaryBy: byAddress{}}
	stepped, err := memorystore.New(&memorystore.Config{Tokens: 7, Interval: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	refilled, err := httplimit.NewMiddleware(stepped, func(r *http.Request) (string, error) { return byAddress{}.Key(r), nil })
	if err != nil {
		t.Fatal(err)
	}
	express := serveExpress(t)
	fixed := ulule.New(memory.NewStore(), ulule.Rate{Period: 2 * time.Second, Limit: 8})
	start := func(h http.Handler) string {
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		return server.URL
	}
	return []unknownLimiter{
		{name: "nginx limit_req", url: nginx + "/burst", family: "token-bucket", burst: 6, rate: 10},
		{name: "nginx limit_req that answers 503", url: nginx + "/usual", family: "token-bucket", burst: 4, rate: 8},
		{name: "nginx limit_req that delays", url: held + "/shaped", family: "leaky-queue", burst: 6, rate: 10},
		{name: "nginx limit_conn", url: held + "/places", family: "concurrency", limit: 3},
		{name: "HAProxy http_req_rate", url: haproxy + "/", family: "sliding-counter", limit: 10, window: 3, consume: true},
		{name: "throttled", url: start(gcraHTTP.RateLimit(answer)), family: "token-bucket", burst: 10, rate: 5},
		{name: "x/time/rate that answers 403", url: start(eachAddress(4, 6, http.StatusForbidden)), family: "token-bucket", burst: 6, rate: 4},
		{name: "ulule/limiter", url: start(stdlib.NewMiddleware(fixed).Handler(answer)), family: "anchored-window", limit: 8, window: 2},
		{name: "go-chi/httprate", url: start(httprate.LimitBy(10, 2*time.Second, func(r *http.Request) (string, error) { return byAddress{}.Key(r), nil })(answer)), family: "sliding-counter", limit: 10, window: 2},
		{name: "sethvargo/go-limiter", url: start(refilled.Handle(answer)), family: "fixed-window", limit: 7, window: 2},
		{name: "express-rate-limit", url: express + "/draft-7", family: "anchored-window", limit: 10, window: 3},
		{name: "rate-limiter-flexible that answers 403", url: express + "/flexible", family: "anchored-window", limit: 6, window: 2},
		{name: "rate-limiter-flexible that blocks, and answers 500", url: express + "/blocking", family: "block", limit: 5, window: 2, ban: 3},
		{name: "limiter that closes the connection", url: express + "/bucket", family: "token-bucket", burst: 5, rate: 4},
	}
}

// eachAddress limits each address with a limiter of x/time/rate.
func eachAddress(perSecond rate.Limit, burst, status int) http.Handler {
	var mu sync.Mutex
	limiters := map[string]*rate.Limiter{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		key := byAddress{}.Key(r)
		if limiters[key] == nil {
			limiters[key] = rate.NewLimiter(perSecond, burst)
		}
		ok := limiters[key].Allow()
		mu.Unlock()
		if !ok {
			w.WriteHeader(status)
			return
		}
		answer(w, r)
	})
}

type identifyResult struct {
	exit     int
	output   string
	Requests int
	Duration float64 `json:"duration_s"`
	Measured struct {
		Family string
		Scope  string
	}
	Answers []identifyAnswer
}

type identifyAnswer struct {
	Family         string
	RejectsConsume bool `json:"rejects_consume"`
	Values         map[string]struct{ Low, High float64 }
}

// identify is "duckload identify" in this process, from addresses that nothing
// else has.
func (u unknownLimiter) identify(t *testing.T, number int) (r identifyResult) {
	dir := t.TempDir()
	var output bytes.Buffer
	p := unwatched(&output)
	r.exit = p.main(t.Context(), []string{"identify", u.url, "--sources", fmt.Sprintf("127.7.%d.0/27", number), "--max-time", "45s", "--budget", "1500", "--out", dir})
	r.output = output.String()
	files, _ := filepath.Glob(filepath.Join(dir, "*", "identify.json"))
	if len(files) == 1 {
		text, err := os.ReadFile(files[0])
		if err == nil {
			err = json.Unmarshal(text, &r)
		}
		if err != nil {
			r.output += err.Error()
		}
	}
	return r
}

func (u unknownLimiter) judge(t *testing.T, r identifyResult) {
	t.Logf("%d requests, %.1f s, family %q of %d answers, scope %q", r.Requests, r.Duration, r.Measured.Family, len(r.Answers), r.Measured.Scope)
	if r.exit != exitPass && r.exit != exitInconclusive {
		t.Fatalf("exit status %d:\n%s", r.exit, r.output)
	}
	if r.Measured.Family != "" && r.Measured.Family != u.family {
		t.Errorf("%s alone is wrong, it is %s:\n%s", r.Measured.Family, u.family, r.output)
	}
	at := slices.IndexFunc(r.Answers, func(a identifyAnswer) bool {
		return a.Family == u.family && a.RejectsConsume == u.consume
	})
	if at < 0 {
		t.Fatalf("%s is not among the answers:\n%s", u.family, r.output)
	}
	holds := func(name string, v float64) {
		if s := r.Answers[at].Values[name]; v < s.Low || v > s.High {
			t.Errorf("%s %g is not within %g to %g:\n%s", name, v, s.Low, s.High, r.output)
		}
	}
	if u.limit > 0 {
		holds("limit", u.limit)
		if u.window > 0 {
			holds("window", u.window)
		}
		if u.ban > 0 {
			holds("ban", u.ban)
		}
	} else {
		holds("burst", u.burst)
		holds("token", 1/u.rate)
	}
	if r.Measured.Scope != "ip" && r.Measured.Scope != "" { // where the machine was too busy to say
		t.Errorf("scope %q, want ip:\n%s", r.Measured.Scope, r.output)
	}
}
