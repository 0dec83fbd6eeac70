package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"duckload/analyze"
	"duckload/limiter"
)

var prometheusFormat = Format{
	Name:  "prometheus",
	Doc:   "gauges in Prometheus' text format, for a textfile collector or a push gateway",
	File:  "duckload.prom",
	Write: writePrometheus,
}

var verdicts = []analyze.Verdict{analyze.Pass, analyze.Fail, analyze.Inconclusive}

func writePrometheus(w io.Writer, r Report) error {
	f := r.Findings
	e := &exposition{scenario: label{"scenario", f.Run.Scenario}}
	e.run(r)
	e.checks(f.Groups)
	e.limits(f.Groups)
	e.requests(f.Groups)
	e.latencies(f)
	_, err := io.WriteString(w, e.text.String())
	return err
}

// An exposition collects samples in Prometheus' text format, version 0.0.4.
// All samples of a metric stand together under its name, and each carries the
// scenario.
type exposition struct {
	text     strings.Builder
	scenario label
	name     string
	head     string // of a metric without a sample yet
}

type label struct{ name, value string }

// metric begins a metric; the samples that follow are its own. One without a
// sample is not there at all.
func (e *exposition) metric(name, kind, help string) {
	e.name = "duckload_" + name
	e.head = fmt.Sprintf("# HELP %s %s\n# TYPE %s %s\n", e.name, help, e.name, kind)
}

func (e *exposition) gauge(name, help string, value float64) {
	e.metric(name, "gauge", help)
	e.sample("", value)
}

func (e *exposition) sample(suffix string, value float64, labels ...label) {
	e.text.WriteString(e.head + e.name + suffix + "{")
	e.head = ""
	for i, l := range append([]label{e.scenario}, labels...) {
		if i > 0 {
			e.text.WriteByte(',')
		}
		// printable leaves no line end that would need an escape of its own.
		fmt.Fprintf(&e.text, `%s="%s"`, l.name, strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(printable(l.value)))
	}
	e.text.WriteString("} " + strconv.FormatFloat(value, 'g', -1, 64) + "\n")
}

