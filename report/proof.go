package report

import (
	"fmt"
	"slices"
	"strings"

	"duckload/analyze"
)

// A proofView is the evidence behind a failed check.
type proofView struct {
	Anchor, Group, Check, Message, Sentence string
	Requests, Rest                          []requestView // the rest is folded away
	More                                    string
	Curl, CurlNote                          string
}

// A requestView is one request of a proof.
type requestView struct{ Sent, Answered, Status, Outcome, Sender, Phase, Number, Said string }

// shownAtOnce is how many requests of a proof can be seen without a click.
const shownAtOnce = 5

func proofAnchor(group, finding int) string { return fmt.Sprintf("proof-%d-%d", group+1, finding+1) }

func proofs(r Report) []proofView {
	var all []proofView
	for i, g := range r.Findings.Groups {
		for k, f := range g.Findings {
			if f.Outcome != analyze.Fail {
				continue
			}
			p := proofView{Anchor: proofAnchor(i, k), Group: printable(g.Name), Check: f.Check, Message: sentence(f.Message)}
			if f.Witness != nil {
				p.witness(r, i, f)
			}
			all = append(all, p)
		}
	}
	return all
}

func (p *proofView) witness(r Report, group int, f analyze.Finding) {
	w := f.Witness
	if !strings.Contains(f.Message, w.Sentence) {
		p.Sentence = sentence(w.Sentence)
	}
	for _, e := range distinct(w.Requests) {
		p.Requests = append(p.Requests, requestOf(r, e, tellsTime(f.Check)))
	}
	if n := len(p.Requests); n > shownAtOnce+1 {
		p.Requests, p.Rest = p.Requests[:shownAtOnce], p.Requests[shownAtOnce:]
	}
	if w.More > 0 {
		p.More = plural(w.More, "more request")
	}
	if len(w.Requests) > 0 {
		p.Curl, p.CurlNote = curl(r, group, w.Requests[len(w.Requests)-1])
	}
}

// distinct leaves out what a witness lists more than once: one rejection may be
// the first half of several pairs.
func distinct(all []analyze.Evidence) []analyze.Evidence {
	var once []analyze.Evidence
	for _, e := range all {
		if !slices.ContainsFunc(once, func(o analyze.Evidence) bool { return o.Lane == e.Lane && o.Seq == e.Seq && o.Sent == e.Sent }) {
			once = append(once, e)
		}
	}
	return once
}

// tellsTime reports whether a check has to do with the moment that an answer
// was made; else its Date would only take room.
func tellsTime(check string) bool {
	return strings.HasPrefix(check, "retry_after.") || check == "headers"
}

func requestOf(r Report, e analyze.Evidence, dated bool) requestView {
	status := "none"
	if e.Status != 0 {
		status = fmt.Sprint(e.Status)
	}
	var said []string
	for _, f := range e.Fields {
		if strings.EqualFold(f.Name, "Date") && !dated {
			continue
		}
		said = append(said, printable(f.Name)+": "+clipped(f.Value, 200))
	}
	return requestView{
		when(e.Sent), when(e.Answered), status, e.Outcome.String(), printable(laneName(r.Header, e.Lane)),
		printable(phaseName(r.Header, e.Phase)), fmt.Sprint(e.Seq), strings.Join(said, " · "),
	}
}

// curl is a line that sends the like of one request again, and what must be
// added by hand. Bodies and credentials are not kept: they may be secrets.
func curl(r Report, group int, e analyze.Evidence) (line, note string) {
	if group >= len(r.Header.Groups) || e.Request < 0 || e.Request >= len(r.Header.Groups[group].Requests) {
		return "", ""
	}
	method, path, ok := strings.Cut(r.Header.Groups[group].Requests[e.Request], " ")
	if !ok {
		return "", ""
	}
	line = "curl -i"
	var add []string
	if method != "GET" {
		line += " -X " + quoted(method)
		add = append(add, "the body")
	}
	if e.Lane >= 0 && e.Lane < len(r.Header.Lanes) {
		lane := r.Header.Lanes[e.Lane]
		if lane.Source != "" {
			line += " --interface " + quoted(lane.Source)
		}
		if lane.Identity != "" {
			add = append(add, "the headers of the identity "+printable(lane.Identity))
		}
	}
	line += " " + quoted(strings.TrimSuffix(r.Header.Target, "/")+path)
	if len(add) > 0 {
		note = "Add " + strings.Join(add, " and ") + ", as the scenario has them."
	}
	return line, note
}

// quoted makes text one word of a shell. Inside single quotes a shell reads
// everything as it is, except the quote itself.
func quoted(s string) string {
	s = printable(s)
	plain := func(c rune) bool {
		return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("-_./:@%+=,", c)
	}
	if s != "" && strings.TrimFunc(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
