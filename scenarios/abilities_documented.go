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
	if len(p.Expect) > 0 {
		var names []string
		for _, e := range p.Expect {
			names = append(names, e.Identity)
		}
		asked := slices.ContainsFunc(a.phases, func(p Phase) bool { return p.Pace == expect.Name })
		a.either("error.expected", asked, fmt.Sprintf("one answer each for %s", strings.Join(names, ", ")), "nobody asks; give the plan more time")
	}
}
