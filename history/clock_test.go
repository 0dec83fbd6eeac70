package history

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A skewed is an agent's clock: what it shows at a moment of the axis.
type skewed struct {
	offset time.Duration
	drift  float64
}

func (c skewed) at(t time.Duration) time.Duration {
	return t - c.offset + time.Duration(float64(t)*c.drift)
}

// probes asks for the time along asymmetric, jittered paths.
func (c skewed) probes(r *rand.Rand, moments []time.Duration, out, back time.Duration) []Probe {
	var all []Probe
	for _, t := range moments {
		there := t + out + time.Duration(r.ExpFloat64()*float64(2*time.Millisecond))
		again := there + back + time.Duration(r.ExpFloat64()*float64(2*time.Millisecond))
		all = append(all, Probe{Sent: c.at(t), Theirs: there, Received: c.at(again)})
	}
	return all
}

// moments are those of a run: some before, one each five seconds, some after.
func moments(length time.Duration, around int) []time.Duration {
	var all []time.Duration
	for i := range around {
		all = append(all, -time.Duration(i+1)*50*time.Millisecond)
	}
	for t := 5 * time.Second; t < length; t += 5 * time.Second {
		all = append(all, t)
	}
	for i := range around {
		all = append(all, length+time.Duration(i+1)*50*time.Millisecond)
	}
	return all
}

func TestTheTrueMomentIsAlwaysInsideTheBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := skewed{
			offset: time.Duration(rapid.Int64Range(-120e6, 120e6).Draw(t, "offset")),
			drift:  rapid.Float64Range(-0.99*ClockDrift, 0.99*ClockDrift).Draw(t, "drift"),
		}
		length := time.Duration(rapid.Int64Range(0, 600e9).Draw(t, "length"))
		out := time.Duration(rapid.Int64Range(0, 20e6).Draw(t, "out"))
		back := time.Duration(rapid.Int64Range(0, 20e6).Draw(t, "back"))
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		probes := c.probes(r, moments(length, rapid.IntRange(1, 12).Draw(t, "around")), out, back)
		for i := range probes { // some are lost
			if i > 0 && r.IntN(4) == 0 {
				probes[i] = probes[0]
			}
		}
		a, err := AxisOf(probes, c.at(0), c.at(length))
		if err != nil {
			t.Fatal(err)
		}
		for range 200 {
			at := time.Duration(r.Int64N(int64(length) + 1))
			if got := a.Moment(c.at(at)); got < at-a.Bound || got > at+a.Bound {
				t.Fatalf("what happened at %s is put at %s ± %s", at, got, a.Bound)
			}
		}
	})
}

func TestProbesAllAlongBoundTheClockClosely(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	c := skewed{offset: 37 * time.Millisecond, drift: 2e-5}
	for _, k := range []struct {
		name      string
		each      int // probes at a time
		out, back time.Duration
		most      time.Duration
	}{
		{"one probe at a time", 1, 100 * time.Microsecond, 100 * time.Microsecond, 3500 * time.Microsecond},
		{"five probes at a time", 5, 100 * time.Microsecond, 100 * time.Microsecond, 2 * time.Millisecond},
		{"5 ms longer one way", 5, 100 * time.Microsecond, 5 * time.Millisecond, 5 * time.Millisecond},
	} {
		at := slices.Repeat(moments(time.Minute, 20), k.each)
		a, err := AxisOf(c.probes(r, at, k.out, k.back), c.at(0), c.at(time.Minute))
		if err != nil || a.Bound > k.most {
			t.Errorf("%s: got ±%s (%v), want at most ±%s", k.name, a.Bound, err, k.most)
		}
		t.Logf("%s: ±%s", k.name, a.Bound)
	}
}

func TestAClockThatWasSetIsNoticed(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	c := skewed{offset: 37 * time.Millisecond}
	probes := c.probes(r, moments(time.Minute, 10), time.Millisecond, time.Millisecond)
	for i := range probes {
		if probes[i].Theirs > 30*time.Second {
			probes[i].Sent, probes[i].Received = probes[i].Sent+100*time.Millisecond, probes[i].Received+100*time.Millisecond
		}
	}
	if _, err := AxisOf(probes, 0, time.Minute); !errors.Is(err, ErrStepped) {
		t.Errorf("got %v, want %v", err, ErrStepped)
	}
	if _, err := AxisOf(nil, 0, time.Minute); !errors.Is(err, ErrUnprobed) {
		t.Errorf("without probes: got %v, want %v", err, ErrUnprobed)
	}
}

// Whatever stands in a file of probes: what is read bounds the clock or is
// nothing, and what is damaged is left out.
func FuzzReadProbes(f *testing.F) {
	var b bytes.Buffer
	for i := range 3 {
		at := time.Duration(i) * time.Second
		if err := AppendProbe(&b, Probe{Sent: at, Theirs: at + 1, Received: at + 2}); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(b.Bytes())
	f.Add(b.Bytes()[:b.Len()-5])
	f.Add([]byte(`{"sent":-9223372036854775808,"received":9223372036854775807,"theirs":1,"sum":0}` + "\n"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(filepath.Join(dir, ClockFile), text, 0o644); err != nil {
			t.Fatal(err)
		}
		probes, err := ReadProbes(dir)
		if err != nil {
			t.Fatal(err)
		}
		if a, err := AxisOf(probes, 0, time.Minute); err == nil && a.Bound < 0 {
			t.Errorf("got a bound of %s", a.Bound)
		}
	})
}

func TestADamagedProbeIsLeftOut(t *testing.T) {
	var b bytes.Buffer
	for i := range 10 {
		at := time.Duration(i) * time.Second
		if err := AppendProbe(&b, Probe{Sent: at, Theirs: at + 1000, Received: at + 2000}); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	for i := range b.Len() {
		text := bytes.Clone(b.Bytes())
		text[i] ^= 0x01
		if err := os.WriteFile(filepath.Join(dir, ClockFile), text, 0o644); err != nil {
			t.Fatal(err)
		}
		probes, err := ReadProbes(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range probes {
			if p.Theirs-p.Sent != 1000 || p.Received-p.Sent != 2000 || p.Sent%time.Second != 0 {
				t.Fatalf("byte %d flipped: %+v is believed", i, p)
			}
		}
		if len(probes) < 8 {
			t.Fatalf("byte %d flipped: %d of 10 probes are left", i, len(probes))
		}
	}
}
