package analyze

import (
	"fmt"
	"slices"

	"duckload/english"
)

// whole reports whether nothing can be missing that counts where a group does.
func (j *judgement) whole(group int) bool {
	h := j.history
	if h.End != nil && len(h.Missing) == 0 {
		return true
	}
	counter := h.Header.Groups[group].Counter
	for i, g := range h.Header.Groups {
		if g.Counter == counter && (i >= len(h.Lost) || h.Lost[i]) {
			return false
		}
	}
	return true
}

// spared says of which groups nothing is missing, if something is of others.
func (j *judgement) spared() string {
	var names []string
	lost := false
	for i, g := range j.history.Header.Groups {
		if j.whole(i) {
			names = append(names, g.Name)
		} else {
			lost = true
		}
	}
	if !lost || len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("what is missing is not of %s", list(names))
}

func (j *judgement) caveats() []string {
	all := slices.Concat(j.history.Missing, j.history.Notes)
	if said := j.spared(); said != "" {
		all = append(all, said)
	}
	for _, a := range j.history.Header.Agents {
		if a.Unbounded != "" {
			all = append(all, fmt.Sprintf("%s: its moments cannot be set beside the others': %s", a.Name, a.Unbounded))
		}
	}
	switch end := j.history.End; {
	case end == nil:
		all = append(all, "the record breaks off: what was sent last may be missing")
	default:
		if end.Reason != "" {
			all = append(all, "the run ended early: "+end.Reason)
		}
		all = append(all, end.Notes...)
	}
	if j.resent > 0 {
		all = append(all, fmt.Sprintf("%s sent again by the transport: each attempt may have been counted", english.Count(j.resent, "request was")))
	}
	return all
}
