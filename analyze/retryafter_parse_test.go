package analyze

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"duckload/limiter"
)

const at = "Tue, 24 Nov 2026 10:00:00 GMT" // the Date of answers in these tests

func answerFields(pairs ...string) limiter.Fields {
	var f limiter.Fields
	for i := 0; i < len(pairs); i += 2 {
		f = append(f, limiter.Field{Name: pairs[i], Value: pairs[i+1]})
	}
	return f
}

func TestRetryAfterIsReadByTheGrammar(t *testing.T) {
	for _, c := range []struct {
		name   string
		fields limiter.Fields
		want   retryAfter
	}{
		{"seconds", answerFields("Retry-After", "5"), retryAfter{delay: 5 * time.Second}},
		{"zero", answerFields("Retry-After", "0"), retryAfter{}},
		{"leading zeros", answerFields("Retry-After", "007"), retryAfter{delay: 7 * time.Second}},
		{"space around", answerFields("Retry-After", " 5\t"), retryAfter{delay: 5 * time.Second}},
		{"huge", answerFields("Retry-After", strings.Repeat("9", 40)), retryAfter{delay: math.MaxInt64}},
		{"date", answerFields("Date", at, "Retry-After", "Tue, 24 Nov 2026 10:00:07 GMT"), retryAfter{isDate: true, delay: 7 * time.Second}},
		{"past date", answerFields("Date", at, "Retry-After", "Tue, 24 Nov 2026 09:59:00 GMT"), retryAfter{isDate: true, delay: -time.Minute}},
		{"RFC 850 date", answerFields("Date", at, "Retry-After", "Tuesday, 24-Nov-26 10:00:07 GMT"), retryAfter{isDate: true, delay: 7 * time.Second}},
		{"asctime date", answerFields("Date", at, "Retry-After", "Tue Nov 24 10:00:07 2026"), retryAfter{isDate: true, delay: 7 * time.Second}},
		{"date without Date", answerFields("Retry-After", at), retryAfter{isDate: true, undated: true}},

		{"missing", answerFields("Date", at), retryAfter{defect: missing}},
		{"twice", answerFields("Retry-After", "5", "Retry-After", "5"), retryAfter{defect: twice}},
		{"joined", answerFields("Retry-After", "5, 7"), retryAfter{defect: twice}},
		{"empty", answerFields("Retry-After", ""), retryAfter{defect: empty}},
		{"blank", answerFields("Retry-After", "  "), retryAfter{defect: empty}},
		{"negative", answerFields("Retry-After", "-1466247819"), retryAfter{defect: negative}},
		{"negative fraction", answerFields("Retry-After", "-0.5"), retryAfter{defect: negative}},
		{"fraction of nothing", answerFields("Retry-After", "5.000"), retryAfter{defect: fractional}},
		{"fraction", answerFields("Retry-After", "0.493"), retryAfter{defect: fractional}},
		{"bare fraction", answerFields("Retry-After", ".5"), retryAfter{defect: fractional}},
		{"UTC", answerFields("Date", at, "Retry-After", "Tue, 24 Nov 2026 10:00:07 UTC"), retryAfter{defect: wrongZone}},
		{"offset", answerFields("Date", at, "Retry-After", "Tue, 24 Nov 2026 10:00:07 +0000"), retryAfter{defect: wrongZone}},
		{"no zone", answerFields("Date", at, "Retry-After", "Tue, 24 Nov 2026 10:00:07"), retryAfter{defect: wrongZone}},
		{"RFC 3339", answerFields("Retry-After", "2026-11-24T10:00:07Z"), retryAfter{defect: wrongDate}},
		{"plus sign", answerFields("Retry-After", "+5"), retryAfter{defect: unreadable}},
		{"unit", answerFields("Retry-After", "5s"), retryAfter{defect: unreadable}},
		{"exponent", answerFields("Retry-After", "1e3"), retryAfter{defect: unreadable}},
		{"words", answerFields("Retry-After", "soon"), retryAfter{defect: unreadable}},
		{"not a moment", answerFields("Retry-After", "NaN"), retryAfter{defect: unreadable}},
	} {
		got := parseRetryAfter(c.fields)
		got.text = ""
		if got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestHeaderNamesOfAnyCaseAreRead(t *testing.T) {
	got := parseRetryAfter(answerFields("date", at, "retry-after", "Tue, 24 Nov 2026 10:00:07 GMT"))
	if want := (retryAfter{text: "Tue, 24 Nov 2026 10:00:07 GMT", isDate: true, delay: 7 * time.Second}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"5", "-5", "5.5", "", at, "Tue, 24 Nov 2026 10:00:07 UTC", "Tuesday, 24-Nov-26 10:00:07 GMT", "Tue Nov  4 10:00:07 2026", "5, 6", "99999999999999999999"} {
		f.Add(s, at)
	}
	f.Fuzz(func(t *testing.T, value, date string) {
		r := parseRetryAfter(answerFields("Date", date, "Retry-After", value))
		trimmed := strings.Trim(value, " \t")
		if n, err := strconv.ParseUint(trimmed, 10, 32); err == nil && trimmed[0] != '+' && (r.defect != "" || r.delay != time.Duration(n)*time.Second) {
			t.Errorf("%q: got %+v, want %d s", value, r, n)
		}
		if _, err := http.ParseTime(trimmed); err != nil && r.isDate {
			t.Errorf("%q: got a date, want what net/http refuses to be none", value)
		}
		if r.defect != "" && (r.delay != 0 || r.isDate) {
			t.Errorf("%q: got %+v, want nothing but a defect", value, r)
		}
	})
}
