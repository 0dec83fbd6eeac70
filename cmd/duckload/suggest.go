package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"duckload/scenarios"
)

// Mistyped commands and flags: the nearest one is named in the same line, as
// it is for the keys of a scenario.

// suggestFlags makes every command name the flag that was probably meant.
func suggestFlags(root *cobra.Command) {
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		var unknown *pflag.NotExistError
		if !errors.As(err, &unknown) || unknown.GetSpecifiedShortnames() != "" {
			return fmt.Errorf("%w (see %s --help)", err, c.CommandPath())
		}
		var names []string
		c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
		return fmt.Errorf("%w%s (see %s --help)", err, scenarios.DidYouMean("--"+unknown.GetSpecifiedName(), names), c.CommandPath())
	})
}

var unknownCommand = regexp.MustCompile(`^unknown command "(.*)" for "duckload"$`)

// suggestCommand adds the command that was probably meant to cobra's error,
// which has no type of its own.
func suggestCommand(root *cobra.Command, err error) error {
	if err == nil {
		return nil
	}
	found := unknownCommand.FindStringSubmatch(err.Error())
	if found == nil {
		return err
	}
	var names []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return usage(fmt.Errorf("unknown command %q%s (have %s)", found[1], scenarios.DidYouMean(found[1], names), strings.Join(names, ", ")))
}
