package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"duckload/fleet"
	"duckload/history"
	"duckload/scenarios"
)

func (p process) agentCommand() *cobra.Command {
	var a fleet.Agent
	var access fleet.Access
	var files string
	c := &cobra.Command{
		Use:   "agent --nats URL --name NAME",
		Short: "Send parts of plans from this machine, as part of a fleet",
		Long: `Waits for orders on the bus and sends this machine's part of each run. The
record is written to --dir first and copied over the bus second: what a lost
bus keeps back is handed in later, at the latest when the agent is started
again.

An agent contacts nobody but loopback and the hosts of its own --allow-host,
and sends no more than its own --budget and --max-time, whatever the orders
say. What a scenario reads from the environment and from files is read here,
below --files: it must be the same as at the coordinator. A docs/fleet.md
describes it all.`,
		Example: `  duckload agent --nats tls://bus.example:4222 --name ams-1 --allow-host api.example.com
  duckload run scenario.yaml --agents 3 --nats tls://bus.example:4222`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := agentMistakes(a, access); err != nil {
				return usage(err)
			}
			return p.serveAgent(c.Context(), a, access, files)
		},
	}
	accessFlags(c, &access)
	c.Flags().StringVar(&a.Name, "name", hostName(), "of this agent, unlike that of any other")
	c.Flags().StringVar(&a.Dir, "dir", "agent", "folder for this agent's records")
	c.Flags().StringVar(&files, "files", ".", "folder of the files that scenarios read")
	c.Flags().StringSliceVar(&a.Allow, "allow-host", nil, "a host that this agent may contact beside loopback, if the order allows it too")
	c.Flags().IntVar(&a.Budget.Requests, "budget", 0, "the most requests that this agent sends in one run; 0: as the order says")
	c.Flags().DurationVar(&a.Budget.Duration, "max-time", 0, "the most time that this agent sends for in one run; 0: as the order says")
	c.Flags().StringVar(&a.Run, "run", "", "take part in this run alone, and end with it")
	return c
}

// hostName is this machine's name as far as an agent may be called that.
func hostName() string {
	name, err := os.Hostname()
	if err != nil || fleet.CheckName(name) != nil {
		return ""
	}
	return name
}

func agentMistakes(a fleet.Agent, access fleet.Access) error {
	var wrong []error
	if access.URL == "" {
		wrong = append(wrong, errors.New("--nats: say where the fleet meets (nats://host:4222 or tls://host:4222)"))
	}
	if err := fleet.CheckName(a.Name); err != nil {
		wrong = append(wrong, fmt.Errorf("--name: %w", err))
	}
	if a.Budget.Requests < 0 || a.Budget.Duration < 0 {
		wrong = append(wrong, errors.New("--budget and --max-time: must not be below 0"))
	}
	return errors.Join(wrong...)
}

// serveAgent answers until a signal comes, or the one run has ended.
func (p process) serveAgent(ctx context.Context, a fleet.Agent, access fleet.Access, files string) error {
	patience := time.Duration(forEver)
	if a.Run != "" {
		patience = time.Minute
	}
	bus, err := dialBus(ctx, p.access(access, "agent "+a.Name), patience)
	if err != nil {
		return err
	}
	defer bus.Close()
	a.Version = version
	a.Seen = bus.Seen
	a.Env = func(string) scenarios.Env {
		env := scenarios.Process(files)
		env.Lookup = p.lookup
		return env
	}
	a.Header = headerOf
	a.Watch = func(h history.Header, stop context.CancelCauseFunc) func(history.Observation) {
		first := firstAnswersOf(h, stop)
		return first.look
	}
	a.Say = func(format string, args ...any) {
		fmt.Fprintf(p.stderr, "%s\n", printable(fmt.Sprintf(format, args...)))
	}
	if err := a.Serve(ctx, bus); err != nil {
		return failure{status: exitUnusable, err: err}
	}
	return ends(signalled(ctx))
}

// forEver is how long an agent waits for a bus: it may be started before it.
// One that is there for a run alone waits a minute.
const forEver = 1 << 62

// dialBus connects to a bus.
func dialBus(ctx context.Context, a fleet.Access, within time.Duration) (*fleet.Nats, error) {
	if err := a.Check(); err != nil {
		return nil, usage(fmt.Errorf("--nats: %w", err))
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	bus, err := fleet.Dial(ctx, a)
	if err != nil {
		return nil, failure{status: exitUnusable, err: err}
	}
	return bus, nil
}
