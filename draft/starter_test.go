package draft_test

import (
	"testing"

	"duckload/draft"
	"duckload/scenarios"
)

func TestTheStarterIsAScenario(t *testing.T) {
	s, err := scenarios.Load("scenario.yaml", draft.Starter(), scenarios.Env{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := scenarios.Compile(s, scenarios.CompileOptions{}); err != nil {
		t.Error(err)
	}
	if got := draft.Fills(draft.Starter()); got != 3 {
		t.Errorf("got %d marks, want 3", got)
	}
}
