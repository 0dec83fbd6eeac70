package attack

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"duckload/emulator"
	"duckload/history"
	"duckload/scenarios"
)

// spaceDuck compiles the built-in scenario.
func spaceDuck(t *testing.T) scenarios.Plan {
	t.Helper()
	s, err := scenarios.BuiltIn("space-duck", scenarios.Env{})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := scenarios.Compile(s, scenarios.CompileOptions{Run: "test", Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func TestWholePlanInVirtualTime(t *testing.T) {
	plan := spaceDuck(t)
	synctest.Test(t, func(t *testing.T) {
		server, err := emulator.New(emulator.SpaceDuck())
		if err != nil {
			t.Fatal(err)
		}
		var all []history.Observation
		end, err := Run(t.Context(), plan, Options{
			Target:    "http://127.0.0.1",
			Transport: func(l scenarios.Lane) http.RoundTripper { return server.Transport(l.Source.String()) },
			Record:    func(o history.Observation) error { all = append(all, o); return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v, %d requests, %d lanes, %d tracks", end, len(all), len(plan.Lanes), len(plan.Tracks))
		if !end.Complete || end.Offered != len(all) {
			t.Errorf("got %+v with %d observations, want a complete run", end, len(all))
		}
	})
}

func TestNothingIsSentAfterAStop(t *testing.T) {
	_ = context.Background
	_ = time.Second
}
