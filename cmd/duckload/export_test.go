package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
	"github.com/tsenart/vegeta/v12/lib/plot"
	"pgregory.net/rapid"

	"duckload/history"
	"duckload/limiter"
)

func exportHeader() history.Header {
	promise := limiter.Promise{
		Reject:   limiter.Rejection{Status: []int{429}},
		Admitted: []limiter.Statuses{{From: 200, To: 299}},
	}
	return history.Header{
		Target:  "http://127.0.0.1:41377",
		Started: time.Date(2026, 11, 23, 10, 14, 5, 123456789, time.UTC),
		Groups:  []history.Group{{Name: "metrics", Promise: promise}, {Name: "signup", Promise: promise}},
		Lanes:   []history.Lane{{Group: 0}, {Group: 1, Identity: "beak", Source: "127.0.0.2"}, {Group: 1, Source: "127.0.0.3"}},
		Phases:  []history.Phase{{Group: 0, Pace: "burst", Label: "burst 202"}, {Group: 1, Pace: "hold", Label: "hold 80 %"}},
	}
}

// exportStory is 60 seconds of three lanes in two groups, in order of
// completion, which is not that of sending. Rejections begin at 30 s; one
// request in fifty was sent twice, and one fails.
func exportStory() []history.Observation {
	r := rand.New(rand.NewPCG(3, 4))
	var all []history.Observation
	var seq [3]uint64
	for i := range 3000 {
		lane := i % 3
		o := history.Observation{Lane: lane, Phase: min(lane, 1), Seq: seq[lane], Intended: time.Duration(i) * 20 * time.Millisecond}
		seq[lane]++
		o.Sent = o.Intended + time.Duration(r.IntN(1e6))
		o.Answered = o.Sent + time.Duration(r.IntN(80e6))
		o.Done = o.Answered + 10*time.Microsecond
		o.Status, o.BytesIn, o.BytesOut = 200, 300, 80
		o.Evidence = limiter.Fields{{Name: "X-Ratelimit-Remaining", Value: fmt.Sprint(i % 200)}}
		if i > 1500 && i%4 == 0 {
			o.Status = 429
			o.Evidence = limiter.Fields{{Name: "Retry-After", Value: "3"}, {Name: "json:error.code", Value: "E4004"}}
		}
		if i%50 == 0 {
			dead := o
			dead.Resent, dead.Status, dead.Answered, dead.Evidence = true, 0, history.Never, nil
			all = append(all, dead)
			o.Sent += time.Millisecond
		}
		if i == 2000 {
			o.Status, o.Answered, o.Error, o.Evidence = 0, history.Never, "timeout", nil
		}
		all = append(all, o)
	}
	slices.SortStableFunc(all, func(a, b history.Observation) int { return int(a.Done - b.Done) })
	return all
}

