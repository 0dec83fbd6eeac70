package history

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"duckload/limiter"
)

// someHeader has lanes and phases enough for the observations of these tests.
func someHeader() Header {
	return Header{
		Run:      "01JD9Z7V5N",
		Scenario: "story",
		Target:   "http://127.0.0.1:41377",
		Started:  time.Date(2026, 11, 23, 10, 14, 5, 123456789, time.UTC),
		Seed:     7,
		Planned:  100,
		Tool:     "test",
		Groups: []Group{
			{Name: "metrics", Counter: "metrics", Promise: limiter.Promise{
				Limits:   []limiter.Limit{{Limit: 100, Window: time.Minute, Burst: 200, Reading: limiter.TokenBucket}},
				Reject:   limiter.Rejection{Status: []int{429}},
				Admitted: []limiter.Statuses{{From: 200, To: 299}},
			}},
			{Name: "signup", Counter: "signup", DecidedWithin: time.Second},
		},
		Lanes:  []Lane{{Group: 0}, {Group: 0, Identity: "beak", Source: "127.0.0.2"}, {Group: 1}},
		Phases: []Phase{{Group: 0, Pace: "burst", Label: "burst 202"}, {Group: 1, Pace: "hold"}},
		Source: "version: 1\n",
	}
}

// realistic returns what a run of 500 requests a second over three lanes may
// look like: 4 of 5 admitted with a Date and a Remaining that counts down, the
// others rejected with Retry-After and a code in the body; moments with the
// jitter of a real sender and a real server.
func realistic(n int) []Observation {
	r := rand.New(rand.NewPCG(1, 2))
	started := someHeader().Started
	remaining := [3]int{200, 1000, 50}
	var seq [3]uint64
	all := make([]Observation, n)
	for i := range all {
		lane := i % 3
		o := Observation{Lane: lane, Phase: i * 2 / (n + 1), Seq: seq[lane], BytesOut: 84}
		seq[lane]++
		o.Intended = time.Duration(i) * 2 * time.Millisecond
		o.Sent = o.Intended + 20*time.Microsecond + time.Duration(200e3*r.ExpFloat64())
		o.Answered = o.Sent + 800*time.Microsecond + time.Duration(600e3*r.ExpFloat64())
		o.Done = o.Answered + 8*time.Microsecond + time.Duration(20e3*r.ExpFloat64())
		date := limiter.Field{Name: "Date", Value: started.Add(o.Answered).Format(http.TimeFormat)}
		if r.IntN(5) > 0 {
			remaining[lane] = (remaining[lane] + 999) % 1000
			o.Status, o.BytesIn = 200, 345
			o.Evidence = limiter.Fields{date, {Name: "X-Ratelimit-Remaining", Value: strconv.Itoa(remaining[lane])}}
		} else {
			o.Status, o.BytesIn = 429, 58
			wait := strconv.Itoa(1 + r.IntN(3))
			o.Evidence = limiter.Fields{date, {Name: "Retry-After", Value: wait}, {Name: "json:error.code", Value: "E4004"}}
		}
		all[i] = o
	}
	return all
}

// record writes observations, flushing where told, and returns the folder.
func record(t testing.TB, all []Observation, end *End, flush func(i int) bool) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "observations")
	w, err := Create(dir, someHeader())
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range all {
		if err := w.Append(o); err != nil {
			t.Fatal(err)
		}
		if flush != nil && flush(i) {
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if end == nil {
		return dir
	}
	if err := w.Close(*end); err != nil {
		t.Fatal(err)
	}
	return dir
}

func every(n int) func(int) bool { return func(i int) bool { return (i+1)%n == 0 } }

func read(t testing.TB, h *History) []Observation {
	t.Helper()
	var all []Observation
	for o, err := range h.All() {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, o)
	}
	return all
}

func open(t testing.TB, dir string) *History {
	t.Helper()
	h, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// same fails with the first observation that differs.
func same(t testing.TB, got, want []Observation) {
	t.Helper()
	for i := range min(len(got), len(want)) {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Fatalf("observation %d: got %+v, want %+v", i, got[i], want[i])
		}
	}
	if len(got) != len(want) {
		t.Fatalf("got %d observations, want %d", len(got), len(want))
	}
}

