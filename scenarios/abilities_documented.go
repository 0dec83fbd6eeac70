package scenarios

import (
	"fmt"
	"slices"
	"strings"
)

// documented says what of the error table a plan can decide.
func (a *account) documented() {
	p := a.group.Promise
	if p.Errors.JSON != "" {
		refused := slices.ContainsFunc(a.phases, func(p Phase) bool { return p.Rejections > 0 || p.Pace == expect.Name })
		a.either("error.table", refused, "every answer that carries a code", "nothing is expected to be refused; add a burst of 100% + 2")
	}
	if len(p.Effects) > 0 {
		looks := 0
		for _, phase := range a.phases {
			if phase.Pace == effects.Name {
				looks = phase.Count
			}
		}
		const missing = "nothing is looked at; give the plan more time"
		a.either("reject.effect_free", looks > 0, fmt.Sprintf("looks at %d rejected requests", looks), missing)
		a.either("admit.once", looks > 0, "looks at "+several(alsoAdmitted(Phase{Count: looks}), "admitted request"), missing)
	}
	if len(p.Expect) > 0 {
		var names []string
		for _, e := range p.Expect {
			names = append(names, e.Identity)
		}
		asked := slices.ContainsFunc(a.phases, func(p Phase) bool { return p.Pace == expect.Name })
		a.either("error.expected", asked, fmt.Sprintf("one answer each for %s", strings.Join(names, ", ")), "nobody asks; give the plan more time")
	}
}
