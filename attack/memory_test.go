package attack

import (
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"duckload/history"
	"duckload/scenarios"
)

// What a lane of many may have that waits for its next request: bytes on the
// heap, its connection and its sender among them, and goroutines, whose stacks
// are a few KiB each. One of these is the target's, which is in this process.
const (
	mostOfALane     = 18 << 10
	mostRoutinesOfA = 8
)

func TestALaneOfManyHoldsLittle(t *testing.T) {
	const lanes = 1500
	for _, transport := range []string{"standard", "fast"} {
		t.Run(transport, func(t *testing.T) {
			target := raw(t, func(_ int, c net.Conn) {
				request := make([]byte, 512) // each is less, and there is never more than one
				for {
					if _, err := c.Read(request); err != nil {
						return
					}
					io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				}
			})
			plan := ofMany(t, lanes, fmt.Sprintf("{hold: %d/s, for: 1s}, {rest: 2s}, {hold: %d/s, for: 1s}", lanes, lanes))
			plan.Scenario.Groups[0].Transport = scenarios.Transport{Fast: transport == "fast"}
			var n atomic.Int64
			quiet := make(chan struct{})
			var all []history.Observation
			o := to(target, &all)
			o.Record = func(o history.Observation) error {
				if o.Status != http.StatusOK {
					t.Errorf("got %+v, want an answer", o)
				}
				if n.Add(1) == lanes { // each has sent, and has another request to come
					close(quiet)
				}
				return nil
			}
			before, held := inUse(), hold{math.MaxInt, math.MaxInt}
			var looking sync.WaitGroup
			looking.Go(func() {
				for <-quiet; held.bytes == math.MaxInt || n.Load() == lanes; {
					now := inUse()
					held.bytes = min(held.bytes, now.bytes-before.bytes)
					for range 20 { // those of the requests that have just ended go one after the other
						held.routines = min(held.routines, runtime.NumGoroutine()-before.routines)
						time.Sleep(5 * time.Millisecond)
					}
				}
			})
			complete(t, plan, o)
			looking.Wait()
			t.Logf("%d bytes and %d goroutines a lane", held.bytes/lanes, held.routines/lanes)
			if held.bytes > mostOfALane*lanes || held.routines > mostRoutinesOfA*lanes {
				t.Errorf("got %+v for %d lanes, want at most %d bytes and %d goroutines each", held, lanes, mostOfALane, mostRoutinesOfA)
			}
		})
	}
}

// A hold is what is in use.
type hold struct{ bytes, routines int }

func inUse() hold {
	for range 2 { // pools are emptied by the second
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return hold{int(m.HeapAlloc), runtime.NumGoroutine()}
}
