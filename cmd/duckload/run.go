package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/spf13/cobra"

	"duckload/attack"
	"duckload/english"
	"duckload/history"
	"duckload/scenarios"
)

// settings are the flags that run and plan share.
type settings struct {
	target   string
	groups   []string
	allow    []string
	seed     uint64
	budget   int
	thorough bool
	scale    float64
	most     time.Duration
}

func (s *settings) flags(c *cobra.Command) {
	c.Flags().StringVar(&s.target, "target", "", "base URL instead of the scenario's target, or \"emulator\"")
	c.Flags().StringSliceVar(&s.groups, "group", nil, "only these groups")
	c.Flags().StringSliceVar(&s.allow, "allow-host", nil, "a host that may be contacted in this run, beside loopback")
	c.Flags().Uint64Var(&s.seed, "seed", 0, "seed of everything that is drawn; 0: from the run's id")
	c.Flags().IntVar(&s.budget, "budget", 0, "the most requests to send; 0: as the scenario says")
	c.Flags().BoolVar(&s.thorough, "thorough", false, "also rest until everything is full again, and look at more refills")
	c.Flags().DurationVar(&s.most, "max-time", 0, "the most time to send for; shrinks compiled plans and names what it leaves out; 0: as long as they need")
	c.Flags().Float64Var(&s.scale, "time-scale", 0, "how many times as fast as recorded every replay is; 0: as the scenario says")
}

