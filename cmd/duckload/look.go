package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"duckload/analyze"
	"duckload/scenarios"
)

// The commands that send nothing.

func (p process) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check SCENARIO",
		Short: "Is the scenario file right? Every mistake with its place",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := p.load(args)
			if err != nil {
				return err
			}
			if _, err := p.compile(s, settings{}); err != nil {
				return err
			}
			return writeTo(p.stdout, fmt.Sprintf("%s: no mistakes: %d groups\n", s.Path, len(s.Groups)))
		},
	}
}

func (p process) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain [CHECK]",
		Short: "What a check means and how it decides; without a name, the list",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			var b strings.Builder
			if len(args) == 0 {
				for _, check := range analyze.Checks {
					fmt.Fprintf(&b, "%-24s %s\n", check.ID, check.Question)
				}
				return writeTo(p.stdout, b.String())
			}
			var ids []string
			for _, check := range analyze.Checks {
				ids = append(ids, check.ID)
				if check.ID == args[0] {
					return writeTo(p.stdout, explained(check))
				}
			}
			return usage(fmt.Errorf("no check is called %q%s (see duckload explain)", args[0], scenarios.DidYouMean(args[0], ids)))
		},
	}
}

// explained is all that there is to say about a check.
func explained(check analyze.Check) string {
	return fmt.Sprintf("%s: %s\n\n%s\n\nEvery verdict about limits rests on these assumptions:\n\n- %s\n",
		check.ID, check.Question, strings.TrimSpace(check.Doc), strings.Join(analyze.Assumptions, "\n- "))
}

// ends turns an exit status into what a command returns.
func ends(status int) error {
	if status == exitPass {
		return nil
	}
	return failure{status: status}
}
