package report

import (
	"fmt"
	"io"
	"time"

	"duckload/analyze"
	"duckload/limiter"
)

// An Identification is what was found out about a limiter that nobody
// documented.
type Identification struct {
	Target    string
	Sentences []string // the first one is the answer
	Answers   []string // where there are several
	Requests  []Asked  // in order of sending
	Tool      string
}

// An Asked is one request of it.
type Asked struct {
	At      time.Duration
	Outcome limiter.Outcome
}

// Identified writes a page: the answer, a picture of what was asked and what
// came of it, and what else is known. No sentence of it is markup.
func Identified(w io.Writer, i Identification) error {
	s := sheet{Title: printable(i.Target), Tool: i.Tool}
	if len(i.Sentences) > 0 {
		s.Sentence = printable(i.Sentences[0])
		explains := part{ID: "explains", Heading: "What explains it"}
		for _, line := range i.Answers {
			explains.List = append(explains.List, printable(line))
		}
		if len(i.Answers) > 0 {
			s.Parts = append(s.Parts, explains)
		}
		known := part{ID: "known", Heading: "What else is known"}
		for _, line := range i.Sentences[1:] {
			known.List = append(known.List, printable(line))
		}
		s.Parts = append(s.Parts, known)
	}
	if len(i.Requests) > 0 {
		f, err := timeFigure(analyze.Group{Name: "probe", Timeline: i.timeline()}, "asked")
		if err != nil {
			return err
		}
		s.Parts = append(s.Parts, part{ID: "asked-at", Heading: "What was asked", Figure: &f})
		s.Facts = append(s.Facts, fmt.Sprintf("%s requests", thousands(len(i.Requests))))
	}
	return s.html(w)
}

// timeline counts the requests in at most 150 bins of whole hundredths of a
// second.
func (i Identification) timeline() analyze.Timeline {
	end := time.Duration(0)
	for _, r := range i.Requests {
		end = max(end, r.At)
	}
	const unit = 10 * time.Millisecond
	bin := (end/150/unit + 1) * unit
	n := int(end/bin) + 1
	t := analyze.Timeline{Bin: bin, Offered: make([]int, n), Admitted: make([]int, n), Rejected: make([]int, n), Unknown: make([]int, n)}
	for _, r := range i.Requests {
		at := int(r.At / bin)
		t.Offered[at]++
		switch r.Outcome {
		case limiter.Admitted:
			t.Admitted[at]++
		case limiter.Rejected:
			t.Rejected[at]++
		default:
			t.Unknown[at]++
		}
	}
	return t
}
