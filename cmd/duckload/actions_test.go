package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestALongStepSummaryIsCutBetweenSections(t *testing.T) {
	short := []byte("## verdict\n")
	if got := shortSummary(short); !bytes.Equal(got, short) {
		t.Errorf("got %q, want it as it was", got)
	}
	section := "\n### ✗ check\n\n```text\n" + strings.Repeat("x", 1000) + "\n```\n"
	got := string(shortSummary([]byte("## verdict\n" + strings.Repeat(section, 2000))))
	if len(got) > mostSummary+100 || strings.Count(got, "```")%2 != 0 || !strings.HasSuffix(got, "There is more, in report.html and verdict.json.\n") {
		t.Errorf("got %d bytes with %d fences, ending with %q", len(got), strings.Count(got, "```"), got[len(got)-80:])
	}
}

func TestPathsInAnnotationsBeginAtTheRepository(t *testing.T) {
	p := process{lookup: func(name string) (string, bool) {
		v, ok := map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": "/srv/repo"}[name]
		return v, ok
	}}
	for path, want := range map[string]string{
		"/srv/repo/limits/api.yaml": "limits/api.yaml", "/srv/other.yaml": "/srv/other.yaml", "/srv/repo/..x/a": "..x/a", "": "",
	} {
		if got := p.inRepository(path); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}
