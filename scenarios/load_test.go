package scenarios

import (
	"errors"
	"strings"
	"testing"
)

// world is an environment that tests see: two variables and one file.
func world() Env {
	return Env{
		Lookup: func(name string) (string, bool) {
			v, ok := map[string]string{"TOKEN": "s3cret/+", "EMPTY": "", "BASE": "http://127.0.0.1:1"}[name]
			return v, ok
		},
		ReadFile: func(name string) ([]byte, error) {
			if name == "keys/one.txt" {
				return []byte("file \"secret\"\n"), nil
			}
			return nil, errors.New("no such file")
		},
	}
}

// around puts the body of a group "g" into an otherwise right scenario of
// which it is line 4 and following.
func around(group string) string {
	lines := strings.Split(strings.Trim(group, "\n"), "\n")
	return "version: 1\ntarget: emulator\ngroups: {g: {\n" + strings.Join(lines, "\n") + "\n}}\n"
}

func TestSpaceDuckIsTheTable(t *testing.T) {
	s, err := BuiltIn("space-duck", Env{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"metrics 100/min, burst 200",
		"signup 10/min, burst 5, per ip",
		"status 60/min, burst 120",
		"newsletter 5/min, burst 2, per ip",
		"support 5/min, burst 2, per ip",
		"pageview 500/min, burst 1000",
	}
	var got []string
	for _, g := range s.Groups {
		got = append(got, g.Name+" "+g.Promise.Limits[0].String())
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if s.Target != Emulator || len(s.AllowHosts) != 0 {
		t.Errorf("target %q, hosts %q; the documented host must never be contacted by default", s.Target, s.AllowHosts)
	}
}
