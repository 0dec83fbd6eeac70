package analyze

import (
	"fmt"

	"duckload/english"
)

// sentence is the verdict in plain words.
func sentence(f Findings) string {
	checks, failed, open := 0, 0, 0
	var where, unsure []string
	for _, g := range f.Groups {
		checks += len(g.Findings)
		for _, x := range g.Findings {
			switch x.Outcome {
			case Fail:
				failed++
			case Inconclusive:
				open++
			}
		}
		switch g.Outcome {
		case Fail:
			where = append(where, g.Name)
		case Inconclusive:
			unsure = append(unsure, g.Name)
		}
	}
	switch f.Outcome {
	case Fail:
		return fmt.Sprintf("%d of %d checks fail: %s not what is documented", failed, checks, isAre(where))
	case Inconclusive:
		return fmt.Sprintf("nothing fails, but %d of %d checks could not be decided (%s)", open, checks, list(unsure))
	}
	if checks == 0 {
		return fmt.Sprintf("%s, nothing was judged: the scenario asks for no check (verify: false)", english.Count(len(f.Groups), "group"))
	}
	return fmt.Sprintf("%s, %s: the target keeps its promise", english.Count(len(f.Groups), "group"), english.Count(checks, "check holds"))
}

func isAre(names []string) string {
	if len(names) == 1 {
		return names[0] + " is"
	}
	return list(names) + " are"
}
