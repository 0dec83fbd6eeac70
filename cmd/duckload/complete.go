package main

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

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
	checks := described(explanations(), func(e explanation) (string, string) { return e.id, e.question })
	published := described(schemas.All, func(s schemas.Schema) (string, string) { return s.Name, s.Doc })
	for name, offer := range map[string]completer{
		"run": completeScenarios, "plan": completeScenarios, "check": completeScenarios,
		"analyze": completeRuns, "report": completeRuns, "export": completeRuns, "compare": completeRuns,
		"explain": words(checks), "schema": words(published),
	} {
		if c, _, err := root.Find([]string{name}); err == nil {
			c.ValidArgsFunction = offer
			if c.Args(c, []string{"one", "two"}) != nil {
				c.ValidArgsFunction = onlyFirst(offer)
			}
		}
	}
	for _, c := range root.Commands() {
		for name, offer := range p.flagOffers(c.Name()) {
			if c.Flags().Lookup(name) != nil {
				_ = c.RegisterFlagCompletionFunc(name, offer) // fails only where another is registered
			}
		}
	}
}

// flagOffers are what a shell may offer for the flags of a command.
func (p process) flagOffers(command string) map[string]completer {
	return map[string]completer{
		"format":    listed(formatWords(command)),
		"fail-on":   listed([]cobra.Completion{"fail", "inconclusive", "none"}),
		"group":     p.completeGroups,
		"target":    words([]cobra.Completion{scenarios.Emulator}),
		"scenario":  completeScenarios,
		"script":    listed(scriptWords()),
		"to":        words(described(exportFormats, func(f exportFormat) (string, string) { return f.name, f.doc })),
		"limiter":   words(described(limiter.Models, func(m limiter.Model) (string, string) { return m.Name, m.Doc })),
		"defect":    listed(described(emulator.Defects, func(d emulator.Defect) (string, string) { return d.Name, d.Doc })),
		"variation": listed(described(emulator.Variations, func(v emulator.Variation) (string, string) { return v.Name, v.Doc })),
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

// scriptWords are the scripts that come with duckload.
func scriptWords() []cobra.Completion {
	return described(scenarios.Scripts, func(name string) (string, string) {
		s, _ := scenarios.BuiltInScript(name) // they are compiled in
		return name, s.Doc
	})
}

// described are the names of a list, each with what it is.
func described[T any](list []T, of func(T) (name, doc string)) []cobra.Completion {
	var all []cobra.Completion
	for _, x := range list {
		name, doc := of(x)
		all = append(all, cobra.CompletionWithDesc(name, doc))
	}
	return all
}

// formatWords are the formats that a command writes.
func formatWords(command string) []cobra.Completion {
	switch command {
	case "compare":
		return described(report.CompareFormats, func(f report.DocumentFormat[report.CompareReport]) (string, string) { return f.Name, f.Doc })
	case "client-check":
		return described(report.ClientFormats, func(f report.DocumentFormat[report.ClientCheck]) (string, string) { return f.Name, f.Doc })
	case "size":
		return described(report.SizingFormats, func(f report.DocumentFormat[report.Sizing]) (string, string) { return f.Name, f.Doc })
	}
	return described(report.Formats, func(f report.Format) (string, string) { return f.Name, f.Doc })
}