func (p process) runCommand() *cobra.Command {
	var s settings
	var out string
	var fail, formats []string
	var quiet, noColor, dry, debug bool
	var crew crew
	c := &cobra.Command{
		Use:   "run [SCENARIO]",
		Short: "Plan, send, judge, report",
		Long: `Sends a scenario's traffic, judges what came back, and writes a report into
results/<time>-<name>/. Without a scenario it verifies the built-in Space Duck
table against an emulator on this machine.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			on, err := parseFailOn(fail)
			outs, wrong := parseFormats(formats)
			if err := errors.Join(err, wrong); err != nil {
				return usage(err)
			}
			scenario, err := p.load(args)
			if err != nil {
				return err
			}
			if dry {
				return p.printPlan(scenario, s)
			}
			p.plain = p.plain || noColor
			p.debug = debug
			if crew.asked(c) {
				return p.runFleet(c.Context(), scenario, s, crew, destination{out, p.automatic(outs), quiet}, on)
			}
			return p.run(c.Context(), scenario, s, destination{out, p.automatic(outs), quiet || debug}, on)
		},
	}
	s.flags(c)
	crew.flags(c)
	c.Flags().StringVar(&out, "out", "results", "folder for the run's own folder")
	formatFlag(c, &formats, "report.html and verdict.json are always written; ")
	c.Flags().StringSliceVar(&fail, "fail-on", []string{"fail", "inconclusive"}, "outcomes that end with a failure: fail, inconclusive, none")
	c.Flags().BoolVarP(&quiet, "quiet", "q", false, "no progress")
	c.Flags().BoolVar(&noColor, "no-color", false, "no colours (also NO_COLOR)")
	c.Flags().BoolVar(&debug, "debug", false, "print the first exchanges of each group, secrets masked, instead of progress")
	c.Flags().BoolVar(&dry, "dry-run", false, "print the plan and send nothing")
	return c
}

// A destination is where what a run says goes.
type destination struct {
	parent string // of the run's own folder
	outs   outputs
	quiet  bool
}

// run is the whole line: plan, send, judge, report.
func (p process) run(ctx context.Context, scenario *scenarios.Scenario, s settings, to destination, on failOn) error {
	plan, err := p.compile(scenario, s)
	if err != nil {
		return err
	}
	scenario = plan.Scenario
	hooks, err := p.mailbox(ctx, plan)
	if err != nil {
		return err
	}
	defer hooks.close()
	target, err := p.aim(ctx, plan, hooks.told())
	if err != nil {
		return err
	}
	defer target.close()
	options := attack.Options{
		Target:     target.url,
		AllowHosts: append(scenario.AllowHosts, s.allow...),
		UserAgent:  "duckload/" + version,
		Budget:     scenario.Budget,
		Stop:       scenario.Stop,
	}
	if hooks != nil {
		options.Listen = hooks.serve
	}
	if p.debug {
		options.Debug = p.stderr
	}
	note := target.dial(&options, plan)
	if err := preflight(ctx, plan, options); err != nil {
		return err
	}
	if note != "" {
		fmt.Fprintln(p.stderr, "duckload: "+note)
	}
	if err := to.outs.prepare(); err != nil {
		return err
	}
	dir, err := makeRunDir(to.parent, scenario.Name, p.now())
	if err != nil {
		return failure{status: exitUsage, err: fmt.Errorf("--out: %w", err)}
	}
	if !to.quiet {
		fmt.Fprintf(p.stderr, "%s: %s, %s, about %s → %s\n",
			scenario.Name, english.Count(len(plan.Tracks), "group"), requestsOf(plan), clock(plan.Duration()), target.name)
		if hooks != nil {
			fmt.Fprintf(p.stderr, "webhooks are expected at %s\n", hooks.url)
		}
		for _, left := range plan.Dropped {
			fmt.Fprintf(p.stderr, "left out to fit into the time: %s\n", left)
		}
	}
	header := headerOf(plan, options.Target, p.now())
	header.Emulator = target.serve != nil
	live, err := p.liveOf(to.outs, dir, header)
	if err != nil {
		return failure{status: exitUsage, err: err}
	}
	if err := p.send(ctx, plan, options, header, live, dir, to.quiet); err != nil {
		return errors.Join(err, live.close())
	}
	return p.conclude(ctx, dir, live, to.outs, on)
}

// requestsOf says how many requests a plan sends: how many if the promises are
// kept, and what it never exceeds.
func requestsOf(plan scenarios.Plan) string {
	likely, most := plan.Likely()+plan.ErrandRequests(), plan.Requests()+plan.ErrandRequests()
	if likely >= most {
		return fmt.Sprintf("at most %d requests", most)
	}
	return fmt.Sprintf("about %d requests (at most %d)", likely, most)
}

// send attacks and records. When it returns, everything that happened is in
// the run's folder.
func (p process) send(ctx context.Context, plan scenarios.Plan, options attack.Options, header history.Header, live *liveEvents, dir string, quiet bool) error {
	if err := writePlan(dir, plan); err != nil {
		return failure{status: exitUsage, err: err}
	}
	record, err := history.Create(filepath.Join(dir, observationsDir), header)
	if err != nil {
		return failure{status: exitUsage, err: err}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	keeper := &keeper{record: record, live: live, first: firstAnswersOf(header, cancel)}
	stop := keeper.every(flushInterval)
	shown := newProgress(p.screen(), quiet, trackViews(plan), plan.Scenario.Budget)
	defer context.AfterFunc(ctx, func() {
		if signalled(ctx) == exitInterrupted {
			shown.interrupted()
		}
	})()
	options.Record, options.Progress, options.Event, options.Doubt = keeper.add, shown.event, record.AppendEvent, record.AppendDoubt
	restore := attack.Seldom(plan)
	end, err := attack.Run(ctx, plan, options)
	restore()
	stop()
	shown.close()
	switch signalled(ctx) {
	case exitTerminated:
		end.Reason = "terminated"
	case exitUnusable:
		end.Reason = context.Cause(ctx).Error()
		return errors.Join(context.Cause(ctx), record.Close(end))
	}
	lost := record.Close(end)
	if lost != nil && errors.Is(err, lost) {
		// What had reached the disk is judged all the same, as a record that
		// breaks off.
		p.complain(lost)
		return nil
	}
	return sendingFailed(errors.Join(err, lost))
}

func sendingFailed(err error) error {
	var denied attack.Denied
	var setup attack.SetupFailed
	switch {
	case err == nil:
		return nil
	case errors.As(err, &denied):
		return failure{status: exitRefused, err: err}
	case errors.As(err, &setup):
		return failure{status: exitUnusable, err: err}
	}
	return failure{status: exitStopped, err: err}
}

// preflight asks whether the target is there, before anything is sent.
func preflight(ctx context.Context, plan scenarios.Plan, o attack.Options) error {
	err := attack.Preflight(ctx, plan, o)
	var denied attack.Denied
	var missing attack.NoSource
	switch {
	case err == nil:
		return nil
	case errors.As(err, &missing):
		return usage(placed(plan.Scenario, err))
	case errors.As(err, &denied):
		return failure{status: exitRefused, err: err}
	}
	return failure{status: exitUnusable, err: err}
}

// placed says of each missing source where the scenario names it. The error has
// the command that adds the address.
func placed(s *scenarios.Scenario, err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return err
	}
	var all []error
	for _, e := range joined.Unwrap() {
		var missing attack.NoSource
		if errors.As(e, &missing) {
			if m, named := s.Source(missing.Source, e.Error()); named {
				e = m
			}
		}
		all = append(all, e)
	}
	return errors.Join(all...)
}

// writePlan keeps the scenario and the plan beside the record, secrets masked.
func writePlan(dir string, plan scenarios.Plan) error {
	text, err := json.MarshalIndent(plan, "", "  ")
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, scenarioFile), plan.Scenario.Masked(), 0o644),
		os.WriteFile(filepath.Join(dir, planFile), append(text, '\n'), 0o644),
	)
}

// compile spells a scenario out, with what the flags say instead of the file.
func (p process) compile(s *scenarios.Scenario, flags settings) (scenarios.Plan, error) {
	if flags.target != "" && flags.target != scenarios.Emulator {
		at, err := url.Parse(flags.target)
		if err == nil && (at.User != nil || at.RawQuery != "" || at.Fragment != "") {
			return scenarios.Plan{}, usage(fmt.Errorf("--target: %s: a base URL has no user, query or fragment (credentials belong into the headers of an identity)", at.Redacted()))
		}
		if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
			return scenarios.Plan{}, usage(fmt.Errorf("--target: %q is not a base URL (write http://host:port or https://host, or emulator)", flags.target))
		}
	}
	if flags.most < 0 {
		return scenarios.Plan{}, usage(fmt.Errorf("--max-time: must be above 0, got %s", flags.most))
	}
	if flags.budget > 0 {
		s.Budget.Requests = flags.budget
	}
	plan, err := scenarios.Compile(s, p.compileOptions(flags))
	return plan, usage(err)
}

// compileOptions are what the flags say of the plan of a new run.
func (p process) compileOptions(flags settings) scenarios.CompileOptions {
	run := ulid.MustNew(ulid.Timestamp(p.now()), ulid.DefaultEntropy()).String()
	return scenarios.CompileOptions{
		Run: run, Seed: flags.seed, Target: flags.target, Groups: flags.groups, Thorough: flags.thorough,
		Patience: p.patience, TimeScale: flags.scale, MaxTime: flags.most,
	}
}
