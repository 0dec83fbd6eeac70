package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/spf13/cobra"

	"duckload/attack"
	"duckload/english"
	"duckload/history"
	"duckload/limiter"
	"duckload/probe"
	"duckload/report"
	"duckload/scenarios"
)

// identifying is what the flags of identify say.
type identifying struct {
	url     *url.URL
	method  string
	headers []string // "Name: value"
	values  []string // "Name=a,b,c": another key each
	sources string   // addresses to send from
	allow   []string
	budget  int
	most    time.Duration
	hold    int
	write   string
	out     string
	quiet   bool
}

func (p process) identifyCommand() *cobra.Command {
	var s identifying
	c := &cobra.Command{
		Use:   "identify URL",
		Short: "Find out what limits an API, without documentation",
		Long: `Asks a URL again and again and says what limits it: which family of limiter,
with which limit, window and burst, who shares the counter, how requests too
many are rejected, whether they count, and how sure that is. What the target
says of itself in headers is tested, never believed.

The result is everything that explains what was seen. A family is thrown out
only if no placement of the limiter's decisions between sending and answer
explains the run; where several are left, they are all named.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			at, err := identifyURL(args[0])
			if err != nil {
				return usage(err)
			}
			s.url = at
			return p.identify(c.Context(), s)
		},
	}
	c.Flags().StringVar(&s.method, "method", "GET", "method of the request")
	c.Flags().StringArrayVar(&s.headers, "header", nil, "header of each request, \"Name: value\"; ${env:NAME} stands for a secret of the environment")
	c.Flags().StringArrayVar(&s.values, "header-values", nil, "header with a value for each of several clients, \"Name=a,b,c\"")
	c.Flags().StringVar(&s.sources, "sources", "", "local addresses to send from: an address, several, or a block such as 127.0.1.0/24")
	c.Flags().StringSliceVar(&s.allow, "allow-host", nil, "a host that may be contacted, beside loopback")
	c.Flags().IntVar(&s.budget, "budget", 2000, "the most requests to send")
	c.Flags().DurationVar(&s.most, "max-time", 5*time.Minute, "the most time to take")
	c.Flags().IntVar(&s.hold, "hold", 0, "once a limit is found, so many more requests at its edge, in search of a second one over a longer time")
	c.Flags().StringVar(&s.write, "write", "", "write a scenario that promises what was found to this file")
	c.Flags().StringVar(&s.out, "out", "results", "folder for the run's own folder")
	c.Flags().BoolVarP(&s.quiet, "quiet", "q", false, "no progress")
	return c
}

func identifyURL(text string) (*url.URL, error) {
	at, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%q is not a URL: %w", text, err)
	case at.Host == "" || at.Scheme != "http" && at.Scheme != "https":
		return nil, fmt.Errorf("%q is not a URL (write http://host:port/path or https://host/path)", at.Redacted())
	case at.User != nil:
		return nil, fmt.Errorf("%q names a user; give credentials with --header 'Authorization: ${env:NAME}'", at.Redacted())
	}
	return at, nil
}

// identify asks, says what was found, and writes it down.
func (p process) identify(ctx context.Context, s identifying) error {
	plan, ways, err := p.probing(s)
	if err != nil {
		return usage(err)
	}
	options := attack.Options{
		Target: plan.Scenario.Target, AllowHosts: s.allow, UserAgent: "duckload/" + version,
		Budget: scenarios.Budget{Requests: s.budget, Duration: s.most + 30*time.Second},
	}
	if err := preflight(ctx, plan, options); err != nil {
		return err
	}
	dir, err := makeRunDir(s.out, "identify-"+s.url.Hostname(), p.now())
	if err != nil {
		return failure{status: exitUsage, err: fmt.Errorf("--out: %w", err)}
	}
	say := func(line string) {
		if !s.quiet {
			fmt.Fprintln(p.stderr, printable(line))
		}
	}
	say(fmt.Sprintf("%s %s: at most %s, at most %s, from %s", s.method, s.url.Redacted(), english.Count(s.budget, "request"), s.most, english.Count(len(plan.Lanes), "client")))
	header := headerOf(plan, options.Target, p.now())
	header.Phases = []history.Phase{{Pace: "steered", Label: "probe"}}
	record, err := history.Create(filepath.Join(dir, observationsDir), header)
	if err != nil {
		return failure{status: exitUsage, err: err}
	}
	options.Record, options.Doubt = record.Append, record.AppendDoubt
	var found probe.Result
	end, err := probe.Send(ctx, plan, options, func(a probe.Asker) {
		found = probe.Identify(a, probe.Options{
			Budget: s.budget, MaxTime: s.most, Hold: s.hold, Clock: limiter.DefaultGranularity, Ways: ways, Seed: plan.Seed, Say: say,
		})
	})
	if err := sendingFailed(errors.Join(err, record.Close(end))); err != nil {
		return err
	}
	return p.identified(ctx, s, dir, found)
}

// identified writes down and prints what was found.
func (p process) identified(ctx context.Context, s identifying, dir string, found probe.Result) error {
	written := []error{
		writeText(filepath.Join(dir, "identify.json"), func(w io.Writer) error { return identifyJSON(w, s, found) }),
		writeText(filepath.Join(dir, "identify.html"), func(w io.Writer) error { return report.Identified(w, identifiedView(s, found)) }),
	}
	if err := errors.Join(written...); err != nil {
		return failure{status: exitStopped, err: err}
	}
	var b strings.Builder
	for _, line := range found.Words() {
		fmt.Fprintln(&b, printable(line))
	}
	fmt.Fprintf(&b, "%s in %s\nreport  %s\n", english.Count(found.Requests, "request"), found.Took.Round(100*time.Millisecond), filepath.Join(dir, "identify.html"))
	if err := writeTo(p.stdout, b.String()); err != nil {
		return err
	}
	if status := signalled(ctx); status != 0 {
		return ends(status)
	}
	if s.write != "" {
		if err := p.writeFound(s, found); err != nil {
			return failure{status: exitInconclusive, err: fmt.Errorf("--write: %w; nothing was written to %s", err, s.write)}
		}
	}
	if found.Over == "stopped" {
		return ends(exitStopped)
	}
	if found.Over == "refused" || found.Limited && !found.Unique() {
		return ends(exitInconclusive)
	}
	return nil
}

func writeText(path string, write func(io.Writer) error) error {
	if err := replaceFile(path, write); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// identifyJSON writes identify.json: the measured object of verdict.json, and
// what stands behind it.
func identifyJSON(w io.Writer, s identifying, found probe.Result) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(struct {
		Schema   string  `json:"schema"`
		Target   string  `json:"target"`
		Method   string  `json:"method"`
		Limited  bool    `json:"limited"`
		Requests int     `json:"requests"`
		Duration float64 `json:"duration_s"`
		Ended    string  `json:"ended_early,omitempty"`
		Promise  any     `json:"promise"`
		Measured any     `json:"measured"`
		probe.Details
		Words []string `json:"explanation"`
	}{
		"duckload.identify/1", s.url.Redacted(), s.method, found.Limited, found.Requests, found.Took.Seconds(), found.Over,
		nil, found.Measured(), found.Details(), found.Words(),
	})
}

// identifiedView is what the page shows.
func identifiedView(s identifying, found probe.Result) report.Identification {
	v := report.Identification{Tool: "duckload " + version, Target: s.method + " " + s.url.Redacted()}
	for _, line := range found.Words() {
		if answer, ok := strings.CutPrefix(line, "  "); ok {
			v.Answers = append(v.Answers, answer)
		} else {
			v.Sentences = append(v.Sentences, line)
		}
	}
	for _, a := range found.Seen {
		v.Requests = append(v.Requests, report.Asked{At: a.Sent, Outcome: a.Outcome})
	}
	return v
}

// probing returns the plan of an identification: who can ask, and how.
func (p process) probing(s identifying) (scenarios.Plan, []probe.Way, error) {
	text, err := s.scenario("identify", "{limit: 1/s}", "{status: [429, 503], retry_after: none}", "")
	if err != nil {
		return scenarios.Plan{}, nil, err
	}
	sources, err := s.addresses()
	if err != nil {
		return scenarios.Plan{}, nil, err
	}
	scenario, err := scenarios.Load("command line", []byte(text), scenarios.Env{Lookup: p.lookup})
	if err != nil {
		return scenarios.Plan{}, nil, err
	}
	keys := scenario.Groups[0].Identity
	if len(keys) == 0 {
		keys = []string{""}
	}
	plan := scenarios.Plan{Scenario: scenario, Run: ulid.MustNew(ulid.Timestamp(p.now()), ulid.DefaultEntropy()).String()}
	add := func(group int, key string, source netip.Addr, trick string) int {
		plan.Lanes = append(plan.Lanes, scenarios.Lane{Group: group, Identity: key, Source: source, Trick: trick})
		return len(plan.Lanes) - 1
	}
	add(0, keys[0], sources[0], "")
	var ways []probe.Way
	way := func(name string, fresh bool, lanes ...int) {
		if len(lanes) > 0 {
			ways = append(ways, probe.Way{Name: name, Lanes: lanes, Fresh: fresh})
		}
	}
	var others, strangers []int
	for _, source := range sources[1:] {
		others = append(others, add(0, keys[0], source, ""))
	}
	for _, key := range keys[1:] {
		strangers = append(strangers, add(0, key, sources[0], ""))
	}
	way(probe.WayAddress, true, others...)
	way(probe.WayKey, true, strangers...)
	way(probe.WayConnection, false, add(1, keys[0], sources[0], ""))
	if s.method == "GET" {
		way(probe.WayMethod, false, add(2, keys[0], sources[0], ""))
	}
	if at, err := netip.ParseAddr(s.url.Hostname()); s.url.Hostname() == "localhost" || err == nil && at.IsLoopback() {
		way(probe.WayPath, false, add(0, keys[0], sources[0], scenarios.TrickPath))
		way(probe.WayForwarded, false, add(0, keys[0], sources[0], scenarios.TrickForwarded))
	}
	return plan, ways, nil
}

// mostClients bounds how many addresses are used: each has connections of its
// own.
const mostClients = 64

// addresses returns the addresses to send from; one that is zero: as the
// system chooses.
func (s identifying) addresses() ([]netip.Addr, error) {
	if s.sources == "" {
		return []netip.Addr{{}}, nil
	}
	var all []netip.Addr
	for part := range strings.SplitSeq(s.sources, ",") {
		part = strings.TrimSpace(part)
		if addr, err := netip.ParseAddr(part); err == nil {
			all = append(all, addr)
			continue
		}
		block, err := netip.ParsePrefix(part)
		if err != nil {
			return nil, fmt.Errorf("--sources: %q is neither an address nor a block (write 127.0.0.2, or 127.0.1.0/24)", part)
		}
		block = block.Masked()
		for at := block.Addr().Next(); block.Contains(at) && len(all) < mostClients; at = at.Next() {
			all = append(all, at)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("--sources: %q holds no address that can send", s.sources)
	}
	return all[:min(len(all), mostClients)], nil
}

// writeFound writes the scenario that promises what was found.
func (p process) writeFound(s identifying, found probe.Result) error {
	text, err := p.foundScenario(s, found)
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.write, []byte(text), 0o644); err != nil {
		return err
	}
	return writeTo(p.stdout, "scenario  "+s.write+"\n")
}

// foundScenario returns a scenario that promises what was found, as far as a
// promise has words for it; what it leaves out stands in its comments.
func (p process) foundScenario(s identifying, found probe.Result) (string, error) {
	promise, err := found.Promise()
	if err != nil {
		return "", err
	}
	comment := append(found.Words(), promise.Without...)
	text, err := s.scenario("identified", promise.Limit, promise.Reject, strings.Join(comment, "\n"))
	if err != nil {
		return "", err
	}
	if _, err := scenarios.Load(s.write, []byte(text), scenarios.Env{Lookup: p.lookup}); err != nil {
		return "", fmt.Errorf("the scenario would not be a right one: %w", err)
	}
	return text, nil
}
