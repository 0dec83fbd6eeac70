package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"duckload/fleet"
)

func (p process) collectCommand() *cobra.Command {
	var access fleet.Access
	var out string
	var quiet time.Duration
	var fail, formats []string
	c := &cobra.Command{
		Use:   "collect RUN --nats URL",
		Short: "Collect and judge a fleet's run whose coordinator is gone",
		Long: `Collects from the bus what the agents of a run have recorded, judges it, and
writes a report. RUN is the id of the run, which agents print and which is the
name of its folder on each of them. It waits for agents that are still to hand
in their records, until nothing has come for --quiet-for.

Records that are only on the agents' disks are put together by duckload merge.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			on, err := parseFailOn(fail)
			outs, wrong := parseFormats(formats)
			if err := errors.Join(err, wrong); err != nil {
				return usage(err)
			}
			if access.URL == "" {
				return usage(errors.New("--nats: say where the fleet met (nats://host:4222 or tls://host:4222)"))
			}
			return p.collect(c.Context(), args[0], access, quiet, destination{parent: out, outs: p.automatic(outs)}, on)
		},
	}
	accessFlags(c, &access)
	c.Flags().StringVar(&out, "out", "results", "folder for the run's own folder")
	c.Flags().DurationVar(&quiet, "quiet-for", 10*time.Second, "how long to wait for more")
	c.Flags().StringSliceVar(&fail, "fail-on", []string{"fail", "inconclusive"}, "outcomes that end with a failure: fail, inconclusive, none")
	formatFlag(c, &formats, "report.html and verdict.json are always written; ")
	return c
}

func (p process) collect(ctx context.Context, run string, access fleet.Access, quiet time.Duration, to destination, on failOn) error {
	if err := fleet.CheckName(run); err != nil {
		return usage(fmt.Errorf("RUN: %w", err))
	}
	bus, err := dialBus(ctx, p.access(access, "collect"), quiet)
	if err != nil {
		return err
	}
	defer bus.Close()
	if err := to.outs.prepare(); err != nil {
		return err
	}
	dir, err := makeRunDir(to.parent, run, p.now())
	if err != nil {
		return failure{status: exitUsage, err: fmt.Errorf("--out: %w", err)}
	}
	missing, err := fleet.CollectAgain(ctx, bus, run, filepath.Join(dir, observationsDir), quiet)
	if errors.Is(err, fleet.ErrNothing) {
		return errors.Join(usage(fmt.Errorf("the bus keeps nothing of run %s", run)), os.RemoveAll(dir))
	}
	if err != nil {
		return failure{status: exitStopped, err: err}
	}
	for _, m := range missing {
		fmt.Fprintf(p.stderr, "duckload: missing: %s\n", printable(m))
	}
	return lacking(missing, p.conclude(ctx, dir, nil, to.outs, on))
}
