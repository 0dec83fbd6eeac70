package history

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"time"
)

// An Agent is a machine that sent a part of a run.
type Agent struct {
	Name    string `json:"name"`              // unique in the run
	Address string `json:"address,omitempty"` // as others see it; empty: nobody knows

	// Bound is how far its moments may be from the true ones on the run's axis
	// of time, either way, once Drift is added for each nanosecond since moment
	// 0. [Open] sets both from the agent's probes of the clock.
	Bound time.Duration `json:"bound,omitempty"`
	Drift float64       `json:"drift,omitempty"`

	// Start is when it began by its own clock: moment 0 of its own record. Open
	// sets it.
	Start time.Duration `json:"start,omitempty"`

	// Unbounded says why nothing bounds its clock; empty: Bound does.
	Unbounded string `json:"unbounded,omitempty"`
}

// On returns between which moments of the run's axis a moment of the agent's
// observations lies. [Never] stays what it is.
func (a Agent) On(t time.Duration) (earliest, latest time.Duration) {
	if t == Never {
		return Never, Never
	}
	t += time.Duration(math.Round(float64(t) * a.Drift))
	return t - a.Bound, t + a.Bound
}

// A Probe is one question of an agent for the time of the run's axis: that of
// the coordinator, whose moment 0 is the start that it announced. The answer
// was given between Sent and Received.
type Probe struct {
	Sent     time.Duration `json:"sent"`     // by the agent's monotonic clock, since moment 0 of its record; may be negative
	Received time.Duration `json:"received"` // the same
	Theirs   time.Duration `json:"theirs"`   // by the coordinator's clock, since the start that it announced; may be negative
}

// ClockFile is the name of the file beside an agent's segments that holds its
// probes, a line of JSON each.
const ClockFile = "clock.jsonl"

// AppendProbe writes a probe as a line of a [ClockFile].
func AppendProbe(w io.Writer, p Probe) error {
	line, err := json.Marshal(p)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// ReadProbes reads the probes of an agent's folder. A last line that is torn
// is left out, as a crash leaves it; no file is no probe.
func ReadProbes(dir string) ([]Probe, error) {
	path := filepath.Join(dir, ClockFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []Probe
	lines := bufio.NewScanner(bytes.NewReader(text[:bytes.LastIndexByte(text, '\n')+1]))
	for n := 1; lines.Scan(); n++ {
		var p Probe
		if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
			return nil, fmt.Errorf("%s:%d: not a probe of the clock: %w", path, n, err)
		}
		if p.Received < p.Sent {
			return nil, fmt.Errorf("%s:%d: the answer came at %s, before the question at %s", path, n, p.Received, p.Sent)
		}
		all = append(all, p)
	}
	return all, lines.Err()
}
