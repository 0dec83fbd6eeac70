package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"duckload/emulator"
	"duckload/english"
	"duckload/fleet"
	"duckload/scenarios"
)

// runFleet is the whole line with many senders: plan, call agents together,
// follow them, judge, report.
func (p process) runFleet(ctx context.Context, scenario *scenarios.Scenario, s settings, crew crew, to destination, on failOn) error {
	if err := errors.Join(crew.check(p), to.outs.atOnce()); err != nil {
		return usage(err)
	}
	access := p.access(crew.access, "run")
	order, plan, err := p.order(scenario, s, crew)
	if err != nil {
		return err
	}
	if plan.Scenario.Webhooks != nil {
		return usage(errors.New("webhooks arrive at one machine: a run of several agents does not listen for them (run without --agents, or leave webhooks out)"))
	}
	if err := mayTravel(plan.Scenario, access, crew); err != nil {
		return err
	}
	target, err := p.aim(ctx, plan, emulator.Webhooks{})
	if err != nil {
		return err
	}
	defer target.close()
	order.Target, order.Emulator = target.url, target.serve != nil
	if err := to.outs.prepare(); err != nil {
		return err
	}
	dir, err := makeRunDir(to.parent, scenario.Name, p.now())
	if err != nil {
		return failure{status: exitUsage, err: fmt.Errorf("--out: %w", err)}
	}
	var here *ownFleet
	if crew.local() {
		if here, err = p.startOwn(dir, plan.Run, filepath.Dir(scenario.Path), crew.agents); err != nil {
			return discard(dir, failure{status: exitUnusable, err: err})
		}
		defer here.close()
		access = here.access()
	}
	bus, err := dialBus(ctx, access, crew.wait)
	if err != nil {
		return discard(dir, err)
	}
	defer bus.Close()
	c := &fleet.Coordinator{Bus: bus, Run: plan.Run, Version: version, Agents: crew.agents, Wait: crew.wait, Say: p.teller(to.quiet)}
	defer c.Close()
	if plan, err = p.muster(ctx, c, bus, order, plan, scenario); err != nil {
		return discard(dir, err)
	}
	if err := writePlan(dir, plan); err != nil {
		return discard(dir, failure{status: exitUsage, err: err})
	}
	missing, err := p.followFleet(ctx, c, plan, crew, dir, target.name, here.ended(), to.quiet)
	if err != nil {
		return err
	}
	for _, m := range missing {
		fmt.Fprintf(p.stderr, "duckload: missing: %s\n", printable(m))
	}
	if len(missing) == 0 {
		p.tidy(bus, plan.Run, here)
	}
	return lacking(missing, p.conclude(ctx, dir, nil, to.outs, on))
}

// lacking is how a run ends that ended as err says, but for what is missing.
func lacking(missing []string, err error) error {
	if s := status(err); len(missing) > 0 && (s == exitPass || s == exitInconclusive) {
		return ends(exitStopped)
	}
	return err
}

// order is what agents are told to do, and the plan that it comes to.
func (p process) order(scenario *scenarios.Scenario, s settings, crew crew) (fleet.Order, scenarios.Plan, error) {
	plan, err := p.compile(scenario, s)
	if err != nil {
		return fleet.Order{}, plan, err
	}
	compile := p.compileOptions(s)
	compile.Run, compile.Agents = plan.Run, crew.agents
	if plan, err = scenarios.Compile(scenario, compile); err != nil {
		return fleet.Order{}, plan, usage(err)
	}
	// Read again, under the eyes of a witness: agents must read the same.
	env := scenarios.Process(filepath.Dir(scenario.Path))
	env.Lookup = p.lookup
	world := fleet.NewWitness(plan.Run, env)
	if _, err := scenarios.Load(scenario.Path, scenario.Text, world.Env()); err != nil {
		return fleet.Order{}, plan, usage(err)
	}
	return fleet.Order{
		Path: scenario.Path, Text: string(scenario.Text), Compile: compile, Budget: plan.Scenario.Budget,
		Allow: append(plan.Scenario.AllowHosts, s.allow...), Digest: fleet.PlanDigest(plan), World: world.Name(),
	}, plan, nil
}

// mayTravel refuses to send a scenario where others could read a secret that
// stands in it, and to send agents elsewhere to an emulator on this machine.
func mayTravel(s *scenarios.Scenario, access fleet.Access, crew crew) error {
	if crew.local() {
		return nil
	}
	if !access.Private() && !bytes.Equal(s.Masked(), s.Text) {
		return failure{status: exitRefused, err: fmt.Errorf("%s holds a credential in its text, which would travel to the agents without TLS (write ${env:NAME}, which each agent reads for itself, or use tls://)", s.Path)}
	}
	if u, err := url.Parse(access.URL); s.Target == scenarios.Emulator && (err != nil || !fleet.Loopback(u.Hostname())) {
		return usage(errors.New("the emulator of a run serves this machine alone: agents elsewhere cannot reach it (give --target, or run --agents without --nats)"))
	}
	return nil
}

