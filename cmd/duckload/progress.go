package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"duckload/attack"
	"duckload/limiter"
)

// A trackView is what progress knows of a track before it begins.
type trackView struct {
	name     string
	phases   []string // labels
	requests int      // at most
	length   time.Duration
}

// progress shows a run while it goes on: a live view where stderr is a
// terminal, a line for each finished phase elsewhere.
type progress struct {
	out   io.Writer
	width int // columns; 0: not a terminal
	quiet bool

	mu     sync.Mutex
	tracks []trackState
	at     time.Duration
	drawn  int // lines of the live view on the screen
	stop   chan struct{}
	done   sync.WaitGroup
}

type trackState struct {
	trackView
	phase   int // index; -1: not begun
	told    int // phases whose lines were written
	ended   bool
	counts  [3]int   // of the track, by outcome
	inPhase [][3]int // of each phase
}

// frames a second of the live view: enough to look alive, too few to disturb
// the sender.
const redraw = 200 * time.Millisecond

func newProgress(out io.Writer, width int, quiet bool, tracks []trackView) *progress {
	p := &progress{out: out, width: width, quiet: quiet, stop: make(chan struct{})}
	for _, t := range tracks {
		p.tracks = append(p.tracks, trackState{trackView: t, phase: -1, inPhase: make([][3]int, len(t.phases))})
	}
	if width > 0 && !quiet {
		p.done.Go(p.live)
	}
	return p
}

func (p *progress) live() {
	tick := time.NewTicker(redraw)
	defer tick.Stop()
	began := time.Now()
	for {
		select {
		case <-p.stop:
			return
		case <-tick.C:
			p.mu.Lock()
			p.at = max(p.at, time.Since(began))
			p.draw()
			p.mu.Unlock()
		}
	}
}

// event takes a step of the run. It is attack's Progress.
func (p *progress) event(e attack.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = max(p.at, e.At)
	t := &p.tracks[e.Track]
	switch {
	case e.Begins:
		t.phase = e.Phase
		// The last answers of a phase come while the next one begins.
		p.tell(t, e.Phase-1)
	case e.Ends:
		p.tell(t, len(t.phases))
		t.ended = true
	default:
		t.counts[e.Outcome]++
		t.inPhase[e.Phase][e.Outcome]++
	}
}

// tell writes the lines of the phases before one, where there is no live view.
func (p *progress) tell(t *trackState, before int) {
	for ; t.told < before; t.told++ {
		n := t.inPhase[t.told]
		if p.quiet || p.width > 0 || n == [3]int{} {
			continue // a rest has nothing to tell
		}
		fmt.Fprintf(p.out, "%6.1fs  %-11s %-28s %s\n", p.at.Seconds(), t.name, t.phases[t.told], counts(n))
	}
}

// close takes the live view away.
func (p *progress) close() {
	close(p.stop)
	p.done.Wait()
	if p.drawn > 0 {
		fmt.Fprintf(p.out, "\x1b[%dA\x1b[J", p.drawn)
	}
}

func (p *progress) draw() {
	var b strings.Builder
	if p.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", p.drawn)
	}
	lines := p.lines()
	for _, line := range lines {
		b.WriteString("\x1b[K" + clip(line, p.width) + "\n")
	}
	p.drawn = len(lines)
	io.WriteString(p.out, b.String())
}

func (p *progress) lines() []string {
	var lines []string
	var all [3]int
	planned := 0
	var left time.Duration
	for _, t := range p.tracks {
		lines = append(lines, p.line(t))
		for i, n := range t.counts {
			all[i] += n
		}
		planned += t.requests
		if !t.ended {
			left = max(left, t.length-p.at)
		}
	}
	rate := 0.0
	if p.at > 0 {
		rate = float64(all[0]+all[1]+all[2]) / p.at.Seconds()
	}
	return append(lines, fmt.Sprintf("  %d of at most %d requests, %.0f/s, %s left", all[0]+all[1]+all[2], planned, rate, clock(left)))
}

func (p *progress) line(t trackState) string {
	label, at := "waits", p.at
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
	if p.width < 80 {
		return fmt.Sprintf("  %-11s %3.0f%%  %s", t.name, 100*share, counts(t.counts))
	}
	return fmt.Sprintf("  %-11s %-24s %s  %s/%s  %s", t.name, clip(label, 24), bar(share), clock(min(p.at, t.length)), clock(t.length), counts(t.counts))
}

// bar is twelve columns wide.
func bar(share float64) string {
	full := int(12*share + 0.5)
	return strings.Repeat("█", full) + strings.Repeat("░", 12-full)
}

func counts(n [3]int) string {
	text := fmt.Sprintf("admitted %d  rejected %d", n[limiter.Admitted], n[limiter.Rejected])
	if n[limiter.Unknown] > 0 {
		text += fmt.Sprintf("  unknown %d", n[limiter.Unknown])
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

// clip cuts a line at a number of columns, counting runes: the text is ours
// and has no wide ones.
func clip(s string, width int) string {
	if width <= 0 || utf8.RuneCountInString(s) <= width {
		return s
	}
	return string([]rune(s)[:width-1]) + "…"
}
