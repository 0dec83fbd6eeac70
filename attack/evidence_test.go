package attack

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"duckload/limiter"
)

func TestOnlyWhatSpeaksOfLimitsIsKept(t *testing.T) {
	h := http.Header{}
	for _, line := range []string{
		"Retry-After: 3", "retry-after: soon", "Date: Mon, 01 Jan 2024 00:00:00 GMT", "RateLimit: \"a\";r=1", "RateLimit-Policy: \"a\";q=2",
		"RateLimit-Limit: 1", "X-RateLimit-Remaining: \x1b[31m", "X-Rate-Limit-Reset: 4", "X-Duckload-Source: ::1",
		"Server: x", "Set-Cookie: secret", "X-Retry-After: 1", "Content-Length: 1",
	} {
		name, value, _ := strings.Cut(line, ": ")
		h.Add(name, value)
	}
	want := limiter.Fields{
		{Name: "Date", Value: "Mon, 01 Jan 2024 00:00:00 GMT"},
		{Name: "Ratelimit", Value: "\"a\";r=1"},
		{Name: "Ratelimit-Limit", Value: "1"},
		{Name: "Ratelimit-Policy", Value: "\"a\";q=2"},
		{Name: "Retry-After", Value: "3"},
		{Name: "Retry-After", Value: "soon"},
		{Name: "X-Duckload-Source", Value: "::1"},
		{Name: "X-Rate-Limit-Reset", Value: "4"},
		{Name: "X-Ratelimit-Remaining", Value: "\x1b[31m"},
	}
	if got := evidence(h, nil, nil); !reflect.DeepEqual(got, want) {
		t.Errorf("got %s\nwant %s", list(got), list(want))
	}
}

func TestEvidenceIsBounded(t *testing.T) {
	h := http.Header{}
	for range 1000 {
		h.Add("Retry-After", strings.Repeat("9", 1<<20))
	}
	got := evidence(h, []byte(`{"a":"`+strings.Repeat("x", maxJSON)+`"}`), []string{"a"})
	if len(got) != maxFields+1 {
		t.Errorf("got %d values, want %d of headers and one of the body", len(got), maxFields)
	}
	for _, f := range got {
		if len(f.Value) != maxValue {
			t.Errorf("got a value of %d bytes, want %d", len(f.Value), maxValue)
		}
	}
}

func TestValuesAreFoundInABody(t *testing.T) {
	for body, want := range map[string]string{
		`{"error":{"code":"E4004"}}`:                    "E4004",
		`{"error":{"code":4004}}`:                       "4004",
		`{"error":{"code":12345678901234567890123}}`:    "12345678901234567890123",
		`{"error":{"code":true}}`:                       "true",
		`{"error":{"code":null}}`:                       "null",
		` {"error":{"other":1,"code":"x\u0000y"}} junk`: "x\x00y",
		`{"error":{"code":{}}}`:                         "absent",
		`{"error":{"code":[1]}}`:                        "absent",
		`{"error":"code"}`:                              "absent",
		`{"error.code":"E4004"}`:                        "absent",
		`{"error":{"code":"E4004"}`:                     "absent", // cut off
		`[{"code":1}]`:                                  "absent",
		``:                                              "absent",
		`<html>`:                                        "absent",
	} {
		got := "absent"
		if values := evidence(nil, []byte(body), []string{"error.code"}).Values("json:error.code"); len(values) > 0 {
			got = values[0]
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", body, got, want)
		}
	}
	got := evidence(nil, []byte(`{"errors":[{"code":1},{"code":2}]}`), []string{"errors.1.code", "errors.2.code", "errors.-1.code"})
	if want := (limiter.Fields{{Name: "json:errors.1.code", Value: "2"}}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestAWaitIsReadWhereItCanBeObeyed(t *testing.T) {
	const date = "Mon, 01 Jan 2024 00:00:00 GMT"
	for _, tc := range []struct {
		values []string
		date   string
		want   time.Duration
	}{
		{[]string{"0"}, "", 0},
		{[]string{"7"}, "", 7 * time.Second},
		{[]string{"86400"}, "", 24 * time.Hour},
		{[]string{"Mon, 01 Jan 2024 00:00:05 GMT"}, date, 6 * time.Second},
		{[]string{"Sun, 31 Dec 2023 00:00:05 GMT"}, date, 0},
		{[]string{"Mon, 01 Jan 2024 00:00:05 GMT"}, "", -1},
		{[]string{"Mon, 01 Jan 2024 00:00:05 GMT"}, "yesterday", -1},
		{[]string{"Fri, 31 Dec 9999 23:59:59 GMT"}, date, maxWait},
		{[]string{"4294967296"}, "", maxWait},
		{nil, date, -1},
		{[]string{"1", "2"}, "", -1},
		{[]string{"-1"}, "", -1},
		{[]string{"+1"}, "", -1},
		{[]string{"1.5"}, "", -1},
		{[]string{"99999999999999999999"}, "", maxWait},
		{[]string{"99999999999999999999x"}, "", -1},
		{[]string{""}, "", -1},
	} {
		var e limiter.Fields
		for _, v := range tc.values {
			e = append(e, limiter.Field{Name: "Retry-After", Value: v})
		}
		if tc.date != "" {
			e = append(e, limiter.Field{Name: "Date", Value: tc.date})
		}
		if got := retryAfter(e); got != tc.want {
			t.Errorf("%q at %q: got %v, want %v", tc.values, tc.date, got, tc.want)
		}
	}
}

func FuzzEvidence(f *testing.F) {
	f.Add("Retry-After", "3", []byte(`{"error":{"code":"E4004"}}`), "error.code")
	f.Add("Date", "Mon, 01 Jan 2024 00:00:00 GMT", []byte(`[[[[[[`), "0.0.0")
	f.Add("X-RateLimit-Reset", "\xff", []byte(`{"":{"":1}}`), ".")
	f.Fuzz(func(t *testing.T, name, value string, body []byte, path string) {
		h := http.Header{"Retry-After": {value}, http.CanonicalHeaderKey(name): {value, value}}
		kept := evidence(h, body, []string{path})
		for _, field := range kept {
			if len(field.Value) > maxValue {
				t.Errorf("kept %d bytes of %s", len(field.Value), field.Name)
			}
		}
		if wait := retryAfter(kept); wait < -1 || wait > maxWait {
			t.Errorf("read a wait of %v from %q", wait, value)
		}
	})
}
