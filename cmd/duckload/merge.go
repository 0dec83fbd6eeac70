package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"duckload/fleet"
	"duckload/history"
)

func (p process) mergeCommand() *cobra.Command {
	var out string
	var fail, formats []string
	c := &cobra.Command{
		Use:   "merge DIR…",
		Short: "Unite what the agents of a fleet recorded, and judge it",
		Long: `Unites the records of a run's agents from copied folders, and judges the whole:
no server and no network are needed. Each DIR is a run's folder, one with the
folders of several agents, or one agent's folder. They may be given in any order,
several times, in parts, or torn: what is whole somewhere counts once.

What is nowhere is listed, and the checks that it could change are inconclusive:
a smaller number is never taken for the whole. The digest names what was observed.
It is the same for the same observations, however they came here.`,
		Example: `  scp -r lab1:duckload/run-7 from-lab1; scp -r lab2:duckload/run-7 from-lab2
  duckload merge from-lab1 from-lab2 -o run-7`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			on, err := parseFailOn(fail)
			outs, wrong := parseFormats(formats)
			if err := errors.Join(err, wrong); err != nil {
				return usage(err)
			}
			if err := outs.prepare(); err != nil {
				return err
			}
			return p.merge(c.Context(), args, out, outs, on)
		},
	}
	c.Flags().StringVarP(&out, "out", "o", "", "the new folder of the whole run (default results/<time>-merged)")
	formatFlag(c, &formats, "")
	c.Flags().StringSliceVar(&fail, "fail-on", []string{"fail", "inconclusive"}, "outcomes that end with a failure: fail, inconclusive, none")
	return c
}

func (p process) merge(ctx context.Context, from []string, out string, outs outputs, on failOn) error {
	if out == "" {
		dir, err := makeRunDir("results", "merged", p.now())
		if err != nil {
			return failure{status: exitStopped, err: err}
		}
		out = dir
	} else if entries, err := os.ReadDir(out); err == nil && len(entries) > 0 {
		return usage(fmt.Errorf("%s is there already and not empty: name a new folder", out))
	}
	notes, err := fleet.Merge(filepath.Join(out, observationsDir), from)
	if err == nil {
		err = p.tellMerged(out, outs, notes)
	}
	if err != nil {
		os.RemoveAll(filepath.Join(out, observationsDir))
		os.Remove(out) // if it is empty
		return usage(err)
	}
	return p.conclude(ctx, out, nil, outs, on)
}

// tellMerged says what was united, and keeps the scenario beside it.
func (p process) tellMerged(out string, outs outputs, notes []string) error {
	h, err := history.Open(filepath.Join(out, observationsDir))
	if err != nil {
		return err
	}
	digest, err := h.Digest()
	if err != nil {
		return err
	}
	for _, n := range notes {
		fmt.Fprintf(p.stderr, "duckload: %s\n", printable(n))
	}
	var names []string
	for _, a := range h.Header.Agents {
		names = append(names, a.Name)
	}
	if err := os.WriteFile(filepath.Join(out, scenarioFile), []byte(h.Header.Source), 0o644); err != nil {
		return err
	}
	return writeTo(p.talk(outs), fmt.Sprintf("merged  %s\nagents  %s\ndigest  %s\n", printable(out), printable(strings.Join(names, ", ")), digest))
}
