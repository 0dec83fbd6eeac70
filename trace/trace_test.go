package trace

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
	"pgregory.net/rapid"
)

// offsetsOf reads a recording and returns what it holds as text.
func offsetsOf(t *testing.T, text, column string) string {
	t.Helper()
	tr, err := Read("f", strings.NewReader(text), column)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	out := []string{tr.Format}
	for i := range tr.Len() {
		out = append(out, tr.At(i).String())
	}
	return strings.Join(out, " ")
}

func TestTimesAreReadInEveryForm(t *testing.T) {
	for _, c := range []struct{ name, text, column, want string }{
		{"seconds", "1700000000\n1700000001.5\n1700000001.500000001", "", "CSV 0s 1.5s 1.500000001s"},
		{"milliseconds", "time\n1700000000000\n1700000000007.25\n", "", "CSV 0s 7.25ms"},
		{"microseconds", "1700000000000000\n1700000000000001", "", "CSV 0s 1µs"},
		{"nanoseconds", "1700000000000000000\n1700000000000000001", "", "CSV 0s 1ns"},
		{"offsets", "0\n0.25\n60", "", "CSV 0s 250ms 1m0s"},
		{"dates", "2026-01-02T15:04:05.9Z\n2026-01-02T16:04:06+01:00\n2026-01-02 15:04:07Z", "", "CSV 0s 100ms 1.1s"},
		{"alike", "5\n5\n5\n5.000000001\n6", "", "CSV 0s 1ns 2ns 3ns 1s"},
		{"one", "5", "", "CSV 0s"},
		{"a column by name", "id,When,path\n1,10,/a\n2,\"11\",\"/b,c\"\n", "when", "CSV 0s 1s"},
		{"a column by its usual name", "\uFEFFid;Timestamp\r\n1;10\r\n\r\n# a note\r\n2;12\r\n", "", "CSV 0s 2s"},
		{"tabs", "10\t/a\n12\t/b", "", "CSV 0s 2s"},
		{"common log", `10.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a HTTP/1.0" 200 23
10.0.0.1 - - [10/Oct/2000:20:55:36 +0000] "GET / HTTP/1.0" 200 2`, "", "access log 0s 1ns"},
		{"combined log, a second of disorder", `::1 - - [10/Oct/2000:13:55:36 +0000] "GET /[x] HTTP/1.1" 200 5 "-" "curl/8 [en]"
::1 - - [10/Oct/2000:13:55:35 +0000] "GET / HTTP/1.1" 200 5 "-" "-"
::1 - - [10/Oct/2000:13:56:35 +0000] "GET / HTTP/1.1" 200 5 "-" "-"`, "", "access log 0s 1s 1m0s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := offsetsOf(t, c.text, c.column); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			var zipped bytes.Buffer
			z := gzip.NewWriter(&zipped)
			io.WriteString(z, c.text)
			z.Close()
			if got := offsetsOf(t, zipped.String(), c.column); got != c.want {
				t.Errorf("compressed: got %q, want %q", got, c.want)
			}
		})
	}
}

func TestVegetaResultsAreReadInOrder(t *testing.T) {
	began := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for name, encoder := range map[string]func(io.Writer) vegeta.Encoder{
		"gob": vegeta.NewEncoder, "JSON": vegeta.NewJSONEncoder, "CSV": vegeta.NewCSVEncoder,
	} {
		var b bytes.Buffer
		encode := encoder(&b)
		for i, at := range []time.Duration{0, 200, 100, 300} {
			err := encode.Encode(&vegeta.Result{Seq: uint64(i), Code: 200, Timestamp: began.Add(at * time.Millisecond), Latency: time.Second,
				Method: "GET", URL: "http://x/", Headers: http.Header{"A": {"b"}}, Body: bytes.Repeat([]byte("x"), 5000)})
			if err != nil {
				t.Fatal(err)
			}
		}
		if got, want := offsetsOf(t, b.String(), ""), "vegeta results 0s 100ms 200ms 300ms"; got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
		cut := b.String()[:b.Len()*2/3]
		if _, err := Read("f", strings.NewReader(cut), ""); err == nil {
			t.Errorf("%s, cut off: got no mistake", name)
		}
	}
}