func TestARecordComesBackAsItWasWritten(t *testing.T) {
	want := realistic(20000)
	end := End{At: 40 * time.Second, Reason: "budget", Offered: 20000, Notes: []string{"late"}}
	h := open(t, record(t, want, &end, nil))
	same(t, read(t, h), want)
	if !reflect.DeepEqual(h.End, &end) {
		t.Errorf("end: got %+v, want %+v", h.End, end)
	}
	header := someHeader()
	header.Version = Version
	if !reflect.DeepEqual(h.Header, header) {
		t.Errorf("header: got %+v, want %+v", h.Header, header)
	}
	if len(h.Missing)+len(h.Notes) != 0 {
		t.Errorf("remarks on a whole record: got %q and %q, want none", h.Missing, h.Notes)
	}
	if got := h.Outcome(want[0]); got != limiter.Admitted {
		t.Errorf("outcome of %d: got %v, want admitted", want[0].Status, got)
	}
}

func anyMoment() *rapid.Generator[time.Duration] {
	return rapid.Custom(func(t *rapid.T) time.Duration {
		return rapid.OneOf(
			rapid.Just(Never),
			rapid.Just(time.Duration(math.MinInt64)),
			rapid.Just(time.Duration(0)),
			rapid.Map(rapid.Int64Range(0, int64(time.Hour)), func(v int64) time.Duration { return time.Duration(v) }),
			rapid.Map(rapid.Int64(), func(v int64) time.Duration { return time.Duration(v) }),
		).Draw(t, "moment")
	})
}

func anyObservation() *rapid.Generator[Observation] {
	text := rapid.OneOf(rapid.SampledFrom([]string{"", "Date", "Retry-After", "1", "2", "E4004"}), rapid.String())
	field := rapid.Custom(func(t *rapid.T) limiter.Field {
		return limiter.Field{Name: text.Draw(t, "name"), Value: text.Draw(t, "value")}
	})
	return rapid.Custom(func(t *rapid.T) Observation {
		o := Observation{
			Lane:     rapid.IntRange(0, 2).Draw(t, "lane"),
			Phase:    rapid.IntRange(0, 1).Draw(t, "phase"),
			Seq:      rapid.Uint64().Draw(t, "seq"),
			Request:  rapid.Int().Draw(t, "request"),
			Intended: anyMoment().Draw(t, "intended"),
			Sent:     anyMoment().Draw(t, "sent"),
			Answered: anyMoment().Draw(t, "answered"),
			Done:     anyMoment().Draw(t, "done"),
			Resent:   rapid.Bool().Draw(t, "resent"),
			Unsent:   rapid.Bool().Draw(t, "unsent"),
			Look:     limiter.Look(rapid.IntRange(0, 2).Draw(t, "look")),
			Status:   rapid.Int().Draw(t, "status"),
			Error:    text.Draw(t, "error"),
			BytesIn:  rapid.Int64().Draw(t, "in"),
			BytesOut: rapid.Int64().Draw(t, "out"),
		}
		if fields := rapid.SliceOfN(field, 0, 4).Draw(t, "evidence"); len(fields) > 0 {
			o.Evidence = fields
		}
		return o
	})
}

func TestAnyObservationComesBackExactly(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		want := rapid.SliceOfN(anyObservation(), 0, 40).Draw(r, "observations")
		frame := rapid.IntRange(1, 50).Draw(r, "observations in a frame")
		most := rapid.SampledFrom([]int64{1, 3000, segmentSize}).Draw(r, "size of a segment")
		dir := filepath.Join(t.TempDir(), "observations")
		w, err := create(dir, someHeader(), most, createFile)
		if err != nil {
			r.Fatal(err)
		}
		for i, o := range want {
			if err := w.Append(o); err != nil {
				r.Fatal(err)
			}
			if every(frame)(i) {
				if err := w.Flush(); err != nil {
					r.Fatal(err)
				}
			}
		}
		if err := w.Close(End{Complete: true}); err != nil {
			r.Fatal(err)
		}
		h, err := Open(dir)
		if err != nil {
			r.Fatal(err)
		}
		if len(h.Missing)+len(h.Notes) > 0 || h.End == nil {
			r.Fatalf("a whole record: got missing %q, notes %q, end %v", h.Missing, h.Notes, h.End)
		}
		var got []Observation
		for o, err := range h.All() {
			if err != nil {
				r.Fatal(err)
			}
			got = append(got, o)
		}
		if !slices.EqualFunc(got, want, func(a, b Observation) bool { return reflect.DeepEqual(a, b) }) {
			r.Fatalf("got %+v, want %+v", got, want)
		}
	})
}

