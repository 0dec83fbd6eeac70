package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"duckload/docs/schemas"
	"duckload/scenarios"
)

func (p process) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema [NAME]",
		Short: "The JSON Schemas of what duckload reads and writes; without a name, the list",
		Long: `Prints the JSON Schema (draft 7) of a file that duckload reads or writes.

An editor with YAML support checks and completes a scenario whose first line is

  # yaml-language-server: $schema=scenario.schema.json`,
		Example: `  duckload schema scenario > scenario.schema.json`,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			var names []string
			var list strings.Builder
			for _, s := range schemas.All {
				if len(args) > 0 && s.Name == args[0] {
					return writeTo(p.stdout, string(s.Text()))
				}
				names = append(names, s.Name)
				fmt.Fprintf(&list, "%-9s %s\n", s.Name, s.Doc)
			}
			if len(args) > 0 {
				return usage(fmt.Errorf("no schema is called %q%s (have %s)", args[0], scenarios.DidYouMean(args[0], names), strings.Join(names, ", ")))
			}
			return writeTo(p.stdout, list.String())
		},
	}
}
