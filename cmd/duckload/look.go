package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"duckload/analyze"
	"duckload/clients"
	"duckload/english"
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
			return writeTo(p.stdout, fmt.Sprintf("%s: no mistakes: %s\n", s.Path, english.Count(len(s.Groups), "group")))
		},
	}
}

func (p process) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain [CHECK]",
		Short: "What a check means and how it decides; without a name, the list",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			all := explanations()
			if len(args) == 0 {
				var b strings.Builder
				for _, e := range all {
					fmt.Fprintf(&b, "%-24s %s\n", e.id, e.question)
				}
				return writeTo(p.stdout, b.String())
			}
			var ids []string
			for _, e := range all {
				ids = append(ids, e.id)
				if e.id == args[0] {
					return writeTo(p.stdout, e.text())
				}
			}
			return usage(fmt.Errorf("no check is called %q%s (see duckload explain)", args[0], scenarios.DidYouMean(args[0], ids)))
		},
	}
}

// An explanation is what there is to say about a check.
type explanation struct {
	id, question, doc string
	assumptions       []string
}

// explanations are those of every check, of servers and of clients.
func explanations() []explanation {
	var all []explanation
	for _, c := range analyze.Checks {
		all = append(all, explanation{c.ID, c.Question, c.Doc, analyze.Assumptions})
	}
	for _, c := range clients.Checks {
		all = append(all, explanation{id: c.ID, question: c.Question, doc: c.Doc})
	}
	return all
}

func (e explanation) text() string {
	text := fmt.Sprintf("%s: %s\n\n%s\n", e.id, e.question, strings.TrimSpace(e.doc))
	if len(e.assumptions) > 0 {
		text += "\nEvery verdict about limits rests on these assumptions:\n\n- " + strings.Join(e.assumptions, "\n- ") + "\n"
	}
	return text
}

// ends turns an exit status into what a command returns.
func ends(status int) error {
	if status == exitPass {
		return nil
	}
	return failure{status: status}
}