// recorded takes a history through the disk, as the command does.
func recorded(t testing.TB, header history.Header, all []history.Observation) *history.History {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "observations")
	w, err := history.Create(dir, header)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range all {
		if err := w.Append(o); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(history.End{Complete: true}); err != nil {
		t.Fatal(err)
	}
	h, err := history.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func exportTo(t testing.TB, h *history.History, to string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := exportRun(&b, h, to); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func vegetaResults(t testing.TB, b []byte) []vegeta.Result {
	t.Helper()
	decode := vegeta.DecoderFor(bytes.NewReader(b)) // as the vegeta command looks at a file
	if decode == nil {
		t.Fatal("vegeta does not know the format")
	}
	var all []vegeta.Result
	for {
		var r vegeta.Result
		err := decode(&r)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
}

func TestVegetaReportsWhatWasRecorded(t *testing.T) {
	all := exportStory()
	var metrics vegeta.Metrics
	codes := map[string]int{}
	var latency time.Duration
	for _, o := range all {
		if !o.Resent {
			codes[fmt.Sprint(o.Status)]++
			latency += o.Done - o.Sent
		}
	}
	for _, r := range vegetaResults(t, exportTo(t, recorded(t, exportHeader(), all), "vegeta")) {
		metrics.Add(&r)
	}
	metrics.Close()
	if metrics.Requests != 3000 {
		t.Errorf("requests: got %d, want 3000: resent attempts are none of vegeta's", metrics.Requests)
	}
	if !reflect.DeepEqual(metrics.StatusCodes, codes) {
		t.Errorf("status codes: got %v, want %v", metrics.StatusCodes, codes)
	}
	if metrics.Latencies.Total != latency {
		t.Errorf("sum of latencies: got %v, want %v", metrics.Latencies.Total, latency)
	}
	if metrics.BytesIn.Total != 3000*300 || metrics.BytesOut.Total != 3000*80 {
		t.Errorf("bytes: got %d and %d, want %d and %d", metrics.BytesIn.Total, metrics.BytesOut.Total, 3000*300, 3000*80)
	}
	slices.Sort(metrics.Errors)
	if want := []string{"429 Too Many Requests", "timeout"}; !slices.Equal(metrics.Errors, want) {
		t.Errorf("errors: got %q, want %q", metrics.Errors, want)
	}
	first := exportHeader().Started.Add(slices.MinFunc(all, func(a, b history.Observation) int { return int(a.Sent - b.Sent) }).Sent)
	if d := metrics.Earliest.Sub(first); d < 0 || d > 2*time.Millisecond {
		t.Errorf("earliest: got %v, want %v", metrics.Earliest, first)
	}
}

// A plotPoint on vegeta's page has a time, and a value for one of the four
// series.
var plotPoint = regexp.MustCompile(`\[[0-9.]+(,null)*,[0-9.]+(,null)*\]`)

func TestVegetaPlotsEveryRequest(t *testing.T) {
	results := vegetaResults(t, exportTo(t, recorded(t, exportHeader(), exportStory()), "vegeta"))
	p := plot.New()
	for _, r := range results {
		if err := p.Add(&r); err != nil {
			t.Fatal(err)
		}
	}
	p.Close()
	var page bytes.Buffer
	if _, err := p.WriteTo(&page); err != nil {
		t.Fatal(err)
	}
	points := slices.DeleteFunc(plotPoint.FindAllString(page.String(), -1), func(point string) bool {
		return strings.Count(point, ",") != 4 // the page's own scripts have brackets too
	})
	if len(points) != len(results) {
		t.Errorf("got %d points on the page, want %d", len(points), len(results))
	}
	for _, label := range []string{"metrics: OK", "metrics: ERROR", "signup: OK", "signup: ERROR"} {
		if !strings.Contains(page.String(), label) {
			t.Errorf("no series %q on the page", label)
		}
	}
}

func TestVegetaSeqsAreWithoutGapsAndInOrderOfTime(t *testing.T) {
	byAttack := map[string][]vegeta.Result{}
	for _, r := range vegetaResults(t, exportTo(t, recorded(t, exportHeader(), exportStory()), "vegeta")) {
		byAttack[r.Attack] = append(byAttack[r.Attack], r)
	}
	if len(byAttack) != 2 || len(byAttack["metrics"]) != 1000 || len(byAttack["signup"]) != 2000 {
		t.Fatalf("got %d attacks, want metrics with 1000 and signup with 2000 results", len(byAttack))
	}
	for attack, results := range byAttack {
		slices.SortFunc(results, func(a, b vegeta.Result) int { return int(a.Seq) - int(b.Seq) })
		for i, r := range results {
			if r.Seq != uint64(i) {
				t.Fatalf("%s: got sequence number %d, want %d", attack, r.Seq, i)
			}
			if i > 0 && r.Timestamp.Before(results[i-1].Timestamp) {
				t.Fatalf("%s: %d is before %d", attack, i, i-1)
			}
		}
	}
}

func TestAVegetaResultSaysWhatVegetaWouldHave(t *testing.T) {
	h := history.Of(exportHeader(), nil, nil)
	at := history.Observation{Sent: time.Second, Answered: 2 * time.Second, Done: 3 * time.Second, Status: 200}
	with := func(change func(*history.Observation)) history.Observation {
		o := at
		change(&o)
		return o
	}
	cases := []struct {
		name  string
		o     history.Observation
		code  uint16
		error string
	}{
		{"an admission", at, 200, ""},
		{"a redirect", with(func(o *history.Observation) { o.Status = 302 }), 302, ""},
		{"a rejection", with(func(o *history.Observation) { o.Status = 429 }), 429, "429 Too Many Requests"},
		{"an unheard-of status", with(func(o *history.Observation) { o.Status = 799 }), 799, "799"},
		{"a failure", with(func(o *history.Observation) { o.Status, o.Error = 0, "refused" }), 0, "refused"},
		{"a body that broke off", with(func(o *history.Observation) { o.Error = "reset" }), 0, "reset"},
		{"silence", with(func(o *history.Observation) { o.Status = 0 }), 0, "no answer"},
		{"no status at all", with(func(o *history.Observation) { o.Status = 70000 }), 0, "no answer"},
	}
	for _, c := range cases {
		r := vegetaResult(h, c.o)
		if r.Code != c.code || r.Error != c.error {
			t.Errorf("%s: got %d %q, want %d %q", c.name, r.Code, r.Error, c.code, c.error)
		}
		if r.Latency != 2*time.Second || !r.Timestamp.Equal(exportHeader().Started.Add(time.Second)) {
			t.Errorf("%s: got %v after %v, want 2s after 1s", c.name, r.Latency, r.Timestamp)
		}
	}
	o := with(func(o *history.Observation) {
		o.Evidence = limiter.Fields{{Name: "Retry-After", Value: "3"}, {Name: "Retry-After", Value: "4"}, {Name: "json:error.code", Value: "E4004"}}
	})
	if got := vegetaResult(h, o).Headers; len(got) != 1 || !slices.Equal(got["Retry-After"], []string{"3", "4"}) {
		t.Errorf("headers: got %v, want Retry-After twice", got)
	}
}

func TestNDJSONHasEveryObservation(t *testing.T) {
	all := exportStory()
	h := recorded(t, exportHeader(), all)
	lines := bytes.Split(bytes.TrimSuffix(exportTo(t, h, "ndjson"), []byte("\n")), []byte("\n"))
	if len(lines) != len(all) {
		t.Fatalf("got %d lines, want %d", len(lines), len(all))
	}
	for i, line := range lines {
		var got exported
		if err := json.Unmarshal(line, &got); err != nil {
			t.Fatal(err)
		}
		if want := export(h, all[i]); !reflect.DeepEqual(got, want) {
			t.Fatalf("line %d: got %+v, want %+v", i+1, got, want)
		}
	}
	want := `{"group":"metrics","identity":"","source":"","lane":0,"pace":"burst","phase":"burst 202","seq":0,"request":0,` +
		`"sent_unix_ns":1795428845123456789,"intended_ns":0,"sent_ns":0,"answered_ns":null,"done_ns":9,"resent":false,"unsent":false,"status":0,` +
		`"outcome":"unknown","error":"reset","bytes_in":0,"bytes_out":0,"evidence":[]}` + "\n"
	one := history.Of(exportHeader(), []history.Observation{{Answered: history.Never, Done: 9, Error: "reset"}}, nil)
	if got := string(exportTo(t, one, "ndjson")); got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}

func TestCSVHasALineForEachObservation(t *testing.T) {
	all := exportStory()
	rows, err := csv.NewReader(bytes.NewReader(exportTo(t, recorded(t, exportHeader(), all), "csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != len(all)+1 || !slices.Equal(rows[0], csvColumns) {
		t.Fatalf("got %d lines under %q, want %d under %q", len(rows)-1, rows[0], len(all), csvColumns)
	}
	at := func(i int, column string) string { return rows[i+1][slices.Index(csvColumns, column)] }
	for i, o := range all {
		answered := fmt.Sprint(int64(o.Answered))
		if o.Answered == history.Never {
			answered = ""
		}
		if at(i, "sent_ns") != fmt.Sprint(int64(o.Sent)) || at(i, "answered_ns") != answered || at(i, "status") != fmt.Sprint(o.Status) {
			t.Fatalf("line %d: got %q, want %+v", i+2, rows[i+1], o)
		}
	}
}

func TestCSVAndNDJSONHaveTheSameNames(t *testing.T) {
	var names []string
	of := reflect.TypeFor[exported]()
	for i := range of.NumField() {
		names = append(names, of.Field(i).Tag.Get("json"))
	}
	if !slices.Equal(csvColumns, names) {
		t.Errorf("csv: got %q, want %q", csvColumns, names)
	}
}

// Whatever a server sends, no part of the line that a spreadsheet may cut out
// begins like a formula, and the evidence still says what it said.
func TestNoCellIsAFormula(t *testing.T) {
	text := rapid.OneOf(
		rapid.SampledFrom([]string{"=1+1", "+1", "-1", "@SUM(A1)", ";=1", "\t=1", ",-1", "\",=1", "1\r\n=1", " =1", "＝1", "é=1"}),
		rapid.StringOf(rapid.SampledFrom([]rune(`=+-@;,|" '\a1é`+"\t\r\n"))),
	)
	rapid.Check(t, func(r *rapid.T) {
		header := exportHeader()
		header.Groups[0].Name = text.Draw(r, "group")
		header.Phases[0].Label = text.Draw(r, "phase")
		o := history.Observation{
			Error:    text.Draw(r, "error"),
			Evidence: limiter.Fields{{Name: text.Draw(r, "name"), Value: text.Draw(r, "value")}},
		}
		var b bytes.Buffer
		if err := exportRun(&b, history.Of(header, []history.Observation{o}, nil), "csv"); err != nil {
			r.Fatal(err)
		}
		rows, err := csv.NewReader(&b).ReadAll()
		if err != nil || len(rows) != 2 {
			r.Fatalf("got %d lines (%v), want 2", len(rows), err)
		}
		for _, cell := range rows[1] {
			if begin := strings.TrimLeft(cell, " "); begin != "" && strings.ContainsAny(begin[:1], "=+-@\t\r\n") {
				r.Errorf("got a cell that begins with %q: %q", begin[0], cell)
			}
		}
		evidence := rows[1][len(csvColumns)-1]
		for _, part := range strings.FieldsFunc(evidence, func(c rune) bool { return strings.ContainsRune(`,;|" '`+"\t", c) }) {
			if strings.ContainsAny(part[:1], "=+-@") {
				r.Errorf("got evidence with %q behind a separator: %q", part, evidence)
			}
		}
		var back limiter.Fields
		if err := json.Unmarshal([]byte(evidence), &back); err != nil || !reflect.DeepEqual(back, o.Evidence) {
			r.Errorf("got evidence %q (%v), want %q", back, err, o.Evidence)
		}
	})
}

func TestAnUnknownExportFormatIsNamed(t *testing.T) {
	err := exportRun(io.Discard, history.Of(exportHeader(), nil, nil), "parquet")
	if want := `unknown export format "parquet" (have vegeta, csv, ndjson)`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
}

func TestExportOfNothingIsNothing(t *testing.T) {
	h := history.Of(exportHeader(), nil, nil)
	for _, f := range exportFormats {
		want := ""
		if f.name == "csv" {
			want = strings.Join(csvColumns, ",") + "\n"
		}
		if got := string(exportTo(t, h, f.name)); got != want {
			t.Errorf("%s: got %q, want %q", f.name, got, want)
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestExportSaysWhenTheDiskIsFull(t *testing.T) {
	h := history.Of(exportHeader(), exportStory(), nil)
	for _, f := range exportFormats {
		if err := exportRun(fullDisk{}, h, f.name); err == nil || !strings.Contains(err.Error(), "no space left") {
			t.Errorf("%s: got %v, want the disk's error", f.name, err)
		}
	}
}