func TestAHistoryCanBeReadOftenAndSideBySide(t *testing.T) {
	want := realistic(9000)
	h := open(t, record(t, want, &End{}, nil))
	for range 2 {
		same(t, read(t, h), want)
	}
	i := 0
	for o, err := range h.All() {
		if err != nil {
			t.Fatal(err)
		}
		if i%3000 == 0 { // another one in the midst of this one
			same(t, read(t, h), want)
		}
		if !reflect.DeepEqual(o, want[i]) {
			t.Fatalf("observation %d: got %+v, want %+v", i, o, want[i])
		}
		i++
	}
	for range h.All() {
		break // leaving early is allowed
	}
}

func TestEqualEvidenceIsOneSlice(t *testing.T) {
	fields := limiter.Fields{{Name: "Retry-After", Value: "3"}}
	want := []Observation{{Evidence: fields}, {Evidence: slices.Clone(fields)}, {Evidence: limiter.Fields{{Name: "Retry-After", Value: "4"}}}}
	got := read(t, open(t, record(t, want, &End{}, nil)))
	same(t, got, want)
	if &got[0].Evidence[0] != &got[1].Evidence[0] {
		t.Error("the same evidence twice: got two slices, want one")
	}
	if &got[0].Evidence[0] == &got[2].Evidence[0] {
		t.Error("different evidence: got one slice, want two")
	}
}

func TestWhatAConsumerKeepsDoesNotChange(t *testing.T) {
	want := realistic(3 * frameCount)
	h := open(t, record(t, want, &End{}, nil))
	var kept []Observation
	for o, err := range h.All() {
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, o)
	}
	same(t, kept, want) // after every buffer was used again
}

func TestAgentsAreOneHistory(t *testing.T) {
	all := realistic(6000)
	dir := t.TempDir()
	var parts [3][]Observation
	for i, o := range all {
		parts[i%3] = append(parts[i%3], o)
	}
	for i, part := range parts {
		w, err := Create(filepath.Join(dir, fmt.Sprintf("agent-%d", i)), someHeader())
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range part {
			if err := w.Append(o); err != nil {
				t.Fatal(err)
			}
		}
		reason := ""
		if i == 1 {
			reason = "interrupted"
		}
		if err := w.Close(End{At: time.Duration(i), Complete: i != 1, Offered: 10, Reason: reason}); err != nil {
			t.Fatal(err)
		}
	}
	h := open(t, dir)
	got := read(t, h)
	if len(got) != len(all) {
		t.Fatalf("got %d observations, want %d", len(got), len(all))
	}
	var split [3][]Observation
	for _, o := range got {
		split[o.Lane] = append(split[o.Lane], o) // realistic gives lane i%3
	}
	for i := range parts {
		same(t, split[i], parts[i])
	}
	want := &End{At: 2, Reason: "interrupted", Offered: 30}
	if !reflect.DeepEqual(h.End, want) {
		t.Errorf("end: got %+v, want %+v", h.End, want)
	}
}

func TestAgentsOfTwoRunsAreNot(t *testing.T) {
	dir := t.TempDir()
	for i := range 2 {
		header := someHeader()
		header.Run = fmt.Sprint("run ", i)
		w, err := Create(filepath.Join(dir, fmt.Sprint(i)), header)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Close(End{}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := Open(dir)
	contains(t, err, `of run "run 1", beside one of run "run 0"`)
}

func TestCollectSortsBySent(t *testing.T) {
	all := []Observation{{Seq: 1, Sent: Never}, {Seq: 2, Sent: -1}, {Seq: 3, Sent: 5}}
	got, err := open(t, record(t, all, &End{}, nil)).Collect()
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, []Observation{all[1], all[2], all[0]})
}

// A copy beside its original would count every request twice.
func TestTheSameRecordTwiceIsRefused(t *testing.T) {
	b, _ := small(t)
	dir := t.TempDir()
	for _, name := range []string{"", "copy"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(segmentPath(filepath.Join(dir, name), 0), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	_, err := Open(dir)
	contains(t, err, "copy is the same record as "+dir)
}
