package attack

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"duckload/history"
	"duckload/scenarios"
)

// An instant answers at once.
type instant struct{}

func (instant) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// BenchmarkOverhead is what a request costs without a network: vegeta's loop,
// the making of the request, and the observation.
func BenchmarkOverhead(b *testing.B) {
	plan := pacing(b, "{burst: 1}")
	plan.Tracks[0].Phases = []scenarios.Phase{{Pace: "burst", Count: b.N, Lanes: []int{0}}}
	b.ReportAllocs()
	b.ResetTimer()
	recorded := 0
	end, err := Run(b.Context(), plan, Options{
		Target:    "http://127.0.0.1",
		Transport: func(scenarios.Lane) http.RoundTripper { return instant{} },
		Record:    func(history.Observation) error { recorded++; return nil },
	})
	if err != nil || !end.Complete || recorded != b.N {
		b.Fatalf("got %+v, %v and %d observations, want %d", end, err, recorded, b.N)
	}
}

// BenchmarkPacing compares how late a request finds its connection ready with
// what vegeta's own pacer reaches in the same second on the same server.
func BenchmarkPacing(b *testing.B) {
	for _, rate := range []int{50, 500, 2000} {
		b.Run(fmt.Sprint(rate), func(b *testing.B) {
			s := serve(b, func(http.ResponseWriter, *http.Request) {})
			var ours, theirs []time.Duration
			for range b.N {
				ours = append(ours, paced(b, s.URL, rate)...)
				theirs = append(theirs, vegetaPaced(b, s.URL, rate)...)
			}
			for name, late := range map[string][]time.Duration{"ours": ours, "vegeta": theirs} {
				slices.Sort(late)
				b.ReportMetric(micros(late[len(late)/2]), name+"-p50-µs")
				b.ReportMetric(micros(late[len(late)*99/100]), name+"-p99-µs")
			}
			b.ReportMetric(float64(theirs[len(theirs)/2])/float64(ours[len(ours)/2]), "times-better")
			b.ReportMetric(0, "ns/op") // it only says how long a second is
		})
	}
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func paced(b *testing.B, target string, rate int) []time.Duration {
	plan := planFor(b, fmt.Sprintf(`g: {promise: {limit: 100/s, burst: 200}, requests: [GET /x], pacing: [{hold: %d/s, for: 1s}]}`, rate))
	var late []time.Duration
	end, err := Run(b.Context(), plan, Options{Target: target, Record: func(o history.Observation) error {
		late = append(late, o.Sent-o.Intended)
		return nil
	}})
	if err != nil || !end.Complete || len(late) != rate {
		b.Fatalf("got %+v, %v and %d requests, want %d", end, err, len(late), rate)
	}
	return late
}

func vegetaPaced(b *testing.B, target string, rate int) []time.Duration {
	var mu sync.Mutex
	var late []time.Duration
	var began time.Time
	interval := time.Second / time.Duration(rate)
	transport := &http.Transport{MaxIdleConnsPerHost: 1000}
	defer transport.CloseIdleConnections()
	traced := roundTripper(func(r *http.Request) (*http.Response, error) {
		var seq int
		fmt.Sscan(r.Header.Get("X-Vegeta-Seq"), &seq)
		return transport.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
			GotConn: func(httptrace.GotConnInfo) {
				at := time.Since(began) - time.Duration(seq+1)*interval // its first hit is one interval late
				mu.Lock()
				defer mu.Unlock()
				late = append(late, at.Abs())
			},
		})))
	})
	a := vegeta.NewAttacker(vegeta.Client(&http.Client{Transport: traced}))
	began = time.Now()
	for range a.Attack(vegeta.NewStaticTargeter(vegeta.Target{Method: "GET", URL: target}), vegeta.Rate{Freq: rate, Per: time.Second}, time.Second, "") {
	}
	return late
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// BenchmarkBurst compares the span of 200 requests at once, from the first to
// the last arrival, with one thread that writes to as many open connections.
func BenchmarkBurst(b *testing.B) {
	const size = 200
	var mu sync.Mutex
	var arrived []time.Time
	s := serve(b, func(http.ResponseWriter, *http.Request) {
		at := time.Now()
		mu.Lock()
		defer mu.Unlock()
		arrived = append(arrived, at)
	})
	span := func(send func()) time.Duration {
		arrived = nil
		send()
		mu.Lock()
		defer mu.Unlock()
		if len(arrived) != size {
			b.Fatalf("%d requests arrived, want %d", len(arrived), size)
		}
		slices.SortFunc(arrived, time.Time.Compare)
		return arrived[size-1].Sub(arrived[0])
	}
	plan := planFor(b, fmt.Sprintf(`g: {promise: {limit: 100/s, burst: 200}, requests: [GET /x], pacing: [{burst: %d}]}`, size))
	var ours, raws []time.Duration
	for range b.N {
		ours = append(ours, span(func() {
			if _, err := Run(b.Context(), plan, Options{Target: s.URL}); err != nil {
				b.Fatal(err)
			}
		}))
		raws = append(raws, span(func() { rawBurst(b, s.Listener.Addr().String(), size) }))
	}
	slices.Sort(ours)
	slices.Sort(raws)
	b.ReportMetric(micros(ours[b.N/2]), "span-µs")
	b.ReportMetric(micros(raws[b.N/2]), "raw-span-µs")
	b.ReportMetric(float64(ours[b.N/2])/float64(raws[b.N/2]), "times-raw")
}

func rawBurst(b *testing.B, address string, n int) {
	var all []net.Conn
	for range n {
		c, err := net.Dial("tcp", address)
		if err != nil {
			b.Fatal(err)
		}
		c.(*net.TCPConn).SetLinger(0) // or the ports run out
		defer c.Close()
		all = append(all, c)
	}
	for _, c := range all {
		io.WriteString(c, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
	}
	for _, c := range all {
		buffer := make([]byte, 1024)
		if n, err := c.Read(buffer); err != nil || !strings.HasPrefix(string(buffer[:n]), "HTTP/1.1 200") {
			b.Fatalf("got %q, %v", buffer[:n], err)
		}
	}
}
