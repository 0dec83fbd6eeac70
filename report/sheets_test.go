package report

import (
	"bytes"
	"encoding/json"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"duckload/analyze"
	"duckload/clients"
	"duckload/compare"
	"duckload/limiter"
	"duckload/scenarios"
	"duckload/sizing"
	"duckload/trace"
)

const badName = "<script>alert(1)</script>\x1b[31m\u202e|`*_[x](http://evil.example)"

// Whatever a file or a run is called appears as text, in every format.
func TestSheetsShowNamesAsText(t *testing.T) {
	spool := trace.NewSpool("")
	for i := range int64(50) {
		if err := spool.Add(i*1e8, []string{"a", badName}[i%2]); err != nil {
			t.Fatal(err)
		}
	}
	if err := spool.Seal(); err != nil {
		t.Fatal(err)
	}
	documented := limiter.Limit{Limit: 60, Window: time.Minute, Burst: 3, Reading: limiter.TokenBucket}
	answer, err := sizing.Size(spool, sizing.Question{Documented: &documented, Growth: []float64{2}})
	if err != nil {
		t.Fatal(err)
	}
	size := Sizing{Name: badName, Key: badName, Notes: []string{badName}, Promise: badName, Documented: &documented, Answer: answer, Command: badName, Tool: badName}
	pages := map[string]string{}
	for _, f := range SizingFormats {
		pages["size "+f.Name] = laid(t, func(b *bytes.Buffer) error { return f.Write(b, size) })
	}
	for _, f := range LetterFormats {
		pages["letter "+f.Name] = laid(t, func(b *bytes.Buffer) error { return f.Write(b, size) })
	}
	low, high := 0.1, 0.2
	latency := analyze.Latency{N: 3, P50: time.Millisecond, Max: time.Second, Spectrum: []analyze.Quantile{{Percentile: 50, Value: time.Millisecond}, {Percentile: 100, Value: time.Second}}}
	c := CompareReport{Margin: "5 %", Tool: badName, Comparison: compare.Comparison{
		Base: []string{badName}, Now: []string{badName}, Kind: compare.Regression, Sentence: badName, Caveats: []string{badName},
		Differences: []compare.Difference{{Group: badName, Aspect: compare.Latency, Subject: badName, Kind: compare.Regression, Before: badName, Now: badName, Message: badName, Low: &low, High: &high}},
		Spectra:     []compare.Spectra{{Group: badName, Base: []analyze.Latency{latency}, Now: []analyze.Latency{latency}}},
	}}
	for _, f := range CompareFormats {
		pages["compare "+f.Name] = laid(t, func(b *bytes.Buffer) error { return f.Write(b, c) })
	}
	judged := ClientCheck{Command: []string{badName}, Line: badName, Clients: 1, Tool: badName, Judgements: []clients.Judgement{{
		Run: clients.Run{
			Script:    scenarios.Script{Name: badName, Doc: badName, Budget: 10},
			Exchanges: []clients.Exchange{{Number: 1, Method: badName, Path: badName, Code: badName, RetryAfter: badName, Status: 500, Until: time.Second}},
			Processes: []clients.Process{{Ended: time.Second, Output: badName}},
		},
		Outcome: analyze.Fail,
		Findings: []clients.Finding{
			{Check: "client.calls", Outcome: analyze.Fail, Message: badName, Witness: &clients.Witness{Sentence: badName, Requests: []int{1}}},
			{Check: "client.backoff", Outcome: analyze.Inconclusive, Message: badName},
		},
	}}}
	for _, f := range ClientFormats {
		pages["client "+f.Name] = laid(t, func(b *bytes.Buffer) error { return f.Write(b, judged) })
	}
	// Nothing but what is published is written.
	if _, strict := schemaOf(t, "client"); strict.Validate(parsed(t, []byte(pages["client json"]))) != nil {
		t.Errorf("client json: %v", strict.Validate(parsed(t, []byte(pages["client json"]))))
	}
	fenced := regexp.MustCompile("(?s)(`{3,})text\n.*?\n`{3,}\n")
	for name, text := range pages {
		if strings.HasSuffix(name, "markdown") { // what a fence or a backslash makes plain
			text = strings.ReplaceAll(strings.ReplaceAll(fenced.ReplaceAllString(text, ""), `\<`, ""), `\[`, "")
		}
		switch {
		case strings.HasSuffix(name, "json"):
			if !json.Valid([]byte(text)) {
				t.Errorf("%s is no JSON", name)
			}
			continue
		case strings.HasSuffix(name, "text"):
		case strings.Contains(text, "<script"):
			t.Errorf("%s: a name became a script", name)
		}
		if strings.ContainsAny(text, "\x1b\u202e") {
			t.Errorf("%s: control characters came through", name)
		}
		if strings.HasSuffix(name, "markdown") && strings.Contains(text, "[x](http") {
			t.Errorf("%s: a name became a link", name)
		}
		if len(text) < 200 || len(text) > 1_500_000 {
			t.Errorf("%s: %d bytes", name, len(text))
		}
	}
}

func laid(t *testing.T, write func(*bytes.Buffer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	if err := write(&again); err != nil || !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Errorf("written twice, it differs (%v)", err)
	}
	return b.String()
}

func TestAskedLimitsAreRoundedUp(t *testing.T) {
	for n, want := range map[int64]int64{0: 0, 7: 7, 99: 99, 100: 100, 101: 110, 1499: 1500, 12001: 13000} {
		if got := roundUp(n); got != want {
			t.Errorf("%d: got %d, want %d", n, got, want)
		}
	}
	for x, want := range map[float64]string{0: "0", 0.00001: "under 0.01 %", 0.0012: "0.12 %", 0.005: "0.5 %", 0.034: "3.4 %", 1: "100 %"} {
		if got := share(x); got != want {
			t.Errorf("%g: got %q, want %q", x, got, want)
		}
	}
}

func TestPowersHaveRoundTicks(t *testing.T) {
	for _, c := range []struct{ low, high float64 }{{0, 1}, {0, 6}, {2.9, 3.1}, {2, 2.5}} {
		ticks := powerTicks(c.low, c.high, 8)
		if len(ticks) < 1 || len(ticks) > 10 {
			t.Errorf("%v: got %d ticks", c, len(ticks))
		}
		for _, k := range ticks {
			if k.Value < c.low || k.Value > c.high || math.IsNaN(k.Value) {
				t.Errorf("%v: a tick at %g", c, k.Value)
			}
		}
	}
}
