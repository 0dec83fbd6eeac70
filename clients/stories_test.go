package clients

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"duckload/analyze"
	"duckload/scenarios"
)

// Each file of testdata is a story: a script, what the server saw, and what
// the checks say. A line of a request is
//
//	client arrived answered status [after SECONDS | date SECONDS] [conn N] [call NAME] [path PATH] [left]
//
// and moments are durations. A line that begins with "ended" ends a client:
//
//	ended CLIENT AT [status N] [by us] [children N]
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	asked := map[string]map[analyze.Verdict]bool{}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			run, want := story(t, file)
			j := Judge(run)
			got := map[string]Finding{}
			for _, f := range j.Findings {
				got[f.Check] = f
				if (f.Outcome == analyze.Fail) != (f.Witness != nil) {
					t.Errorf("%s: outcome %s with witness %v", f.Check, f.Outcome, f.Witness)
				}
			}
			for check, verdict := range want {
				f, ok := got[check]
				if !ok {
					t.Errorf("%s was not asked", check)
					continue
				}
				if f.Outcome != verdict {
					t.Errorf("%s: got %s (%s), want %s", check, f.Outcome, f.Message, verdict)
				}
				if asked[check] == nil {
					asked[check] = map[analyze.Verdict]bool{}
				}
				asked[check][verdict] = true
			}
		})
	}
	for _, c := range Checks {
		for _, v := range []analyze.Verdict{analyze.Pass, analyze.Fail, analyze.Inconclusive} {
			if !asked[c.ID][v] && !(c.ID == "client.budget" && v == analyze.Inconclusive) {
				t.Errorf("no story ends %s with %s", c.ID, v)
			}
		}
		if c.Question == "" || c.Doc == "" {
			t.Errorf("%s says nothing about itself", c.ID)
		}
	}
}

func story(t *testing.T, file string) (Run, map[string]analyze.Verdict) {
	t.Helper()
	text, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	run, want := Run{Limit: time.Minute}, map[string]analyze.Verdict{}
	lines := bufio.NewScanner(text)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		switch words[0] {
		case "script":
			run.Script, err = scenarios.BuiltInScript(words[1])
		case "answers":
			run.Script, err = scenarios.LoadScript(file, []byte("version: 1\nanswers: "+strings.TrimPrefix(lines.Text(), "answers ")))
		case "stop":
			run.Stop = Stop(strings.Join(words[1:], " "))
		case "ended":
			run.Processes = append(run.Processes, processOf(t, words[2:]))
		case "judge":
			want[words[1]] = analyze.Verdict(words[2])
		default:
			e := exchangeOf(t, words)
			e.Number = len(run.Exchanges) + 1
			run.Exchanges = append(run.Exchanges, e)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return run, want
}

func processOf(t *testing.T, words []string) Process {
	p := Process{Ended: durationOf(t, words[0]), Alone: true}
	for i := 1; i < len(words); i++ {
		switch words[i] {
		case "by":
			p.Alone, i = false, i+1
		case "status":
			fmt.Sscan(words[i+1], &p.Status)
			i++
		case "children":
			fmt.Sscan(words[i+1], &p.Children)
			i++
		default:
			t.Fatalf("unknown word %q", words[i])
		}
	}
	return p
}

func exchangeOf(t *testing.T, words []string) Exchange {
	t.Helper()
	e := Exchange{Method: "GET", Path: "/", Call: "a", Scripted: true, Arrived: durationOf(t, words[1]), Answered: durationOf(t, words[2])}
	if _, err := fmt.Sscan(words[0]+" "+words[3], &e.Client, &e.Status); err != nil {
		t.Fatal(err)
	}
	e.Client--
	for i := 4; i < len(words); i++ {
		switch words[i] {
		case "left":
			e.Left = true
			continue
		case "elsewhere":
			e.Scripted = false
			continue
		case "after", "date":
			e.RetryAfter, e.Date = words[i+1], words[i] == "date"
			e.Until = e.Answered + durationOf(t, words[i+1]+"s")
		case "conn":
			fmt.Sscan(words[i+1], &e.Conn)
		case "call":
			e.Call = words[i+1]
		case "path":
			e.Path = words[i+1]
		default:
			t.Fatalf("unknown word %q", words[i])
		}
		i++
	}
	return e
}

func durationOf(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
