package report

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// lint validates JUnit's XML with libxml2, and returns what it complains of.
// Without it the test fails: skipped, it would look as good as passed.
func lint(t *testing.T, text []byte) string {
	t.Helper()
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Fatal("xmllint is not installed, and JUnit's XML is to be validated with it (.ci/tools installs Debian's package libxml2-utils)")
	}
	path := filepath.Join(t.TempDir(), "junit.xml")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	said, err := exec.Command(xmllint, "--nonet", "--noout", "--schema", filepath.Join("testdata", "junit.xsd"), path).CombinedOutput()
	if err == nil {
		return ""
	}
	return string(said)
}

func TestJUnitKeepsItsSchema(t *testing.T) {
	for _, r := range []Report{passing(), failing(), undecided(), hostileEverywhere()} {
		if said := lint(t, written(t, func(w io.Writer) error { return writeJUnit(w, r) })); said != "" {
			t.Errorf("%s: %s", r.Findings.Outcome, said)
		}
	}
}

// The schema is no open door.
func TestTheSchemaOfJUnitRefusesWhatCIServersMisread(t *testing.T) {
	good := string(written(t, func(w io.Writer) error { return writeJUnit(w, failing()) }))
	for _, c := range []struct{ what, old, new, closing string }{
		{"a verdict that Jenkins takes for a pass", "<failure ", "<inconclusive ", "</inconclusive>"},
		{"a case without a name", ` name="limit.ceiling"`, "", ""},
		{"two cases of one name", `name="limit.floor"`, `name="limit.ceiling"`, ""},
		{"a count that is none", `failures="1"`, `failures="one"`, ""},
		{"a problem without a message", ` message="`, ` said="`, ""},
	} {
		bad := strings.Replace(good, c.old, c.new, 1)
		if c.closing != "" {
			bad = strings.Replace(bad, "</failure>", c.closing, 1)
		}
		if bad == good {
			t.Fatalf("%s: nothing was changed", c.what)
		}
		if lint(t, []byte(bad)) == "" {
			t.Errorf("%s was taken", c.what)
		}
	}
}