// muster calls the agents together, gives them their orders, and has the bus
// keep what they will record. It returns the plan, which has more to ask where
// the target sees each of them under an address of its own.
func (p process) muster(ctx context.Context, c *fleet.Coordinator, bus *fleet.Nats, order fleet.Order, plan scenarios.Plan, scenario *scenarios.Scenario) (scenarios.Plan, error) {
	preparing, cancel := context.WithTimeout(ctx, c.Wait)
	defer cancel()
	if err := bus.Prepare(preparing); err != nil {
		return plan, failure{status: exitUnusable, err: err}
	}
	agents, err := c.Gather(ctx)
	if err != nil {
		return plan, beforeStart(ctx, refusedStatus(err), err)
	}
	order.Compile.Apart, order.Compile.Homes = fleet.Apart(agents, order.Target), fleet.Homes(agents, plan.SourcesElsewhere())
	if order.Compile.Apart || len(order.Compile.Homes) > 0 {
		if plan, err = scenarios.Compile(scenario, order.Compile); err != nil {
			return plan, usage(err)
		}
		order.Digest = fleet.PlanDigest(plan)
	}
	if err := c.Order(ctx, order, plan); err != nil {
		return plan, beforeStart(ctx, refusedStatus(err), err)
	}
	return plan, nil
}

// beforeStart is why a fleet did not start.
func beforeStart(ctx context.Context, status int, err error) error {
	if s := signalled(ctx); s != 0 {
		return failure{status: s, err: errors.New("interrupted: nothing was sent")}
	}
	return failure{status: status, err: err}
}

// refusedStatus is the exit status for what agents refused.
func refusedStatus(err error) int {
	var r fleet.Refusal
	if !errors.As(err, &r) {
		return exitUnusable
	}
	switch r.Kind {
	case fleet.Guarded:
		return exitRefused
	case fleet.Mistaken:
		return exitUsage
	}
	return exitUnusable
}

// followFleet starts the agents and collects what they record.
func (p process) followFleet(ctx context.Context, c *fleet.Coordinator, plan scenarios.Plan, crew crew, dir, target string, gone <-chan string, quiet bool) ([]string, error) {
	if !quiet {
		fmt.Fprintf(p.stderr, "%s: %s, %s, about %s, from %s → %s\n",
			plan.Scenario.Name, english.Count(groupsOf(plan), "group"), requestsOf(plan), clock(plan.Duration()), english.Count(crew.agents, "agent"), target)
	}
	shown := newProgress(p.screen(), quiet, trackViews(plan), plan.Scenario.Budget)
	c.Progress = shown.event
	defer context.AfterFunc(ctx, shown.interrupted)()
	into := fleet.NewCollector(filepath.Join(dir, observationsDir))
	_, err := c.Start(ctx, crew.lead, setupTime(plan))
	if err != nil {
		shown.close()
		return nil, discard(dir, beforeStart(ctx, exitUnusable, err))
	}
	missing, err := c.Follow(ctx, into, plan.Duration(), gone)
	shown.close()
	if err != nil {
		return nil, failure{status: exitStopped, err: err}
	}
	return missing, nil
}

// groupsOf counts the groups that a plan sends something of.
func groupsOf(plan scenarios.Plan) int {
	groups := map[int]bool{}
	for _, l := range plan.Lanes {
		groups[l.Group] = true
	}
	return len(groups)
}

// setupTime is how long the agents may need before the start.
func setupTime(plan scenarios.Plan) time.Duration {
	return min(time.Minute, time.Duration(plan.ErrandRequests())*250*time.Millisecond)
}

// tidy removes what is on this machine twice, and on the bus.
func (p process) tidy(bus *fleet.Nats, run string, here *ownFleet) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := fleet.Forget(ctx, bus, run)
	if here != nil {
		here.close()
		err = here.remove()
	}
	if err != nil {
		fmt.Fprintf(p.stderr, "duckload: what is no longer needed could not be removed: %v\n", err)
	}
}

// teller says to people what the fleet does.
func (p process) teller(quiet bool) func(string, ...any) {
	return func(format string, args ...any) {
		if !quiet {
			fmt.Fprintf(p.stderr, "%s\n", printable(fmt.Sprintf(format, args...)))
		}
	}
}

// discard removes the folder of a run that sent nothing.
func discard(dir string, err error) error { return errors.Join(err, os.RemoveAll(dir)) }
