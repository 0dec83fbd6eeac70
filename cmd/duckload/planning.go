package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"duckload/scenarios"
)

func (p process) planCommand() *cobra.Command {
	var s settings
	c := &cobra.Command{
		Use:   "plan [SCENARIO]",
		Short: "What run would send, how long it takes, and what it can decide",
		Long: `Prints what run would send: each step with its requests and the rejections
that are expected, what it creates on the target, and for each check whether
this plan can decide it and how finely. Nothing is sent.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			scenario, err := p.load(args)
			if err != nil {
				return err
			}
			return p.printPlan(scenario, s)
		},
	}
	s.flags(c)
	return c
}

func (p process) printPlan(scenario *scenarios.Scenario, s settings) error {
	plan, err := p.compile(scenario, s)
	if err != nil {
		return err
	}
	return writeTo(p.stdout, planText(plan))
}

// planText is a plan as a person reads it.
func planText(plan scenarios.Plan) string {
	d := scenarios.Describe(plan, 0)
	var b strings.Builder
	fmt.Fprintf(&b, "%s → %s: %d senders, %s, about %s\n", plan.Scenario.Name, plan.Scenario.Target, len(plan.Lanes), requestsOf(plan), seconds(d.Duration))
	for _, c := range d.Creates {
		fmt.Fprintf(&b, "creates on the target: at most %d × %s\n", c.Most, c.What)
	}
	if n := plan.ErrandRequests(); n > 0 {
		fmt.Fprintf(&b, "setup and teardown: %d requests for %d senders\n", n, len(plan.Errands()))
	}
	for _, left := range plan.Dropped {
		fmt.Fprintf(&b, "left out to fit into the time: %s\n", left)
	}
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\ngroup\tat\ttakes\trequests\trejected\tstep\twhy\n")
	for _, step := range d.Steps {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\t%s\n", step.Group, seconds(step.From), seconds(step.Takes), step.Requests, step.Rejections, step.Label, step.Why)
	}
	w.Flush()
	fmt.Fprintf(w, "\ngroup\tcheck\tdecides\thow finely\n")
	for _, a := range d.Abilities {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", a.Group, a.Check, yes(a.Decides), a.Detail)
	}
	w.Flush()
	return b.String()
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "NO"
}

func seconds(d time.Duration) string {
	if d >= time.Minute {
		return d.Round(time.Second).String()
	}
	return fmt.Sprintf("%.1fs", d.Seconds())
}
