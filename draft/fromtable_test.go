package draft_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"duckload/draft"
	"duckload/scenarios"
)

var update = flag.Bool("update", false, "write the golden files again")

// loaded reads a draft as "duckload check" does, every variable set.
func loaded(text []byte) (*scenarios.Scenario, error) {
	return scenarios.Load("draft.yaml", text, scenarios.Env{Lookup: func(string) (string, bool) { return "set", true }})
}

// golden compares a draft with the file beside its source, and reads it.
func golden(t *testing.T, source string, d draft.Draft) {
	t.Helper()
	got := d.Text()
	if _, err := loaded(got); err != nil {
		t.Errorf("%s: the draft is no scenario: %v\n%s", source, err, got)
	}
	path := source + ".draft.yaml"
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s: got\n%s\nwant %s (-update writes it again)", source, got, path)
	}
}

// sources returns the files of a folder of testdata that drafts are made of.
func sources(t *testing.T, folder string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join("testdata", folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, path := range all {
		if !strings.HasSuffix(path, ".draft.yaml") {
			found = append(found, path)
		}
	}
	if len(found) == 0 {
		t.Fatalf("nothing in testdata/%s", folder)
	}
	return found
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestTablesAsPeoplePublishThem(t *testing.T) {
	for _, path := range sources(t, "table") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			d, err := draft.FromTable(filepath.Base(path), read(t, path))
			if err != nil {
				t.Fatal(err)
			}
			golden(t, path, d)
		})
	}
}

// The table of the Space Duck page gives the promises of the built-in scenario.
func TestTheSpaceDuckPageGivesTheBuiltInPromises(t *testing.T) {
	d, err := draft.FromTable("space-duck.md", read(t, "testdata/table/space-duck.md"))
	if err != nil {
		t.Fatal(err)
	}
	mine, err := loaded(d.Text())
	if err != nil {
		t.Fatal(err)
	}
	builtIn, err := scenarios.BuiltIn("space-duck", scenarios.Env{})
	if err != nil {
		t.Fatal(err)
	}
	if len(mine.Groups) != len(builtIn.Groups) {
		t.Fatalf("got %d groups, want %d", len(mine.Groups), len(builtIn.Groups))
	}
	for i, want := range builtIn.Groups {
		got := mine.Groups[i]
		if len(got.Promise.Limits) != 1 || got.Promise.Limits[0] != want.Promise.Limits[0] {
			t.Errorf("%s: got %v, want %v", want.Name, got.Promise.Limits, want.Promise.Limits)
		}
		if got.Requests[0].Method != want.Requests[0].Method || got.Requests[0].Path.String() != want.Requests[0].Path.String() {
			t.Errorf("%s: got %s %s, want %s %s", want.Name, got.Requests[0].Method, got.Requests[0].Path, want.Requests[0].Method, want.Requests[0].Path)
		}
		if (len(got.Identity) > 0) != (len(want.Identity) > 0) {
			t.Errorf("%s: got identity %v, want one only if the built-in scenario has one: %v", want.Name, got.Identity, want.Identity)
		}
		if got.Promise.Reject.RetryAfter != want.Promise.Reject.RetryAfter {
			t.Errorf("%s: got retry_after %s, want %s", want.Name, got.Promise.Reject.RetryAfter, want.Promise.Reject.RetryAfter)
		}
	}
}

func TestADocumentWithoutLimitsIsRefused(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"empty":         {" \n", "x.md: is empty"},
		"binary":        {"a\nb\xff", "x.md:2: is not text in UTF-8 (save it as UTF-8)"},
		"no table":      {"100 requests per minute", "x.md: has no table"},
		"other table":   {"| Colour | Taste |\n|---|---|\n| red | sweet |", `x.md:1: a table without limits: its headings are "Colour", "Taste" (need one for the endpoint and one for the limit`},
		"nothing clear": {"| Endpoint | Limit |\n|---|---|\n| Search | many |\n| Mail | lots |", "x.md:3: no limit in this row was understood: | Search | many | (write 100 per minute)\nx.md:4: no limit"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := draft.FromTable("x.md", []byte(test.text))
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %v, want %s…", err, test.want)
			}
		})
	}
}

// What a page says never becomes more than a comment or a value: it cannot add
// keys, and it cannot read the environment of whoever runs the draft.
func TestAPageCannotInject(t *testing.T) {
	d, err := draft.FromTable("x.md", []byte("| Endpoint | Limit | Body |\n|---|---|---|\n| /a/${env:HOME}\u2028evil: true | 5/min per \u0085ip\x1b[2J | |\n| GET /${file:/etc/passwd} | 5/min | |\n"))
	if err != nil {
		t.Fatal(err)
	}
	read := false
	s, err := scenarios.Load("draft.yaml", d.Text(), scenarios.Env{Lookup: func(name string) (string, bool) { read = read || name != "API_KEY"; return "", true }})
	if err != nil {
		t.Fatalf("%v\n%s", err, d.Text())
	}
	if read {
		t.Errorf("the draft reads the environment:\n%s", d.Text())
	}
	if strings.ContainsAny(string(d.Text()), "\x1b\u2028\u0085") {
		t.Errorf("a control character survived: %q", d.Text())
	}
	if len(s.Groups) != 2 || len(s.AllowHosts) != 0 {
		t.Errorf("got %d groups and hosts %v, want 2 and none", len(s.Groups), s.AllowHosts)
	}
}

func FuzzTable(f *testing.F) {
	for _, path := range []string{"space-duck.md", "rest-hourly.md", "payments.html", "shop-buckets.md", "chat.md", "posts.md"} {
		text, err := os.ReadFile(filepath.Join("testdata", "table", path))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("|a/${|limit|\n|-|-|\n|/${unique.|1/s|\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := draft.FromTable("fuzz", text)
		if err != nil {
			return
		}
		if _, err := loaded(d.Text()); err != nil {
			t.Errorf("the draft is no scenario: %v\n%s", err, d.Text())
		}
	})
}