func TestWhatIsWrongHasItsLine(t *testing.T) {
	log := func(at string) string { return "h - - [" + at + "] \"GET / HTTP/1.1\" 200 5\n" }
	for _, c := range []struct{ name, text, column, want string }{
		{"nothing", "", "", "f: holds no request"},
		{"a header alone", "time\n", "", "f: holds no request"},
		{"back", "10\n11\n10.5\n12\n", "", "f, line 3: time goes back by 500ms (sort the recording by time)"},
		{"a gap", "10\n3611\n", "", "f, line 2: nothing for 1h0m1s before it (at most 1h0m0s; cut the recording there)"},
		{"negative", "-5\n3\n-0.5", "", "f, line 1: negative time -5\nf, line 3: negative time -0.5"},
		{"before 1970", "1969-12-31T23:59:59Z", "", "f, line 1: negative time: it is before 1970"},
		{"far", "9999-12-31T23:59:59Z\n99999999999999999999", "", "f, line 1: time is too far away: it is after the year 2100\n" +
			`f, line 2: not a time: "99999999999999999999" (write 2026-01-02T15:04:05.123Z, or seconds since 1970)`},
		{"another unit", "1700000000\n1700000000001", "", "f, line 2: time 1700000000001 is too far away (the first time was in seconds)"},
		{"no time", "t,time\na,5\na,x\na\n", "", "f, line 3: not a time: \"x\" (write 2026-01-02T15:04:05.123Z, or seconds since 1970)\nf, line 4: has 1 columns, the times are in column 2"},
		{"no such column", "a,b\n1,2\n", "when", `f, line 1: no column is called "when" (have a, b)`},
		{"which column", "a,b\n1,2\n", "", `f, line 1: which column holds the times? (have a, b; write column: NAME)`},
		{"quotation", "5,\"a\n", "", "f, line 1: a quotation mark too many or too few"},
		{"log", log("10/Oct/2000:13:55:36 +0000") + "hello\n" + log("39/Oct/2000:13:55:36 +0000") + log("10/Oct/2000:13:54:30 +0000"), "",
			"f, line 2: has no time as in [10/Oct/2000:13:55:36 -0700], got \"hello\"\nf, line 3: no such time: 39/Oct/2000:13:55:36 +0000\n" +
				"f, line 4: time goes back by 1m6s (sort the recording by time)"},
		{"a long line", "5\n" + strings.Repeat("6", 70_000), "", "f, line 2: longer than 64 KiB"},
		{"JSON of others", `{"when": 5}`, "", "f, line 1: which field holds the time? (have when; name it as the column)"},
		{"binary", "\x00\x01\x02", "", "f: holds no request"},
		{"bad gzip", "\x1f\x8b\x08zzz", "", "f: cannot be decompressed: unexpected EOF"},
		{"ten mistakes and no more", strings.Repeat("-1\n", 50), "", strings.TrimSuffix(func() (s string) {
			for i := range 10 {
				s += fmt.Sprintf("f, line %d: negative time -1\n", i+1)
			}
			return s
		}(), "\n")},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Read("f", strings.NewReader(c.text), c.column)
			var mistakes Mistakes
			if !errors.As(err, &mistakes) || err.Error() != c.want {
				t.Errorf("got\n%v\nwant\n%s", err, c.want)
			}
		})
	}
}

// Whatever was recorded comes back to the nanosecond, in whatever unit.
func TestRecordedTimesComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		gaps := rapid.SliceOfN(rapid.Int64Range(0, int64(time.Minute)), 1, 200).Draw(t, "gaps")
		unit := rapid.SampledFrom([]int64{1, 1e3, 1e6, 1e9}).Draw(t, "unit")
		at := rapid.Int64Range(1_000_000_000_000_000_000, 1_800_000_000_000_000_000).Draw(t, "from")
		var b strings.Builder
		var want []time.Duration
		first := at
		for i, gap := range gaps {
			at += gap
			if i == 0 {
				first = at
			}
			fmt.Fprintf(&b, "%d.%0*d\n", at/unit, len(fmt.Sprint(unit))-1, at%unit)
			moment := time.Duration(at - first)
			if i > 0 {
				moment = max(moment, want[i-1]+1)
			}
			want = append(want, moment)
		}
		tr, err := Read("f", strings.NewReader(b.String()), "")
		if err != nil {
			t.Fatal(err)
		}
		if tr.Len() != len(want) || tr.Length() != want[len(want)-1] {
			t.Fatalf("%d requests in %v, want %d in %v", tr.Len(), tr.Length(), len(want), want[len(want)-1])
		}
		for i := range want {
			if tr.At(i) != want[i] {
				t.Fatalf("request %d at %v, want %v", i, tr.At(i), want[i])
			}
		}
	})
}

// Whatever is read, the result keeps what it promises, or says what is wrong.
func FuzzRead(f *testing.F) {
	var gob bytes.Buffer
	encode := vegeta.NewEncoder(&gob)
	encode.Encode(&vegeta.Result{Code: 200, Timestamp: time.Unix(1.7e9, 0)})
	for _, text := range []string{
		"5\n6\n", "time,a\n2026-01-02T15:04:05.9Z,b\n", "h - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.0\" 200 2\n",
		`{"timestamp":"2026-01-02T15:04:05Z","code":200}` + "\n", gob.String(), "\x1f\x8b\x08",
		"1700000000000000000,200,5,0,0,,,,0,GET,http://x/,\n",
	} {
		f.Add([]byte(text), "")
		f.Add([]byte(text), "time")
	}
	f.Fuzz(func(t *testing.T, text []byte, column string) {
		tr, err := Read("f", bytes.NewReader(text), column)
		var mistakes Mistakes
		if err != nil {
			if !errors.As(err, &mistakes) || len(mistakes) == 0 || len(mistakes) > maxMistakes {
				t.Fatalf("got %v, want from 1 to %d mistakes", err, maxMistakes)
			}
			for _, line := range strings.Split(err.Error(), "\n") {
				if !strings.HasPrefix(line, "f") {
					t.Fatalf("a mistake of more than a line: %q", err)
				}
			}
			return
		}
		if !slices.IsSorted(tr.moments) || tr.At(0) != 0 || len(slices.Compact(tr.moments)) != tr.Len() {
			t.Fatalf("moments %v, want them to rise from 0, no two alike", tr.moments)
		}
	})
}
