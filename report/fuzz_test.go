package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"duckload/analyze"
	"duckload/history"
	"duckload/limiter"
)

// FuzzText puts text into every place that a server, or whoever wrote the
// scenario, can choose. No format obeys it, and no terminal. One of them is
// tried at a time, on a small report: the page takes as long as
// hundreds of others.
func FuzzText(f *testing.F) {
	for _, s := range []string{
		evil, "\x1b]0;owned\a\r\n::error::owned\x00\u202e", "]]><x/>", "```\n@everybody ![](http://evil.example)", "%0A::stop-commands::x", "{{.}}${x}$(id)`id`",
		"\u2028\u2029\u0085\ufeff\U000e0041", "\xed\xa0\x80\xff\xfe", "a\nb{c=\"d\\", "</script><!--", "##[error]", "##vso[task.setvariable]x", "::error::x", "' or 1=1 --",
	} {
		for place := range len(Formats) + 1 {
			f.Add(s, "X-Ratelimit-Limit", byte(place))
			f.Add("plain", s, byte(place))
		}
	}
	f.Fuzz(func(t *testing.T, text, name string, place byte) {
		if len(text)+len(name) > 1<<12 {
			return
		}
		to := int(place) % (len(Formats) + 1)
		r := withText(text, name)
		r.Findings.Groups, r.Header.Groups, r.Header.Lanes, r.Header.Phases = r.Findings.Groups[:2], r.Header.Groups[:2], r.Header.Lanes[:2], r.Header.Phases[:2]
		if to == len(Formats) {
			inTerminal(t, r)
			return
		}
		var b bytes.Buffer
		if err := Formats[to].Write(&b, r); err != nil {
			t.Fatalf("%s: %v", Formats[to].Name, err)
		}
		harmless(t, Formats[to].Name, b.Bytes())
	})
}

// inTerminal checks that a summary commands no terminal, however wide.
func inTerminal(t *testing.T, r Report) {
	for _, width := range []int{0, 20, 80} {
		var b bytes.Buffer
		if err := Summary(&b, r, width, true); err != nil {
			t.Fatal(err)
		}
		for _, rest := range strings.Split(b.String(), "\x1b[")[1:] { // what is left are our own colours
			if code, _, ok := strings.Cut(rest, "m"); !ok || strings.Trim(code, "0123456789;") != "" {
				t.Errorf("the terminal is commanded: %q", rest[:min(len(rest), 20)])
			}
		}
	}
}

// withText is the failing sample with text in it wherever text can come from
// elsewhere.
func withText(text, name string) Report {
	r := failing()
	f := &r.Findings
	f.Sentence += text
	f.Run.Scenario, f.Run.Target, f.Run.Reason, f.Run.Complete = text, text, text, false
	f.Caveats, f.Assumptions = []string{text}, []string{text}
	f.Sending.Errors = []analyze.ErrorCount{{Class: text, N: 1}}
	r.Header.Target, r.Header.Scenario, r.Header.File = text, text, text
	r.Header.Groups[0].Requests = []string{"GET " + text}
	r.Header.Groups[0].Curl = []history.Curl{{Options: text, Path: text}}
	r.Header.Lanes[0].Identity, r.Header.Lanes[0].Curl, r.Header.Phases[0].Label = text, text, text
	for i := range f.Groups {
		g := &f.Groups[i]
		g.Name += text
		r.Header.Groups[i].Name = g.Name
		for k := range g.Findings {
			g.Findings[k].Message += text
		}
	}
	w := f.Groups[1].Findings[3].Witness
	w.Sentence += text
	w.Requests[0].Fields = limiter.Fields{{Name: name, Value: text}}
	return r
}

// harmless checks that a document is what its format says, and nothing else.
func harmless(t *testing.T, format string, doc []byte) {
	if !utf8.Valid(doc) {
		t.Errorf("%s: not UTF-8", format)
	}
	for _, r := range string(doc) {
		if r != '\n' && unseen(r) {
			t.Errorf("%s: holds %U", format, r)
			break
		}
	}
	switch format {
	case "json":
		if !json.Valid(doc) {
			t.Error("verdict.json is no JSON")
		}
	case "ndjson":
		for line := range bytes.Lines(doc) {
			if !json.Valid(line) {
				t.Errorf("an event is no JSON: %q", line)
			}
		}
	case "junit":
		decode := xml.NewDecoder(bytes.NewReader(doc))
		for {
			token, err := decode.Token()
			if err == io.EOF {
				return
			}
			start, ok := token.(xml.StartElement)
			if err != nil || ok && !strings.Contains(" testsuites testsuite properties property testcase failure error system-out ", " "+start.Name.Local+" ") {
				t.Fatalf("junit.xml: %v, %v", token, err)
			}
		}
	case "github":
		for line := range strings.Lines(string(doc)) {
			if !strings.HasPrefix(line, "::error ") && !strings.HasPrefix(line, "::warning ") && !strings.HasPrefix(line, "::notice ") {
				t.Errorf("a runner would obey %q", line)
			}
		}
	case "html":
		if bytes.Count(doc, []byte("<script")) != 1 || bytes.Count(doc, []byte("<img")) != 0 || bytes.Count(doc, []byte("<iframe")) != 0 {
			t.Error("the page holds an element of somebody else's")
		}
	default:
		for line := range strings.Lines(string(doc)) {
			if start := strings.TrimSpace(line); strings.HasPrefix(start, "::") || strings.HasPrefix(start, "##[") || strings.HasPrefix(start, "##vso[") {
				t.Errorf("%s: a runner would obey %.80q", format, line)
			}
		}
	}
}
