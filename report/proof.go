package report

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"duckload/analyze"
	"duckload/history"
)

// A proofView is the evidence behind a failed check.
type proofView struct {
	Anchor, Group, Check, Message, Sentence string
	Requests, Rest                          []requestView // the rest is folded away
	More                                    string
	Curl, CurlNote                          string
	Listed                                  bool // too many: only the finding is shown
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
// known before. Credentials are variables of the shell: no record holds them.
func curl(r Report, group int, e analyze.Evidence) (line, note string) {
	if group >= len(r.Header.Groups) || e.Request < 0 || e.Request >= len(r.Header.Groups[group].Requests) {
		return "", ""
	}
	g := r.Header.Groups[group]
	method, path, ok := strings.Cut(g.Requests[e.Request], " ")
	if !ok {
		return "", ""
	}
	words, add := []string{"curl -i"}, []string{}
	known := e.Request < len(g.Curl)
	switch {
	case known && g.Curl[e.Request].Options != "":
		words = append(words, printable(g.Curl[e.Request].Options))
	case !known && method != "GET":
		words = append(words, "-X "+quoted(method))
		add = append(add, "the body")
	}
	if e.Lane >= 0 && e.Lane < len(r.Header.Lanes) {
		lane := r.Header.Lanes[e.Lane]
		if lane.Source != "" {
			words = append(words, "--interface "+quoted(lane.Source))
		}
		switch {
		case lane.Curl != "":
			words = append(words, printable(lane.Curl))
		case lane.Identity != "" && !known:
			add = append(add, "the headers of the identity "+printable(lane.Identity))
		}
		if lane.Trick != "" {
			add = append(add, "the disguise: "+printable(lane.Trick))
		}
	}
	if known {
		words = append(words, quoted(strings.TrimSuffix(r.Header.Target, "/"))+printable(g.Curl[e.Request].Path))
	} else {
		words = append(words, quoted(strings.TrimSuffix(r.Header.Target, "/")+path))
	}
	line = strings.Join(words, " ")
	return line, curlNote(r.Header, line, add)
}

// variables are those of a shell that have no default: "$KEY".
var variables = regexp.MustCompile(`"\$([A-Za-z_][A-Za-z0-9_]*)"`)

// curlNote says what somebody must do before a line works.
func curlNote(h history.Header, line string, add []string) string {
	var all []string
	var unset []string
	for _, m := range variables.FindAllStringSubmatch(line, -1) {
		if !slices.Contains(unset, m[1]) {
			unset = append(unset, m[1])
		}
	}
	if len(unset) > 0 {
		all = append(all, "Set "+strings.Join(unset, ", ")+" first: this page holds no secret.")
	}
	if len(add) > 0 {
		all = append(all, "Add "+strings.Join(add, " and ")+", as the scenario has them.")
	}
	if h.Emulator {
		all = append(all, "The run's own emulator is gone: duckload emulate starts another one, at an address that it prints.")
	}
	return strings.Join(all, " ")
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
