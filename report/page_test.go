package report

import (
	"html"
	"regexp"
	"strings"
	"testing"

	"duckload/analyze"
	"duckload/history"
	"duckload/limiter"
)

var (
	unread = regexp.MustCompile(`(?s)<style>.*?</style>|<script>.*?</script>|<details><summary>The numbers behind.*?</details>`)
	drawn  = regexp.MustCompile(`(?s)<svg .*?<title[^>]*>(.*?)</title><desc[^>]*>(.*?)</desc>.*?</svg>`)
	cells  = regexp.MustCompile(`</(td|th|dt)>`)
	breaks = regexp.MustCompile(`</?(p|li|h[1-6]|tr|div|section|article|figcaption|pre|dd|summary|header|main|footer|ul|title|br|label|option)\b[^>]*>`)
	tags   = regexp.MustCompile(`<[^>]*>`)
	blanks = regexp.MustCompile(`[ \t]+`)
)

// textOf is what a page says, a line for each of its parts: pictures are their
// titles and descriptions.
func textOf(doc string) string {
	doc = unread.ReplaceAllString(doc, "")
	doc = drawn.ReplaceAllString(doc, "<p>[$1: $2]</p>")
	doc = cells.ReplaceAllString(doc, " | ")
	doc = breaks.ReplaceAllString(doc, "\n")
	doc = html.UnescapeString(tags.ReplaceAllString(doc, ""))
	var b strings.Builder
	for line := range strings.SplitSeq(doc, "\n") {
		line = strings.TrimSuffix(strings.TrimSpace(blanks.ReplaceAllString(line, " ")), " |")
		if line != "" {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

func TestWhatThePagesSay(t *testing.T) {
	for _, s := range samples {
		golden(t, s.name+".page.txt", []byte(textOf(string(pageBytes(t, s.report())))))
	}
}

// Pictures are the same to the byte on every machine.
func TestWhatThePicturesAre(t *testing.T) {
	doc := string(pageBytes(t, failing()))
	for _, name := range []string{"time-wide", "level-1-narrow", "latency-narrow", "plane", "waits", "spectrum"} {
		for _, svg := range svgs.FindAllString(doc, -1) {
			if strings.Contains(svg, `aria-labelledby="group-1-`+name+`-t `) {
				golden(t, "fail."+name+".svg", []byte(strings.ReplaceAll(svg, "><", ">\n<")+"\n"))
			}
		}
	}
}

// Whoever shows this page to others gives no credential away, and can still try
// what it says.
func TestACurlLineNamesTheVariablesItNeeds(t *testing.T) {
	r := failing()
	got, note := curl(r, 1, r.Findings.Groups[1].Findings[3].Witness.Requests[0])
	want := `curl -i -X POST -H 'Content-Type: application/json' --data '{"email":"duck@example.com"}' --interface 127.0.0.2 -H 'Authorization: Bearer '"$BEAK_KEY" http://127.0.0.1:41377/beak/signup`
	if got != want || note != "Set BEAK_KEY first: this page holds no secret." {
		t.Errorf("got %s\n%s\nwant %s", got, note, want)
	}
	// A record of an older version says less.
	r.Header.Groups[1].Curl, r.Header.Lanes[1].Curl, r.Header.Lanes[1].Trick = nil, "", "forged X-Forwarded-For"
	got, note = curl(r, 1, r.Findings.Groups[1].Findings[3].Witness.Requests[0])
	if want := "curl -i -X POST --interface 127.0.0.2 http://127.0.0.1:41377/beak/signup"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if want := "Add the body and the headers of the identity beak and the disguise: forged X-Forwarded-For, as the scenario has them."; note != want {
		t.Errorf("got %s, want %s", note, want)
	}
}

func TestAWitnessThatRepeatsARequestShowsItOnce(t *testing.T) {
	a, b := analyze.Evidence{Seq: 1}, analyze.Evidence{Seq: 2}
	if got := distinct([]analyze.Evidence{a, b, a, b, b}); len(got) != 2 {
		t.Errorf("got %d requests, want 2", len(got))
	}
}

// A page of many groups stays a page that can be sent by mail: the pictures of
// those that matter least are left out.
func TestAPageOfManyGroupsIsSmall(t *testing.T) {
	r := failing()
	f := &r.Findings
	for len(f.Groups) < 150 {
		f.Groups = append(f.Groups, f.Groups[len(f.Groups)%6])
		r.Header.Groups = append(r.Header.Groups, history.Group{Name: "more"})
	}
	doc := string(pageBytes(t, r))
	if len(doc) > 1_500_000 {
		t.Errorf("got %d bytes, want at most 1.5 MB", len(doc))
	}
	if !strings.Contains(doc, "Pictures are left out") || !strings.Contains(doc, `id="group-1-level-1-wide-t"`) {
		t.Error("the page does not say what it leaves out, or leaves out the first failure")
	}
}

func TestAnImpossibleLevelIsInsideItsPicture(t *testing.T) {
	l := analyze.Level{
		Limit:      limiter.Limit{Limit: 1, Window: 1e9, Burst: 2, Reading: limiter.TokenBucket},
		Points:     []analyze.LevelPoint{{At: 0, Least: 2, Most: 2}, {At: 1e9, Least: -50, Most: -50}},
		Impossible: &analyze.LevelPoint{At: 1e9, Least: -50, Most: -50},
		Told:       []analyze.ToldLevel{{At: 1e9, Left: 60_000}},
	}
	v := levelOf(l, stretch{0, 2e9})
	if v.Bottom != -50 || v.Top != 6 || v.Broken == nil {
		t.Errorf("got a picture from %v to %v, want −50 to 6: a lie about what remains may be of any size", v.Bottom, v.Top)
	}
}
