package attack

import (
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"duckload/history"
	"duckload/scenarios"
)

func TestARequestThatIsReadyGoesAtItsMoment(t *testing.T) {
	s := newStart(0)
	var order []string
	var waiter sync.WaitGroup
	waiter.Go(func() { s.by(func() { order = append(order, "sent") }) })
	for ready := false; !ready; { // until the waiter has said what to do
		s.mu.Lock()
		ready = s.send != nil
		s.mu.Unlock()
	}
	order = append(order, "begun")
	if !s.begin() {
		t.Fatal("got a request that was not ready, want it sent by the watch")
	}
	tell([]*start{s})
	waiter.Wait()
	if want := []string{"begun", "sent"}; !slices.Equal(order, want) {
		t.Errorf("got %q, want %q", order, want)
	}
}

func TestARequestThatIsLateGoesAtOnce(t *testing.T) {
	s := newStart(0)
	if s.begin() {
		t.Fatal("got a request sent that was not ready")
	}
	sent := 0
	s.by(func() { sent++ })
	s.wait()
	if sent != 1 {
		t.Errorf("got it sent %d times, want once", sent)
	}
	var none *start
	none.wait()
	none.by(func() { sent++ })
	if sent != 2 {
		t.Errorf("got %d requests sent, want one without a moment sent at once", sent-1)
	}
}

// A request that is made ready holds a connection: one that is alone must not
// keep it from the one before, and many take long.
func TestTheLeadOfABurstGrowsWithIt(t *testing.T) {
	for phase, want := range map[string]time.Duration{
		"{burst: 1}":               lead + leadEach,
		"{burst: 20}":              lead + 20*leadEach,
		"{burst: 400}":             leadMost,
		"{hold: 50/s, for: 10s}":   lead,
		"{hold: 500/s, for: 10s}":  lead + 1500*time.Microsecond, // moments are 2 ms apart
		"{hold: 1000/s, for: 10s}": lead + 750*time.Microsecond,
	} {
		p := pacing(t, phase).Tracks[0].Phases[0]
		pace, _ := scenarios.PaceOf(p)
		if got := leadOf(pace, p); got != want {
			t.Errorf("%s: got a lead of %v, want %v", phase, got, want)
		}
	}
}

// Ready is not sent: no byte may leave before the moment, whichever client
// writes it.
func TestNoRequestLeavesBeforeItsMoment(t *testing.T) {
	both(t, func(t *testing.T, transport string) {
		var mu sync.Mutex
		arrived := map[int]time.Time{}
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			arrived[number(t, r.URL.Query().Get("seq"))] = time.Now()
			io.WriteString(w, "hello")
		})
		var all []history.Observation
		began := time.Now() // before the run's own clock begins
		end := complete(t, by(t, transport, "{hold: 20/s, for: 300ms}, {burst: 20}, {rest: 100ms}, {burst: 20}"), to(s.URL, &all))
		latest := time.Since(began) - end.At
		for _, o := range all {
			if at := arrived[int(o.Seq)].Sub(began); o.Sent < o.Intended || at < o.Intended || at-latest > o.Answered {
				t.Errorf("request %d arrived at %v: want it in %+v", o.Seq, at, o)
			}
		}
		if len(all) != 46 {
			t.Errorf("got %d requests, want 46", len(all))
		}
	})
}
