package report

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"duckload/analyze"
)

// scraped is what Prometheus' own parser reads of a report.
func scraped(t *testing.T, r Report) map[string]*dto.MetricFamily {
	t.Helper()
	var parser expfmt.TextParser
	families, err := parser.TextToMetricFamilies(bytes.NewReader(written(t, func(w io.Writer) error { return writePrometheus(w, r) })))
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// value is the gauge of a metric that carries the labels "name=value".
func valueOf(t *testing.T, family *dto.MetricFamily, labels ...string) float64 {
	t.Helper()
	for _, m := range family.GetMetric() {
		var have []string
		for _, l := range m.GetLabel() {
			have = append(have, l.GetName()+"="+l.GetValue())
		}
		if !slices.ContainsFunc(labels, func(l string) bool { return !slices.Contains(have, l) }) {
			return m.GetGauge().GetValue()
		}
	}
	t.Fatalf("%s: nothing has the labels %q", family.GetName(), labels)
	return 0
}

func TestPrometheusReadsEveryReport(t *testing.T) {
	for _, s := range append(samples, struct {
		name   string
		report func() Report
	}{"hostile", hostileEverywhere}) {
		r := s.report()
		for name, family := range scraped(t, r) {
			if !model.IsValidMetricName(model.LabelValue(name)) || family.GetHelp() == "" {
				t.Errorf("%s: %s: not a good name, or no help", s.name, name)
			}
			seen := map[string]bool{}
			for _, m := range family.GetMetric() {
				id := fmt.Sprint(m.GetLabel())
				if seen[id] {
					t.Errorf("%s: %s comes twice with %s", s.name, name, id)
				}
				seen[id] = true
			}
		}
		for _, v := range verdicts {
			want := 0.0
			if v == r.Findings.Outcome {
				want = 1
			}
			if got := valueOf(t, scraped(t, r)["duckload_verdict"], "outcome="+string(v)); got != want {
				t.Errorf("%s: the verdict %s is %v, want %v", s.name, v, got, want)
			}
		}
	}
}

func TestPrometheusHasWhatWasMeasured(t *testing.T) {
	r := undecided()
	families := scraped(t, r)
	if got := valueOf(t, families["duckload_measured_rate_per_second"], "group=newsletter", "bound=high"); !math.IsInf(got, 1) {
		t.Errorf("a rate without end: got %v, want +Inf", got)
	}
	if got, want := valueOf(t, families["duckload_documented_rate_per_second"], "group=metrics", "limit=1"), 100.0/60; got != want {
		t.Errorf("the documented rate: got %v, want %v", got, want)
	}
	g := r.Findings.Groups[0]
	for _, m := range families["duckload_latency_seconds"].GetMetric() {
		if text := fmt.Sprint(m.GetLabel()); strings.Contains(text, `"metrics"`) && strings.Contains(text, `"admitted"`) {
			if got := m.GetSummary(); got.GetSampleCount() != uint64(g.Admitted) || len(got.GetQuantile()) != 5 {
				t.Errorf("got %v, want the %d admitted answers in five quantiles", got, g.Admitted)
			}
		}
	}
}

// A promise may hold several limits, each judged by the same check: its worst
// verdict counts.
func TestPrometheusHasACheckOnce(t *testing.T) {
	r := passing()
	g := &r.Findings.Groups[0]
	g.Findings = append(g.Findings, analyze.Finding{Check: "limit.ceiling", Outcome: analyze.Fail, Message: "the second limit"})
	if got := valueOf(t, scraped(t, r)["duckload_check"], "group=metrics", "check=limit.ceiling", "outcome=fail"); got != 1 {
		t.Errorf("got %v, want 1", got)
	}
}
