package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"duckload/attack"
	"duckload/scenarios"
)

// A trackView is what progress knows of a track before it begins.
type trackView struct {
	name     string
	phases   []string // labels
	requests int      // at most
	length   time.Duration
}

// A trackState is how far a track has come.
type trackState struct {
	trackView
	phase   int // index; -1: not begun
	told    int // phases whose lines were written
	ended   bool
	counts  [3]int   // of the track, by outcome
	inPhase [][3]int // of each phase
}

// A screen is where progress is shown.
type screen struct {
	out  io.Writer
	size func() (columns, rows int) // of a terminal, now; columns 0: it is none
}

// progress shows a run while it goes on: a live view where stderr is a
// terminal, a line for each finished phase elsewhere.
type progress struct {
	screen
	live  bool
	quiet bool

	mu      sync.Mutex
	state   runState
	drawn   []int // columns of the lines of the live view that are on the screen
	columns int   // of the terminal when they were drawn
	stop    chan struct{}
	done    sync.WaitGroup
}

// redraw is how often the live view is drawn: often enough to look alive, too
// seldom to disturb the sender.
const redraw = 200 * time.Millisecond

func newProgress(on screen, quiet bool, tracks []trackView, budget scenarios.Budget) *progress {
	p := &progress{screen: on, quiet: quiet, state: runState{budget: budget}, stop: make(chan struct{})}
	for _, t := range tracks {
		p.state.tracks = append(p.state.tracks, trackState{trackView: t, phase: -1, inPhase: make([][3]int, len(t.phases))})
	}
	columns, _ := on.size()
	if p.live = columns > 0 && !quiet; p.live {
		p.done.Go(p.keepDrawing)
	}
	return p
}

func (p *progress) keepDrawing() {
	tick := time.NewTicker(redraw)
	defer tick.Stop()
	began := time.Now()
	for {
		select {
		case <-p.stop:
			return
		case <-tick.C:
			p.mu.Lock()
			p.state.at = max(p.state.at, time.Since(began))
			p.state.pulse()
			p.draw()
			p.mu.Unlock()
		}
	}
}

// event takes a step of the run. It is attack's Progress.
func (p *progress) event(e attack.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.at = max(p.state.at, e.At)
	t := &p.state.tracks[e.Track]
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
		if p.quiet || p.live || n == [3]int{} {
			continue // a rest has nothing to tell
		}
		fmt.Fprintf(p.out, "%6.1fs  %-11s %-28s %s\n", p.state.at.Seconds(), t.name, t.phases[t.told], counts(n))
	}
}

// interrupted says that the run comes to an end, and how to end it at once.
func (p *progress) interrupted() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.stopping = true
	if !p.live && !p.quiet {
		fmt.Fprintln(p.out, stoppingWords)
	}
}

// close takes the live view away.
func (p *progress) close() {
	close(p.stop)
	p.done.Wait()
	if len(p.drawn) > 0 {
		columns, _ := p.size()
		fmt.Fprint(p.out, up(p.drawn, columns)+"\x1b[J")
	}
}

func (p *progress) draw() {
	columns, rows := p.size()
	if columns <= 0 {
		return
	}
	var b strings.Builder
	b.WriteString(up(p.drawn, columns))
	if columns != p.columns {
		b.WriteString("\x1b[J") // the rows that a resize broke apart
	}
	p.drawn, p.columns = p.drawn[:0], columns
	for _, line := range p.state.lines(columns, rows) {
		b.WriteString(line + "\x1b[K\n")
		p.drawn = append(p.drawn, width(line))
	}
	b.WriteString("\x1b[J") // what a terminal echoed, such as ^C
	io.WriteString(p.out, b.String())
}

// up moves to the first of the lines that were drawn. A terminal that was made
// narrower since breaks each of them into several rows.
func up(drawn []int, columns int) string {
	rows := 0
	for _, n := range drawn {
		rows += max(1, (n+columns-1)/max(columns, 1))
	}
	if rows == 0 {
		return "\r"
	}
	return fmt.Sprintf("\r\x1b[%dA", rows)
}
