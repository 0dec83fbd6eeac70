package main

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"duckload/limiter"
	"duckload/scenarios"
)

// A runState is how far a run has come: what the live view shows.
type runState struct {
	tracks   []trackState
	at       time.Duration
	budget   scenarios.Budget
	stopping bool
	pulses   []pulse // the latest, the oldest first
}

// A pulse is how many requests had ended at a moment.
type pulse struct {
	at    time.Duration
	ended int
}

// rateOver is the time over which the achieved rate is taken.
const rateOver = 2 * time.Second

const stoppingWords = "interrupted: waiting for answers on their way; Ctrl-C again ends at once"

func (s *runState) ended() (all [3]int, sum int) {
	for _, t := range s.tracks {
		for i, n := range t.counts {
			all[i] += n
			sum += n
		}
	}
	return all, sum
}

// pulse notes where the run is, and forgets what is too long ago.
func (s *runState) pulse() {
	_, n := s.ended()
	s.pulses = append(s.pulses, pulse{s.at, n})
	for len(s.pulses) > 2 && s.pulses[1].at <= s.at-rateOver {
		s.pulses = s.pulses[1:]
	}
}

// rate is how many requests a second end now.
func (s *runState) rate() float64 {
	if len(s.pulses) < 2 {
		return 0
	}
	from, to := s.pulses[0], s.pulses[len(s.pulses)-1]
	if to.at == from.at {
		return 0
	}
	return float64(to.ended-from.ended) / (to.at - from.at).Seconds()
}

// left is how long the rest of the plan takes.
func (s *runState) left() time.Duration {
	var left time.Duration
	for _, t := range s.tracks {
		if !t.ended {
			left = max(left, t.length-s.at)
		}
	}
	return left
}

// lines are the live view in a terminal of some columns and rows; rows 0: as
// many as it takes. No line is wider, and one row stays free for the cursor.
func (s *runState) lines(columns, rows int) []string {
	name := 0
	for _, t := range s.tracks {
		name = max(name, width(t.name))
	}
	name = min(name, max(8, columns/5))
	shown, hidden := s.shown(rows)
	var lines []string
	for _, t := range shown {
		lines = append(lines, clip(t.line(s.at, columns, name), columns))
	}
	if hidden > 0 {
		lines = append(lines, clip(fmt.Sprintf("  and %d more groups", hidden), columns))
	}
	lines = append(lines, clip(s.total(columns), columns))
	if s.stopping {
		lines = append(lines, clip("  "+stoppingWords, columns))
	}
	return lines
}

// shown are the tracks for which there is room: those that are under way
// before those that wait, and those that are done last.
func (s *runState) shown(rows int) (shown []trackState, hidden int) {
	room := rows - 4 // the total, the tracks that are hidden, the end, the cursor
	if rows == 0 || len(s.tracks) <= room {
		return s.tracks, 0
	}
	room = max(room, 1)
	for _, wanted := range []func(trackState) bool{
		func(t trackState) bool { return !t.ended && t.phase >= 0 },
		func(t trackState) bool { return !t.ended && t.phase < 0 },
		func(t trackState) bool { return t.ended },
	} {
		for _, t := range s.tracks {
			if wanted(t) && len(shown) < room {
				shown = append(shown, t)
			}
		}
	}
	return shown, len(s.tracks) - len(shown)
}

// total is the line about the run as a whole.
func (s *runState) total(columns int) string {
	all, n := s.ended()
	planned := 0
	for _, t := range s.tracks {
		planned += t.requests
	}
	if columns < 60 {
		return fmt.Sprintf("  %d req  %.0f/s  %s left", n, s.rate(), clock(s.left()))
	}
	line := fmt.Sprintf("  %d of at most %d requests  %.0f/s  %s left", n, planned, s.rate(), clock(s.left()))
	if s.budget.Requests > 0 {
		line += fmt.Sprintf("  budget %.0f%%", 100*float64(n)/float64(s.budget.Requests))
	}
	if columns >= 110 {
		line += "  " + counts(all)
	}
	return line
}

// line is a track in a line: its name, where it is, what came back.
func (t trackState) line(at time.Duration, columns, name int) string {
	label := "waits"
	switch {
	case t.ended:
		label, at = "done", t.length
	case t.phase >= 0:
		label = t.phases[t.phase]
	}
	share := 0.0
	if t.length > 0 {
		share = min(1, float64(at)/float64(t.length))
	}
	named := padded(t.name, name)
	switch {
	case columns < 60:
		return fmt.Sprintf("  %s %3.0f%%  %s", named, 100*share, shortCounts(t.counts))
	case columns < 90:
		return fmt.Sprintf("  %s %s %s %s", named, padded(label, 14), bar(share, 8), shortCounts(t.counts))
	}
	return fmt.Sprintf("  %s  %s  %s  %s/%s  %s", named, padded(label, min(40, columns/4)), bar(share, 12), clock(min(at, t.length)), clock(t.length), counts(t.counts))
}

// bar is some columns wide.
func bar(share float64, columns int) string {
	full := int(float64(columns)*share + 0.5)
	return strings.Repeat("█", full) + strings.Repeat("░", columns-full)
}

func counts(n [3]int) string {
	text := fmt.Sprintf("admitted %d  rejected %d", n[limiter.Admitted], n[limiter.Rejected])
	if n[limiter.Unknown] > 0 {
		text += fmt.Sprintf("  unknown %d", n[limiter.Unknown])
	}
	return text
}

// shortCounts are counts where there is little room: "200 ok, 2 rejected".
func shortCounts(n [3]int) string {
	text := fmt.Sprintf("%d ok, %d rejected", n[limiter.Admitted], n[limiter.Rejected])
	if n[limiter.Unknown] > 0 {
		text += fmt.Sprintf(", %d unknown", n[limiter.Unknown])
	}
	return text
}

func clock(d time.Duration) string {
	s := int(max(d, 0).Round(time.Second).Seconds())
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%02d:%02d", s/60, s%60)
}

// width counts columns as runes: the text is ours and has no wide ones.
func width(s string) int { return utf8.RuneCountInString(s) }

// padded is text in exactly so many columns.
func padded(s string, columns int) string {
	s = clip(s, columns)
	return s + strings.Repeat(" ", columns-width(s))
}

// clip cuts a line at a number of columns.
func clip(s string, columns int) string {
	if columns <= 0 || width(s) <= columns {
		return s
	}
	return string([]rune(s)[:columns-1]) + "…"
}
