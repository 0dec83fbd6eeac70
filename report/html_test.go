package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"duckload/analyze"
	"duckload/history"
	"duckload/limiter"
)

func pageBytes(t *testing.T, r Report) []byte {
	t.Helper()
	return written(t, func(w io.Writer) error { return writeHTML(w, r) })
}

// With REPORT_PAGES=DIR the pages of the samples are kept there, to be looked at.
func TestPagesAreSmallAndTheSameEachTime(t *testing.T) {
	dir := os.Getenv("REPORT_PAGES")
	if dir == "" {
		dir = t.TempDir()
	}
	for _, s := range samples {
		doc := pageBytes(t, s.report())
		if len(doc) > 1_500_000 {
			t.Errorf("%s: got %d bytes, want at most 1.5 MB", s.name, len(doc))
		}
		if !bytes.Equal(doc, pageBytes(t, s.report())) {
			t.Errorf("%s: the same findings gave other bytes", s.name)
		}
		if err := os.WriteFile(filepath.Join(dir, s.name+".html"), doc, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestThePolicyForbidsAllButTheStyleAndTheScript(t *testing.T) {
	doc := string(pageBytes(t, failing()))
	if strings.Count(doc, "<style>") != 1 || !strings.Contains(doc, "<style>"+styleSheet+"</style>") {
		t.Error("the style is not in the page byte for byte, so its hash is another")
	}
	if strings.Count(doc, "<script>") != 1 || !strings.Contains(doc, "<script>"+script+"</script>") {
		t.Error("the script is not in the page byte for byte, so its hash is another")
	}
	for _, want := range []string{`http-equiv="Content-Security-Policy"`, "default-src &#39;none&#39;", "style-src &#39;sha256-", "script-src &#39;sha256-"} {
		if !strings.Contains(doc, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Index(doc, "Content-Security-Policy") > strings.Index(doc, "<style>") {
		t.Error("the policy stands after what it governs")
	}
}

// Nothing in the page could ask the network for something.
func TestThePageFetchesNothing(t *testing.T) {
	for _, s := range samples {
		doc := string(pageBytes(t, s.report()))
		for _, pattern := range []string{`<(img|link|iframe|object|embed|form|base|audio|video)\b`, `\ssrc=["']`, `\son[a-z]+=["']`, `\sstyle="`, `url\(`, `@import`, `href="[^#]`} {
			if hit := regexp.MustCompile(pattern).FindString(doc); hit != "" {
				t.Errorf("%s: the page holds %q", s.name, hit)
			}
		}
	}
}

// What a server sent is there to be read, and nothing else.
func TestHostileAnswersAreText(t *testing.T) {
	doc := string(pageBytes(t, failing()))
	for _, want := range []string{
		"&lt;script&gt;alert(1)&lt;/script&gt;", `6\x1b[31m\x00\u202e\xff`, "&lt;img src=http://evil.example/x onerror=alert(2)&gt;",
	} {
		if !strings.Contains(doc, want) {
			t.Errorf("the page does not show %s", want)
		}
	}
	for _, r := range doc {
		if r != '\n' && unseen(r) {
			t.Errorf("the page holds %U", r)
		}
	}
}

// evil is what a server or a stranger's file may hold anywhere.
const evil = "</title></style></script></svg><script>alert(1)</script>\x1b[2J\xff"

// evilReport is a report whose every text is hostile, with a header of a megabyte.
func evilReport() Report {
	r := failing()
	f := &r.Findings
	f.Sentence, f.Run.Scenario, f.Run.Target, f.Run.Reason, f.Run.Complete, r.Tool = evil, evil, evil, evil, false, evil
	f.Caveats, f.Assumptions = []string{evil}, []string{evil}
	f.Sending.Errors = []analyze.ErrorCount{{Class: evil, N: 1}}
	r.Header.Target = evil
	r.Header.Groups[0].Requests = []string{"GET " + evil}
	r.Header.Groups[0].Curl = []history.Curl{{Options: evil, Path: evil}}
	r.Header.Lanes[0].Identity, r.Header.Lanes[0].Source, r.Header.Lanes[0].Curl, r.Header.Phases[0].Label = evil, evil, evil, evil
	g := &f.Groups[0]
	g.Name, g.Lanes = evil, []string{evil}
	for i := range g.Findings {
		g.Findings[i].Message = evil
	}
	g.Findings[0].Witness.Sentence = evil
	g.Findings[0].Witness.Requests[0].Fields = limiter.Fields{{Name: evil, Value: strings.Repeat(evil, 20_000)}}
	g.Shown.Levels[0].Lanes = []string{evil}
	g.Shown.Scope.Senders[0].Name, g.Shown.Scope.Scopes[0].Why = evil, evil
	g.Shown.Headers[0].Says, g.Shown.Headers[0].Why = evil, evil
	return r
}

func TestEveryNameMayBeHostile(t *testing.T) {
	r := evilReport()
	doc := string(pageBytes(t, r))
	if strings.Contains(doc, "\x1b") || strings.Count(doc, "<script") != 1 || !strings.Contains(doc, "<script>"+script+"</script>") {
		t.Error("the page holds an escape, or another script than its own")
	}
	if got, want := strings.Count(doc, "</title>"), 1+strings.Count(doc, "<svg "); got != want {
		t.Errorf("got %d titles closed, want %d", got, want)
	}
	if len(doc) > 1_500_000 {
		t.Errorf("a megabyte in a header made a page of %d bytes", len(doc))
	}
}

var svgs = regexp.MustCompile(`(?s)<svg .*?</svg>`)

func TestEveryPictureHasANameAndFewMarks(t *testing.T) {
	for _, s := range samples {
		doc := string(pageBytes(t, s.report()))
		all := svgs.FindAllString(doc, -1)
		if len(all) < 2+3*5 { // a hero and six groups; one of them has nothing to time
			t.Errorf("%s: got %d pictures", s.name, len(all))
		}
		ids := map[string]bool{}
		for _, svg := range all {
			p, err := readPicture(svg)
			if err != nil {
				t.Fatalf("%s: %v in\n%.300s", s.name, err, svg)
			}
			if p.role != "img" || p.title == "" || p.desc == "" || p.labelled != p.titleID+" "+p.descID {
				t.Errorf("%s: got role %q, title %q, description %q, labelled by %q", s.name, p.role, p.title, p.desc, p.labelled)
			}
			if ids[p.titleID] {
				t.Errorf("%s: the id %s is used twice", s.name, p.titleID)
			}
			ids[p.titleID] = true
			if p.marks == 0 || p.marks > 1500 {
				t.Errorf("%s: %s has %d marks, want 1 to 1,500", s.name, p.title, p.marks)
			}
		}
		if figures, twins := strings.Count(doc, "<figure>"), strings.Count(doc, "The numbers behind this picture"); figures == 0 || figures != twins {
			t.Errorf("%s: got %d tables for %d figures", s.name, twins, figures)
		}
	}
}

type readSVG struct {
	role, labelled, title, titleID, desc, descID string
	marks                                        int
}

// readPicture parses an SVG strictly, and counts what it draws: each subpath
// of a path is a mark.
func readPicture(svg string) (readSVG, error) {
	var p readSVG
	dec := xml.NewDecoder(strings.NewReader(svg))
	open := ""
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return p, nil
		}
		if err != nil {
			return p, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			open = t.Name.Local
			a := map[string]string{}
			for _, attr := range t.Attr {
				a[attr.Name.Local] = attr.Value
			}
			switch open {
			case "svg":
				p.role, p.labelled = a["role"], a["aria-labelledby"]
			case "title":
				p.titleID = a["id"]
			case "desc":
				p.descID = a["id"]
			case "path":
				p.marks += strings.Count(a["d"], "M")
			}
			if (open == "path" || open == "text") && a["class"] == "" {
				return p, fmt.Errorf("a %s has no class, so no colour", open)
			}
		case xml.CharData:
			switch open {
			case "title":
				p.title += string(t)
			case "desc":
				p.desc += string(t)
			}
		case xml.EndElement:
			open = ""
		}
	}
}

func TestTheLongestTimelineHasFewMarks(t *testing.T) {
	r := passing()
	tl := &r.Findings.Groups[0].Timeline
	*tl = analyze.Timeline{Bin: time.Minute}
	for i := range 300 {
		tl.Offered = append(tl.Offered, 3*i)
		tl.Admitted, tl.Rejected, tl.Unknown = append(tl.Admitted, i+1), append(tl.Rejected, i%7), append(tl.Unknown, i%5)
	}
	for _, svg := range svgs.FindAllString(string(pageBytes(t, r)), -1) {
		if p, err := readPicture(svg); err != nil || p.marks > 1500 {
			t.Errorf("%s: got %d marks, %v", p.title, p.marks, err)
		}
	}
}

// A group that was never reached has no picture, and no place at the top.
func TestAGroupWithoutRequestsSaysSo(t *testing.T) {
	r := passing()
	g := &r.Findings.Groups[0]
	*g = analyze.Group{Name: g.Name, Promise: g.Promise, Outcome: analyze.Fail, Timeline: analyze.Timeline{Bin: time.Millisecond}}
	if got := byWeight(r.Findings.Groups)[0]; got != 5 {
		t.Errorf("got group %d at the top, want 5, which was asked most", got)
	}
	doc := string(pageBytes(t, r))
	if strings.Count(doc, "No request was sent.") != 1 || strings.Contains(doc, `id="group-1-time`) {
		t.Error("the page draws what never happened")
	}
}

func TestAnEmptyRunHasAPage(t *testing.T) {
	doc := string(pageBytes(t, Report{Findings: analyze.Findings{Outcome: analyze.Inconclusive, Groups: []analyze.Group{{Name: "metrics", Outcome: analyze.Inconclusive}}}}))
	if !strings.Contains(doc, "INCONCLUSIVE") {
		t.Error("the page does not say INCONCLUSIVE")
	}
}

func TestACurlLineSurvivesTheShell(t *testing.T) {
	for raw, want := range map[string]string{
		"http://127.0.0.1:1/a": "http://127.0.0.1:1/a",
		"a b":                  "'a b'",
		"a'; rm -rf ~ #":       `'a'\''; rm -rf ~ #'`,
		"$(id)":                "'$(id)'",
		"":                     "''",
		"a\n\x1b":              `'a\n\x1b'`,
		"-x&y":                 "'-x&y'",
	} {
		if got := quoted(raw); got != want {
			t.Errorf("%q: got %s, want %s", raw, got, want)
		}
	}
}