// states writes a gauge for each verdict, of which one is 1.
func (e *exposition) states(v analyze.Verdict, labels ...label) {
	for _, state := range verdicts {
		e.sample("", truth(v == state), append(labels[:len(labels):len(labels)], label{"outcome", string(state)})...)
	}
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func (e *exposition) run(r Report) {
	f := r.Findings
	e.metric("verdict", "gauge", "1 for the verdict of the run, 0 for the others.")
	e.states(f.Outcome)
	e.metric("run_info", "gauge", "What was run, against what.")
	e.sample("", 1, label{"run", f.Run.ID}, label{"target", f.Run.Target}, label{"tool", r.Tool})
	e.gauge("run_complete", "1 if everything that was planned was sent and recorded.", truth(f.Run.Complete))
	e.gauge("run_started_timestamp_seconds", "When the run began, in seconds since 1970.", float64(f.Run.Started.UnixMilli())/1e3)
	e.gauge("run_duration_seconds", "How long the run took.", f.Run.Duration.Seconds())
}

// checks writes the worst verdict of each check in each group: a check that
// judged several limits of a promise would otherwise come twice.
func (e *exposition) checks(groups []analyze.Group) {
	e.metric("group", "gauge", "1 for the verdict of the group, 0 for the others.")
	for _, g := range groups {
		e.states(g.Outcome, label{"group", g.Name})
	}
	e.metric("check", "gauge", "1 for the verdict of the check in the group, 0 for the others.")
	for _, g := range groups {
		worst := map[string]analyze.Verdict{}
		var order []string
		for _, f := range g.Findings {
			before, known := worst[f.Check]
			if !known {
				before = f.Outcome
				order = append(order, f.Check)
			}
			worst[f.Check] = before.Worse(f.Outcome)
		}
		for _, check := range order {
			e.states(worst[check], label{"group", g.Name}, label{"check", check})
		}
	}
}

func (e *exposition) limits(groups []analyze.Group) {
	e.metric("documented_rate_per_second", "gauge", "What the promise says, for each of its limits.")
	for _, g := range groups {
		for i, l := range g.Promise.Limits {
			if l.Window > 0 {
				e.sample("", l.Rate(), label{"group", g.Name}, label{"limit", strconv.Itoa(i + 1)})
			}
		}
	}
	e.metric("documented_at_once", "gauge", "What the promise says of requests under way at once.")
	for _, g := range groups {
		for i, l := range g.Promise.Limits {
			if l.Reading == limiter.Concurrency {
				e.sample("", float64(l.Limit), label{"group", g.Name}, label{"limit", strconv.Itoa(i + 1)})
			}
		}
	}
	e.metric("documented_burst", "gauge", "What the promise says; absent where it says nothing.")
	for _, g := range groups {
		for i, l := range g.Promise.Limits {
			if l.Burst > 0 {
				e.sample("", float64(l.Burst), label{"group", g.Name}, label{"limit", strconv.Itoa(i + 1)})
			}
		}
	}
	e.metric("measured_rate_per_second", "gauge", "Bounds of the rate that is enforced; the true one lies between them.")
	for _, g := range groups {
		if g.Measured != nil {
			e.bounds(g.Name, g.Measured.RatePerSecond)
		}
	}
	e.metric("measured_at_once", "gauge", "Bounds of the requests that are admitted at once; the true limit lies between them.")
	for _, g := range groups {
		if g.Measured != nil {
			e.bounds(g.Name, g.Measured.AtOnce)
		}
	}
	e.metric("measured_burst", "gauge", "Bounds of the burst that is admitted; the true one lies between them.")
	for _, g := range groups {
		if g.Measured != nil {
			e.bounds(g.Name, g.Measured.Burst)
		}
	}
}

func (e *exposition) bounds(group string, i *analyze.Interval) {
	if i != nil {
		e.sample("", i.Low, label{"group", group}, label{"bound", "low"})
		e.sample("", i.High, label{"group", group}, label{"bound", "high"})
	}
}

func (e *exposition) requests(groups []analyze.Group) {
	e.metric("requests", "gauge", "Requests of the run by what became of them.")
	for _, g := range groups {
		for outcome, n := range [3]int{limiter.Admitted: g.Admitted, limiter.Rejected: g.Rejected, limiter.Unknown: g.Unknown} {
			e.sample("", float64(n), label{"group", g.Name}, label{"outcome", limiter.Outcome(outcome).String()})
		}
	}
}

func (e *exposition) latencies(f analyze.Findings) {
	e.metric("latency_seconds", "summary", "From sending a request to the first byte of its answer, by what became of it.")
	for _, g := range f.Groups {
		for outcome, l := range g.Latency {
			if l.N == 0 {
				continue
			}
			of := []label{{"group", g.Name}, {"outcome", limiter.Outcome(outcome).String()}}
			for _, q := range []struct {
				name  string
				value time.Duration
			}{{"0.5", l.P50}, {"0.9", l.P90}, {"0.95", l.P95}, {"0.99", l.P99}, {"1", l.Max}} {
				e.sample("", q.value.Seconds(), append(of[:2:2], label{"quantile", q.name})...)
			}
			e.sample("_sum", l.Mean.Seconds()*float64(l.N), of...)
			e.sample("_count", float64(l.N), of...)
		}
	}
	e.metric("lateness_seconds", "gauge", "How far requests were sent from their moments: the share of the sender in what was measured.")
	if l := f.Lateness; l.N > 0 {
		e.sample("", l.P50.Seconds(), label{"quantile", "0.5"})
		e.sample("", l.P99.Seconds(), label{"quantile", "0.99"})
		e.sample("", l.Max.Seconds(), label{"quantile", "1"})
	}
}
