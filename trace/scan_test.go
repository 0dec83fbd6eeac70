package trace

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"
)

// scanned reads a recording and writes what it holds as text: the format, what
// clients are told apart by, and each moment from the first with its client.
func scanned(text string, o Options) string {
	var out []string
	first := int64(-1)
	s, err := Scan("f", strings.NewReader(text), o, func(r Request) bool {
		if first < 0 {
			first = r.At
		}
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s", time.Duration(r.At-first), r.Key)))
		return true
	})
	if err != nil {
		return err.Error()
	}
	head := fmt.Sprintf("%s by %q, step %s", s.Format, s.Key, s.Resolution)
	for _, n := range s.Notes {
		head += " (" + n + ")"
	}
	if s.Skipped > 0 {
		head += fmt.Sprintf(", %d skipped", s.Skipped)
	}
	return head + ": " + strings.Join(out, ", ")
}

func TestRecordingsAreScanned(t *testing.T) {
	log := func(who, name, at string) string {
		return who + " - " + name + " [10/Oct/2025:13:55:" + at + "] \"GET /a HTTP/1.1\" 200 5\n"
	}
	har := func(entries string) string {
		return `{ "log": {"version": "1.2", "pages": [{"a": [1, {}]}], "entries": [` + entries + `]}}`
	}
	for _, c := range []struct {
		name, text string
		options    Options
		want       string
	}{
		{"clients of a log", log("::1", "-", "36 +0000") + log("::2", "-", "37 +0000"), Options{}, `access log by "address", step 1s: 0s ::1, 1s ::2`},
		{"users of a log", log("::1", "ann lee", "36 +0000") + log("::2", "bob", "37 +0000"), Options{Key: "user"}, `access log by "user", step 1s: 0s ann lee, 1s bob`},
		{"nobody told apart", log("::1", "-", "36 +0000") + log("::2", "-", "37 +0000"), Options{Key: NoKey}, `access log by "", step 1s: 0s, 1s`},
		{"an order of ends", log("a", "-", "39 +0000") + log("b", "-", "37 +0000") + log("c", "-", "38 +0000"), Options{}, `access log by "address", step 1s: 0s b, 1s c, 2s a`},
		{"another zone", log("a", "-", "36 +0000") + strings.Replace(log("b", "-", "37 +0200"), ":13:", ":15:", 1), Options{},
			`access log by "address", step 1s (line 2 is written in +0200, those before it in +0000: all are counted in UTC): 0s a, 1s b`},
		{"no such key of a log", log("a", "-", "36 +0000"), Options{Key: "cookie"}, `f: an access log has no key "cookie" (have ip, user, none)`},
		{"a column of clients", "time,user\n1.5,ann\n2,bob\n", Options{}, `CSV by "column user", step 1ms: 0s ann, 500ms bob`},
		{"a named column of clients", "when;who\n1;ann\n2;bob\n", Options{Column: "when", Key: "WHO"}, `CSV by "column who", step 1s: 0s ann, 1s bob`},
		{"no such column", "time,user\n1,ann\n", Options{Key: "who"}, `f, line 1: no column of keys is called "who" (have time, user)`},
		{"hours of silence", "1\n100000\n", Options{}, `CSV by "", step 1s: 0s, 27h46m39s`},
		{"dates without a zone", "2026-01-02 15:04:05.5\n2026-01-02T15:04:06\n", Options{}, `CSV by "", step 1ms: 0s, 500ms`},
		{"zones come and go", "2026-01-02 15:04:05\n2026-01-02T15:04:06Z\n", Options{}, "f, line 2: has a time zone, those before it have none (write all with one)"},
		{"lines left out", "time\n1\nx\n2\n1.5\n3\n", Options{SkipBad: true}, `CSV by "", step 1s, 2 skipped: 0s, 1s, 2s`},
		{"what matches", "time,path\n1,/a\n2,/b\n3,/a\n", Options{Match: regexp.MustCompile("/a$")}, `CSV by "", step 1s: 0s, 2s`},
		{"nothing matches", "time,path\n1,/a\n", Options{Match: regexp.MustCompile("/z")}, "f: holds no request that matches /z"},
		{"JSON lines", `{"@timestamp":"2026-01-02T15:04:05Z","client_ip":"::1"}` + "\n" + `{"@timestamp":"2026-01-02T15:04:06.25Z","client_ip":"::2"}`, Options{},
			`JSON lines by "field client_ip", step 1ms: 0s ::1, 1.25s ::2`},
		{"a field of a field", `{"ts":1.76e9,"request":{"headers":{"id":7}}}`, Options{Key: "request.headers.id"}, `JSON lines by "field request.headers.id", step 0s: 0s 7`},
		{"the time of nginx", `{"time_local":"10/Oct/2025:13:55:36 +0000"}` + "\n" + `{"time_local":"10/Oct/2025:13:55:38 +0000"}`, Options{}, `JSON lines by "", step 1s: 0s, 2s`},
		{"a line that is no JSON", `{"ts":1}` + "\n{\n" + `{"ts":"soon"}`, Options{},
			"f, line 2: not a JSON object: unexpected end of JSON input\n" + `f, line 3: not a time: "soon" (write 2026-01-02T15:04:05.123Z, or seconds since 1970)`},
		{"HAR", har(`{"startedDateTime":"2026-01-02T15:04:06Z","request":{"method":"GET","url":"/"}},{"startedDateTime":"2026-01-02T15:04:05Z"}`), Options{}, `HAR by "", step 1s: 0s, 1s`},
		{"HAR with a bad entry", har(`{"startedDateTime":7},{"startedDateTime":"2026-01-02T15:04:05Z"}`), Options{SkipBad: true}, `HAR by "", step 0s, 1 skipped: 0s`},
		{"HAR that breaks off", har(`{"startedDateTime":"2026-01-02T15:04:05Z"}`)[:100], Options{}, "f, entry"},
		{"a HAR without entries", `{"log": {"version": "1.2"}}`, Options{}, `f: not a HAR file: has no "entries"`},
		{"nothing", "", Options{}, "f: holds no request"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := scanned(c.text, c.options)
			if c.name == "HAR that breaks off" {
				if !strings.Contains(got, "breaks off, or is no JSON") {
					t.Errorf("got %s, want that it breaks off", got)
				}
				return
			}
			if got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
			var small bytes.Buffer
			z, err := zstd.NewWriter(&small)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(z, c.text)
			z.Close()
			if got := scanned(small.String(), c.options); got != c.want && c.text != "" {
				t.Errorf("compressed: got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// What a spool takes comes out again, as often as one likes, from memory and
// from its file.
func TestASpoolGivesBackWhatItTook(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := NewSpool("")
		var want []string
		at := rapid.Int64Range(0, 1<<60).Draw(t, "from")
		for range rapid.IntRange(0, 300).Draw(t, "requests") {
			at += rapid.SampledFrom([]int64{0, 1, 100, 1 << 20, 1 << 40}).Draw(t, "gap")
			key := rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "key")
			if err := s.Add(at, key); err != nil {
				t.Fatal(err)
			}
			want = append(want, fmt.Sprint(at, key))
		}
		if err := s.Seal(); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if got := passed(t, s); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("got %v, want %v", got, want)
			}
		}
	})
}

