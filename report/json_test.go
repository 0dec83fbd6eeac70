package report

import (
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"

	"duckload/analyze"
	"duckload/limiter"
)

func TestVerdictsInJSON(t *testing.T) {
	for _, s := range samples {
		t.Run(s.name, func(t *testing.T) {
			golden(t, s.name+".json", written(t, func(w io.Writer) error { return writeJSON(w, s.report()) }))
		})
	}
}

// The names are those of the contract, word for word.
func TestEveryNameOfTheContractIsThere(t *testing.T) {
	var got any
	if err := json.Unmarshal(written(t, func(w io.Writer) error { return writeJSON(w, failing()) }), &got); err != nil {
		t.Fatal(err)
	}
	const contract = `{
	  "schema": "", "outcome": "",
	  "run": {"id": "", "scenario": "", "target": "", "started": "", "duration_s": 0, "complete": true, "requests": 0, "seed": 0},
	  "groups": [{
	    "name": "",
	    "promise": [{"limit": 100, "window_s": 60, "burst": 200, "scope": null, "reading": "token-bucket"}],
	    "measured": {"family": "", "consistent": [""], "limit_per_window": {"low": 0, "high": 0}, "rate_per_s": {"low": 0, "high": 0},
	                 "burst": {"low": 0, "high": 0}, "window_s": null, "scope": null, "rejects_consume": false},
	    "checks": [{"id": "", "outcome": "", "message": "",
	                "witness": {"sentence": "", "from_s": 0, "to_s": 0, "counted": 0, "allowed": 0, "requests": [{}]}}],
	    "requests": {"sent": 0, "admitted": 0, "rejected": 0, "unknown": 0},
	    "latency_ms": {"admitted": {"n": 0, "p50": 0, "p90": 0, "p95": 0, "p99": 0, "max": 0}, "rejected": {}}
	  }]
	}`
	var want any
	if err := json.Unmarshal([]byte(contract), &want); err != nil {
		t.Fatal(err)
	}
	if missing := absent("", got, want); len(missing) > 0 {
		t.Errorf("verdict.json breaks the contract:\n%s", strings.Join(missing, "\n"))
	}
}

// absent lists what want has and got has not, or has with another type.
func absent(path string, got, want any) []string {
	var missing []string
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			return []string{path + ": no object"}
		}
		for key, value := range want {
			if v, ok := object[key]; ok {
				missing = append(missing, absent(path+"."+key, v, value)...)
			} else {
				missing = append(missing, path+"."+key+": missing")
			}
		}
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) == 0 {
			return []string{path + ": no list"}
		}
		return absent(path+"[0]", list[0], want[0])
	case nil:
		if got != nil {
			return []string{path + ": not null"}
		}
	case float64:
		if _, ok := got.(float64); !ok {
			return []string{path + ": no number"}
		}
	case string:
		if _, ok := got.(string); !ok {
			return []string{path + ": no string"}
		}
	}
	slices.Sort(missing)
	return missing
}

// A reader of verdict.json gets exactly what the server sent, a terminal that
// shows the file is told nothing.
func TestJSONKeepsHostileValuesAndHidesNoCommand(t *testing.T) {
	const value = "a\x1b[31m\u009b31m\u202eb\U000e0041<"
	r := failing()
	r.Findings.Groups[1].Findings[3].Witness.Requests[0].Fields = limiter.Fields{{Name: "Retry-After", Value: value}}
	doc := written(t, func(w io.Writer) error { return writeJSON(w, r) })
	for _, b := range string(doc) {
		if b != '\n' && unseen(b) {
			t.Errorf("the document holds %U", b)
		}
	}
	var v verdictJSON
	if err := json.Unmarshal(doc, &v); err != nil {
		t.Fatal(err)
	}
	if got := v.Groups[1].Checks[3].Witness.Requests[0].Fields[0].Value; got != value {
		t.Errorf("got %q, want %q", got, value)
	}
}

func TestJSONOfAnEmptyRunHasNoNullLists(t *testing.T) {
	var v map[string]any
	doc := written(t, func(w io.Writer) error {
		return writeJSON(w, Report{Findings: analyze.Findings{Outcome: analyze.Inconclusive}})
	})
	if err := json.Unmarshal(doc, &v); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"groups", "caveats", "assumptions"} {
		if _, ok := v[key].([]any); !ok {
			t.Errorf("%s: got %v, want a list", key, v[key])
		}
	}
}
