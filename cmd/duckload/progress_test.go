package main

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"duckload/scenarios"
)

// underWay is a run of the Space Duck table after half a minute.
func underWay() *runState {
	s := &runState{at: 31 * time.Second, budget: scenarios.Budget{Requests: 20000}}
	for i, name := range []string{"metrics", "signup", "status", "newsletter", "support", "pageview"} {
		t := trackState{trackView: trackView{name: name, phases: []string{"rest until full", "burst 202", "probe edges"}, requests: 400, length: 72 * time.Second}}
		t.phase = i % 3
		t.counts = [3]int{0, 200 * i, 2 * i}
		s.tracks = append(s.tracks, t)
	}
	s.tracks[0].phase = -1
	s.tracks[4].ended = true
	s.tracks[5].counts[0] = 3
	s.pulses = []pulse{{29 * time.Second, 2970}, {31 * time.Second, 3033}}
	return s
}

func TestTheLiveViewFitsItsTerminal(t *testing.T) {
	for columns, want := range map[int]string{
		40: `
  metrics   43%  0 ok, 0 rejected
  signup    43%  200 ok, 2 rejected
  status    43%  400 ok, 4 rejected
  newslet…  43%  600 ok, 6 rejected
  support  100%  800 ok, 8 rejected
  pageview  43%  1000 ok, 10 rejected, …
  3033 req  32/s  00:41 left`,
		80: `
  metrics    waits          ███░░░░░ 0 ok, 0 rejected
  signup     burst 202      ███░░░░░ 200 ok, 2 rejected
  status     probe edges    ███░░░░░ 400 ok, 4 rejected
  newsletter rest until fu… ███░░░░░ 600 ok, 6 rejected
  support    done           ████████ 800 ok, 8 rejected
  pageview   probe edges    ███░░░░░ 1000 ok, 10 rejected, 3 unknown
  3033 of at most 2400 requests  32/s  00:41 left  budget 15%`,
		200: `
  metrics     waits                                     █████░░░░░░░  00:31/01:12  admitted 0  rejected 0
  signup      burst 202                                 █████░░░░░░░  00:31/01:12  admitted 200  rejected 2
  status      probe edges                               █████░░░░░░░  00:31/01:12  admitted 400  rejected 4
  newsletter  rest until full                           █████░░░░░░░  00:31/01:12  admitted 600  rejected 6
  support     done                                      ████████████  01:12/01:12  admitted 800  rejected 8
  pageview    probe edges                               █████░░░░░░░  00:31/01:12  admitted 1000  rejected 10  unknown 3
  3033 of at most 2400 requests  32/s  00:41 left  budget 15%  admitted 3000  rejected 30  unknown 3`,
	} {
		if got := "\n" + strings.Join(underWay().lines(columns, 0), "\n"); got != want {
			t.Errorf("%d columns: got%s\nwant%s", columns, got, want)
		}
	}
}

// Groups that are under way come first where there is no room for all.
func TestALowTerminalShowsWhatIsUnderWay(t *testing.T) {
	s := underWay()
	s.stopping = true
	lines := s.lines(80, 7)
	if len(lines) > 6 {
		t.Errorf("got %d lines in a terminal of 7 rows", len(lines))
	}
	text := strings.Join(lines, "\n")
	if !strings.Contains(text, "signup") || strings.Contains(text, "support ") || !strings.Contains(text, "and 3 more groups") || !strings.Contains(text, stoppingWords) {
		t.Errorf("got\n%s\nwant what is under way, how many others there are, and that the run ends", text)
	}
}

func TestNoLiveLineIsWiderThanItsTerminal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := underWay()
		for i := range s.tracks {
			s.tracks[i].name = rapid.StringMatching(`[a-zü-]{1,64}`).Draw(t, "name")
			s.tracks[i].phases[2] = rapid.StringMatching(`[a-z0-9% ]{0,80}`).Draw(t, "label")
			s.tracks[i].counts[1] = rapid.IntRange(0, 1e9).Draw(t, "admitted")
		}
		s.stopping = rapid.Bool().Draw(t, "stopping")
		columns, rows := rapid.IntRange(1, 250).Draw(t, "columns"), rapid.IntRange(0, 60).Draw(t, "rows")
		lines := s.lines(columns, rows)
		for _, line := range lines {
			if width(line) > columns {
				t.Fatalf("%d columns: got %d: %q", columns, width(line), line)
			}
		}
		if rows > 5 && len(lines) >= rows {
			t.Fatalf("%d rows: got %d lines", rows, len(lines))
		}
	})
}

func TestTheRateIsThatOfTheLastSeconds(t *testing.T) {
	s := underWay()
	s.pulses = nil
	for i := range 100 {
		s.at = time.Duration(i) * redraw
		s.tracks[0].counts[1] = i * i
		s.pulse()
	}
	// Ten pulses in two seconds, of 2i+1 requests each.
	if got, want := s.rate(), float64(99*99-89*89)/2; got != want {
		t.Errorf("got %v/s, want %v/s", got, want)
	}
	if len(s.pulses) > 12 {
		t.Errorf("got %d pulses, want the latest alone", len(s.pulses))
	}
}
