package main

import (
	"os"
	"path/filepath"
	"strings"

	"duckload/scenarios"
)

// builtIn is what the commands use when no scenario is named.
const builtIn = "space-duck"

// load reads the scenario that the arguments name: a file, the name of a
// built-in one, or nothing for the Space Duck table.
func (p process) load(args []string) (*scenarios.Scenario, error) {
	name := builtIn
	if len(args) > 0 {
		name = args[0]
	}
	env := scenarios.Process(filepath.Dir(name))
	env.Lookup = p.lookup
	text, err := os.ReadFile(name)
	if err != nil && !strings.ContainsAny(name, `./\`) {
		s, inner := scenarios.BuiltIn(name, env)
		return s, usage(inner)
	}
	if err != nil {
		return nil, usage(err)
	}
	s, err := scenarios.Load(name, text, env)
	return s, usage(err)
}

// usage gives an error the status of wrong input, and leaves nil as it is.
func usage(err error) error {
	if err == nil {
		return nil
	}
	return failure{status: exitUsage, err: err}
}
