package history

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
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

// Local returns between which moments of the agent's observations a moment of
// the run's axis lies. [Never] stays what it is.
func (a Agent) Local(t time.Duration) (earliest, latest time.Duration) {
	if t == Never {
		return Never, Never
	}
	back := func(t time.Duration) time.Duration {
		return t - time.Duration(math.Round(float64(t)*a.Drift/(1+a.Drift)))
	}
	return back(t-a.Bound) - 1, back(t+a.Bound) + 1 // and what rounding loses
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

// A probeLine is a probe as it is written, with a checksum of its moments: one
// wrong digit would put an agent's requests where they were not.
type probeLine struct {
	Probe
	Sum uint32 `json:"sum"`
}

func (p Probe) sum() uint32 {
	var b [24]byte
	for i, moment := range []time.Duration{p.Sent, p.Received, p.Theirs} {
		binary.LittleEndian.PutUint64(b[8*i:], uint64(moment))
	}
	return crc32.Checksum(b[:], castagnoli)
}

// AppendProbe writes a probe as a line of a [ClockFile].
func AppendProbe(w io.Writer, p Probe) error {
	line, err := json.Marshal(probeLine{p, p.sum()})
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// ReadProbes reads the probes of an agent's folder. Lines that are torn or
// damaged are left out: any of the probes bound the clock, fewer less closely.
// No file is no probe.
func ReadProbes(dir string) ([]Probe, error) {
	text, err := os.ReadFile(filepath.Join(dir, ClockFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []Probe
	for line := range bytes.Lines(text) {
		var p probeLine
		if json.Unmarshal(line, &p) == nil && p.Sum == p.sum() && p.believable() {
			all = append(all, p.Probe)
		}
	}
	return all, nil
}

// believable reports whether a probe's moments are in order, and so near to
// the start that sums of them fit into an integer.
func (p Probe) believable() bool {
	const far = 10 * 365 * 24 * time.Hour
	return -far < p.Sent && p.Sent <= p.Received && p.Received < far && -far < p.Theirs && p.Theirs < far
}
