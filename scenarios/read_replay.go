package scenarios

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"

	"duckload/trace"
)

// The bounds of a time scale.
const (
	leastSpeed = 0.001
	mostSpeed  = 1000
)

// parseSpeed reads how many times as fast as its recording a replay is.
func parseSpeed(text string) (speed float64, wrong string) {
	if !decimal.MatchString(text) {
		return 1, fmt.Sprintf("must be a number, got %q (write 2 for twice as fast, 0.5 for half)", shortened(text))
	}
	speed, err := strconv.ParseFloat(text, 64)
	if err != nil || speed < leastSpeed || speed > mostSpeed {
		return 1, fmt.Sprintf("must be from %g to %d, got %s", leastSpeed, mostSpeed, shortened(text))
	}
	return speed, ""
}

func speedLabel(speed float64) string {
	if speed == 1 {
		return ""
	}
	return fmt.Sprintf(" ×%g", speed)
}

// readReplay reads the recording at once, so that what is wrong with it is
// found before anything is sent.
func readReplay(r *reader, w written) []Phase {
	name, ok := r.text(w.value)
	if !ok {
		return nil
	}
	recording, err := r.recording(name, w.column)
	var mistakes trace.Mistakes
	switch {
	case errors.As(err, &mistakes):
		for _, m := range mistakes {
			r.bad(w.value, "%s", m.Error())
		}
		return nil
	case err != nil:
		r.bad(w.value, "%v", err)
		return nil
	}
	speed := w.speed
	if speed == 0 {
		speed = 1
	}
	p := Phase{Pace: replay.Name, Recording: shortened(name), trace: recording}
	if wrong := p.wrongSpeed(speed); wrong != "" {
		r.bad(w.value, "%s", wrong)
		return nil
	}
	return []Phase{p.atSpeed(speed)}
}

// recording reads a recording below the folder of the scenario.
func (r *reader) recording(name, column string) (*trace.Trace, error) {
	in, err := r.open(name)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return trace.Read(shortened(name), in, column)
}

// open opens a file below the folder of the scenario.
func (r *reader) open(name string) (io.ReadCloser, error) {
	clean, wrong := r.below(name)
	if wrong != "" {
		return nil, errors.New(wrong)
	}
	if r.env.Open == nil {
		text, err := r.env.ReadFile(clean)
		if err != nil {
			return nil, fmt.Errorf("file %q: %w", shortened(name), err)
		}
		return io.NopCloser(bytes.NewReader(text)), nil
	}
	in, err := r.env.Open(clean)
	if err != nil {
		return nil, fmt.Errorf("file %q: %w", shortened(name), err)
	}
	return in, nil
}

// below returns the path of a file below the folder of the scenario, or says
// why it is none.
func (r *reader) below(name string) (clean, wrong string) {
	clean = path.Clean(name)
	if name == "" || path.IsAbs(name) || clean == ".." || strings.HasPrefix(clean, "../") || strings.ContainsAny(name, "\\:\x00") {
		return "", fmt.Sprintf("file %q is not below the folder of the scenario (write a relative path without ..)", shortened(name))
	}
	if r.env.ReadFile == nil {
		return "", fmt.Sprintf("file %q cannot be read here: this scenario has no folder", shortened(name))
	}
	return clean, ""
}
