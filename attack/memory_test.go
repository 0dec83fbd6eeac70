package attack

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"testing"

	"duckload/history"
	"duckload/scenarios"
)

// mostOfALane is how many bytes a lane of many may hold that waits for its next
// request: its connection, its sender and their stacks, and the like of a
// connection on the side of the target, which is in this process as well.
const mostOfALane = 24 << 10

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
			plan := ofMany(t, lanes, fmt.Sprintf("{hold: %d/s, for: 3s}", lanes))
			plan.Scenario.Groups[0].Transport = scenarios.Transport{Fast: transport == "fast"}
			before, n, held := inUse(), 0, 0
			var all []history.Observation
			o := to(target, &all)
			o.Record = func(o history.Observation) error {
				if o.Status != http.StatusOK {
					t.Errorf("got %+v, want an answer", o)
				}
				if n++; n == 2*lanes { // each has sent, and each has a third request to come
					held = inUse() - before
				}
				return nil
			}
			complete(t, plan, o)
			t.Logf("%d bytes a lane", held/lanes)
			if held == 0 || held/lanes > mostOfALane {
				t.Errorf("got %d bytes for each of %d lanes, want at most %d", held/lanes, lanes, mostOfALane)
			}
		})
	}
}

// inUse is how many bytes the heap and the stacks hold.
func inUse() int {
	for range 4 { // each makes the stacks smaller of those who wait
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}