func passed(t interface{ Fatal(...any) }, s *Spool) []string {
	var got []string
	p := s.Pass()
	for p.Next() {
		got = append(got, fmt.Sprint(p.At, s.Name(p.Key)))
	}
	if p.Err() != nil {
		t.Fatal(p.Err())
	}
	return got
}

func TestALongRecordingIsKeptInAFile(t *testing.T) {
	dir := t.TempDir()
	s := NewSpool(dir)
	random := rand.New(rand.NewPCG(3, 4))
	var sum, count, at int64
	for s.file == nil || s.end < 3*blockBytes {
		at += random.Int64N(1 << 50)
		sum += at
		count++
		if err := s.Add(at, "k"); err != nil {
			t.Fatal(err)
		}
		if at > 1<<61 {
			at = 0
			s.last = 0 // the recording is only a test: what matters is that it is long
		}
	}
	if err := s.Seal(); err != nil {
		t.Fatal(err)
	}
	if s.memory > heldBytes {
		t.Errorf("%d bytes in memory, want at most %d", s.memory, heldBytes)
	}
	p := s.Pass()
	for p.Next() {
		sum -= p.At
		count--
	}
	if p.Err() != nil || count != 0 {
		t.Errorf("%d requests missing, %v", count, p.Err())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err == nil {
		t.Error("its file is there after Close")
	}
	late := NewSpool(dir)
	late.Add(5, "")
	if late.Add(4, "") == nil {
		t.Error("a spool takes what goes back in time")
	}
}

// Whatever is scanned comes in order, or it is said what is wrong.
func FuzzScan(f *testing.F) {
	for _, text := range []string{
		"5\n6\n", "time,user\n2026-01-02T15:04:05.9Z,b\n", "h - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.0\" 200 2\n",
		`{"ts":1.5,"request":{"ip":"x"}}` + "\n", `{"log":{"entries":[{"startedDateTime":"2026-01-02T15:04:05Z"}]}}`, "\x28\xb5\x2f\xfd", "\x1f\x8b\x08",
	} {
		f.Add([]byte(text), "", "", false)
		f.Add([]byte(text), "time", "user", true)
	}
	f.Fuzz(func(t *testing.T, text []byte, column, key string, skip bool) {
		last := int64(-1 << 62)
		n := 0
		s, err := Scan("f", bytes.NewReader(text), Options{Column: column, Key: key, SkipBad: skip}, func(r Request) bool {
			if r.At < last {
				t.Fatalf("%d after %d", r.At, last)
			}
			last = r.At
			n++
			return n < 1000
		})
		var mistakes Mistakes
		if err != nil && (!errors.As(err, &mistakes) || len(mistakes) == 0 || len(mistakes) > maxMistakes) {
			t.Fatalf("got %v, want from 1 to %d mistakes", err, maxMistakes)
		}
		if err == nil && (n == 0 || s.Requests < n) {
			t.Fatalf("%d requests, the summary says %d", n, s.Requests)
		}
	})
}
