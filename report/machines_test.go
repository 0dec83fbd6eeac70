package report

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"duckload/analyze"
)

// Every format of every sample is in testdata, as a person would see it.
func TestVerdictsForMachines(t *testing.T) {
	names := map[string]string{
		"junit": ".junit.xml", "markdown": ".md", "ndjson": ".ndjson", "prometheus": ".prom", "github": ".github.txt",
	}
	for _, f := range Formats {
		ending := names[f.Name]
		if ending == "" {
			continue // has a test of its own
		}
		for _, s := range samples {
			golden(t, s.name+ending, written(t, func(w io.Writer) error { return f.Write(w, s.report()) }))
		}
		if f.Name != "ndjson" { // which has a value of a million bytes as it is
			golden(t, "hostile"+ending, written(t, func(w io.Writer) error { return f.Write(w, hostileEverywhere()) }))
		}
	}
	golden(t, "hostile.txt", []byte(summaryOf(t, hostileEverywhere(), 0, false)))
}

// What a server says can neither break out of a format nor command what reads
// it: no format but the page of HTML holds a control character, an invalid
// byte or a header value of a million bytes in full.
func TestNoFormatObeysAServer(t *testing.T) {
	for _, f := range Formats {
		text := written(t, func(w io.Writer) error { return f.Write(w, hostileEverywhere()) })
		if !utf8.Valid(text) {
			t.Errorf("%s: not UTF-8", f.Name)
		}
		for _, r := range string(text) {
			if r != '\n' && unseen(r) {
				t.Errorf("%s: holds %U", f.Name, r)
				break
			}
		}
		if f.Name != "json" && f.Name != "ndjson" && len(text) > 1<<20 {
			t.Errorf("%s: %d bytes, want at most 1 MiB", f.Name, len(text))
		}
		for line := range strings.Lines(string(text)) {
			if f.Name != "github" && (strings.HasPrefix(strings.TrimSpace(line), "::") || strings.Contains(line, "##[") && f.Name == "text") {
				t.Errorf("%s: a runner would obey %.80q", f.Name, line)
			}
		}
	}
}

// Jenkins takes a status that it does not know for a pass.
func TestJUnitCountsEveryCheckOnce(t *testing.T) {
	for _, s := range samples {
		r := s.report()
		var got junitSuites
		if err := xml.Unmarshal(written(t, func(w io.Writer) error { return writeJUnit(w, r) }), &got); err != nil {
			t.Fatal(err)
		}
		pass, fail, inconclusive := tally(r.Findings.Groups)
		if !r.Findings.Run.Complete {
			inconclusive++ // the case that says so
		}
		if got.Tests != pass+fail+inconclusive || got.Failures != fail || got.Errors != inconclusive {
			t.Errorf("%s: got %d tests, %d failures, %d errors, want %d, %d, %d", s.name, got.Tests, got.Failures, got.Errors, pass+fail+inconclusive, fail, inconclusive)
		}
		names := map[string]bool{}
		for _, suite := range got.Suites {
			for _, c := range suite.Cases {
				if id := c.Class + "/" + c.Name; names[id] {
					t.Errorf("%s: two cases are called %s", s.name, id)
				} else {
					names[id] = true
				}
			}
		}
	}
}

// A promise may hold several limits, each judged by the same check.
func TestJUnitTellsLimitsOfOneCheckApart(t *testing.T) {
	r := passing()
	g := &r.Findings.Groups[0]
	g.Findings = append(g.Findings, analyze.Finding{Check: "limit.ceiling", Outcome: analyze.Pass, Message: "the second limit"})
	s := junit(r).Suites[0]
	if got, want := s.Cases[len(s.Cases)-1].Name, "limit.ceiling (2)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestHostileTextIsNoMarkdown(t *testing.T) {
	r := failing()
	r.Findings.Groups[0].Name = "<img src=x>|`x`[a](http://evil.example)"
	r.Findings.Groups[1].Findings[3].Message = "```\n</details><script>alert(1)</script> @everybody ![](http://evil.example)"
	doc := string(written(t, func(w io.Writer) error { return writeMarkdown(w, r) }))
	fence := ""
	for line := range strings.Lines(doc) {
		line = strings.TrimSuffix(line, "\n")
		ticks := line[:len(line)-len(strings.TrimLeft(line, "`"))]
		switch {
		case fence == "" && len(ticks) >= 3:
			fence = ticks
		case fence != "" && line == fence:
			fence = ""
		case fence != "":
		case strings.Contains(line, "<script"), strings.Contains(line, "@everybody"), strings.Contains(strings.ReplaceAll(line, `\<`, ""), "<img"):
			t.Errorf("markup outside of a block: %s", line)
		}
	}
	if fence != "" {
		t.Errorf("a block is not closed:\n%s", doc)
	}
	if want := `\<img src=x\>\|\` + "`x\\`" + `\[a\](http://evil.example)`; !strings.Contains(doc, want) {
		t.Errorf("the name is not shown as %s:\n%s", want, doc)
	}
}

func TestAnyTextStaysInItsBlock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.RuneFrom([]rune("`a <\n\x00~"))).Draw(t, "text")
		for _, shown := range []string{block([]string{printable(s)}), code(s)} {
			if !utf8.ValidString(shown) {
				t.Fatalf("%q: got %q, which is no UTF-8", s, shown)
			}
		}
		got := block([]string{printable(s)})
		fence := got[:strings.Index(got, "text\n")]
		if strings.Count(got, fence) != 2 {
			t.Fatalf("%q: got %q, want the fence at both ends only", s, got)
		}
	})
}

// Whatever a server says, an annotation is one command in one line, and says
// what was said.
func TestAnAnnotationIsOneCommand(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.RuneFrom([]rune("%:,\n\r=a #[]{}\x00"))).Draw(t, "text")
		message := rapid.StringOf(rapid.RuneFrom([]rune("%:\n\r0AaD"))).Draw(t, "message")
		got := Annotation("error", text, 3, 0, text, message)
		if strings.Count(got, "\n") != 1 || strings.Contains(got, "\r") || !strings.HasSuffix(got, "\n") {
			t.Fatalf("got %q, want one line", got)
		}
		head, tail, _ := strings.Cut(strings.TrimPrefix(strings.TrimSuffix(got, "\n"), "::"), "::")
		if back := strings.NewReplacer("%25", "%", "%0D", "\r", "%0A", "\n").Replace(tail); back != message {
			t.Fatalf("got the message %q, want %q", back, message)
		}
		properties := strings.Split(strings.TrimPrefix(head, "error "), ",")
		want := 3
		if text == "" {
			want = 1 // no file, and so no line
		}
		if len(properties) != want {
			t.Fatalf("got the properties %q, want %d", properties, want)
		}
	})
}
