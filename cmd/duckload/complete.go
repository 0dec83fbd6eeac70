package main

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"duckload/analyze"
	"duckload/docs/schemas"
	"duckload/emulator"
	"duckload/limiter"
	"duckload/report"
	"duckload/scenarios"
)

// What a shell offers when Tab is pressed. Completion reads files and never
// talks to a network.

type completer = func(c *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective)

// complete gives each command and each flag what a shell may offer.
func (p process) complete(root *cobra.Command) {
	runs, scenario := completeRuns, completeScenarios
	for name, first := range map[string]completer{
		"run": scenario, "plan": scenario, "check": scenario,
		"analyze": runs, "report": runs, "export": runs,
		"explain": words(checkWords()), "schema": words(schemaWords()),
	} {
		if c, _, err := root.Find([]string{name}); err == nil {
			c.ValidArgsFunction = onlyFirst(first)
		}
	}
	for _, c := range root.Commands() {
		for name, flag := range map[string]completer{
			"format": listed(formatWords()), "fail-on": listed([]cobra.Completion{"fail", "inconclusive", "none"}),
			"group": p.completeGroups, "target": words([]cobra.Completion{scenarios.Emulator}), "scenario": scenario,
			"to": words(exportWords()), "limiter": words(modelWords()), "defect": words(defectWords()), "variation": words(variationWords()),
		} {
			if c.Flags().Lookup(name) != nil {
				_ = c.RegisterFlagCompletionFunc(name, flag) // fails only where another is registered
			}
		}
	}
}

// words offers a few words.
func words(all []cobra.Completion) completer {
	return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return all, cobra.ShellCompDirectiveNoFileComp
	}
}

// listed offers words for the last item of a list with commas.
func listed(all []cobra.Completion) completer {
	return func(_ *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		before := begun[:strings.LastIndex(begun, ",")+1]
		var offers []cobra.Completion
		for _, word := range all {
			offers = append(offers, before+word)
		}
		return offers, cobra.ShellCompDirectiveNoFileComp
	}
}

func onlyFirst(offer completer) completer {
	return func(c *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return offer(c, args, begun)
	}
}

// completeScenarios offers the built-in scenarios, YAML files, and the folders
// that lead to more.
func completeScenarios(_ *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var offers []cobra.Completion
	for _, name := range scenarios.BuiltIns {
		offers = append(offers, cobra.CompletionWithDesc(name, "built in"))
	}
	return offerPaths(offers, begun, func(path string) bool {
		return slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(path))
	})
}

// completeRuns offers folders that hold a record, the newest first, and the
// folders that lead to more.
func completeRuns(_ *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var offers []cobra.Completion
	if begun == "" {
		runs, _ := filepath.Glob(filepath.Join("results", "*", observationsDir))
		slices.Reverse(runs)
		for _, run := range runs {
			offers = append(offers, filepath.Dir(run))
		}
	}
	offers, directive := offerPaths(offers, begun, func(path string) bool { return isDir(filepath.Join(path, observationsDir)) })
	return offers, directive | cobra.ShellCompDirectiveKeepOrder
}

// offerPaths adds what is wanted of the files that begin like begun. Other
// folders end with a slash, for more to follow.
func offerPaths(offers []cobra.Completion, begun string, wanted func(string) bool) ([]cobra.Completion, cobra.ShellCompDirective) {
	folder, _ := filepath.Split(begun)
	entries, _ := os.ReadDir(cmp.Or(folder, "."))
	var folders []cobra.Completion
	for _, e := range entries {
		switch path := folder + e.Name(); {
		case strings.HasPrefix(e.Name(), ".") && folder == begun:
		case wanted(path):
			if !slices.Contains(offers, path) {
				offers = append(offers, path)
			}
		case isDir(path):
			folders = append(folders, path+"/")
		}
	}
	other := func(offer cobra.Completion) bool { return !strings.HasPrefix(offer, begun) }
	offers, folders = slices.DeleteFunc(offers, other), slices.DeleteFunc(folders, other)
	if len(offers) == 0 {
		return folders, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
	return append(offers, folders...), cobra.ShellCompDirectiveNoFileComp
}

// completeGroups offers the groups of the scenario on the command line.
func (p process) completeGroups(c *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	s, err := p.load(args)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var all []cobra.Completion
	for _, g := range s.Groups {
		var limits []string
		for _, l := range g.Promise.Limits {
			limits = append(limits, l.String())
		}
		all = append(all, cobra.CompletionWithDesc(g.Name, strings.Join(limits, " and ")))
	}
	return listed(all)(c, args, begun)
}

func checkWords() (all []cobra.Completion) {
	for _, check := range analyze.Checks {
		all = append(all, cobra.CompletionWithDesc(check.ID, check.Question))
	}
	return all
}

func formatWords() (all []cobra.Completion) {
	for _, f := range report.Formats {
		all = append(all, cobra.CompletionWithDesc(f.Name, f.Doc))
	}
	return all
}

func schemaWords() (all []cobra.Completion) {
	for _, s := range schemas.All {
		all = append(all, cobra.CompletionWithDesc(s.Name, s.Doc))
	}
	return all
}

func exportWords() (all []cobra.Completion) {
	for _, f := range exportFormats {
		all = append(all, cobra.CompletionWithDesc(f.name, f.doc))
	}
	return all
}

func modelWords() (all []cobra.Completion) {
	for _, m := range limiter.Models {
		all = append(all, cobra.CompletionWithDesc(m.Name, m.Doc))
	}
	return all
}

func defectWords() (all []cobra.Completion) {
	for _, d := range emulator.Defects {
		all = append(all, cobra.CompletionWithDesc(d.Name, d.Doc))
	}
	return all
}

func variationWords() (all []cobra.Completion) {
	for _, v := range emulator.Variations {
		all = append(all, cobra.CompletionWithDesc(v.Name, v.Doc))
	}
	return all
}
