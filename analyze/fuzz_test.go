package analyze

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/dunglas/httpsfv"

	"duckload/history"
	"duckload/limiter"
)

// A tape is bytes that a fuzzer chose, read as numbers.
type tape struct{ rest []byte }

func (t *tape) num() int64 {
	v, n := binary.Varint(t.rest)
	if n <= 0 {
		t.rest = nil
		return 0
	}
	t.rest = t.rest[n:]
	return v
}

func (t *tape) text() string {
	n := min(int(uint64(t.num())%64), len(t.rest))
	text := string(t.rest[:n])
	t.rest = t.rest[n:]
	return text
}

// of returns a number from 0 to n-1.
func (t *tape) of(n int) int { return int(uint64(t.num()) % uint64(n)) }

// FuzzJudge judges records that nobody could have made: damaged ones, and
// those of somebody who wants to break the program that reads them.
func FuzzJudge(f *testing.F) {
	var usual, odd []byte
	for _, v := range []int64{2, 10, int64(time.Second), 20, 0, 0, 0, 0, 1} {
		usual = binary.AppendVarint(usual, v)
	}
	odd = append(odd, usual...)
	for i := range int64(30) {
		status := int64(200)
		if i > 20 {
			status = 429
		}
		for _, v := range []int64{i % 2, 0, i, i * 1e6, 1e5, 1e6, 1e5, status, 0, 0, 0} {
			usual = binary.AppendVarint(usual, v)
		}
		for _, v := range []int64{i, i, i, i << 56, 1, -1, 1 << 62, status, 1, 1, 2} {
			odd = binary.AppendVarint(odd, v)
		}
	}
	for reading := range limiter.Readings {
		first := binary.AppendVarint(nil, int64(reading))
		f.Add(append(first, usual[1:]...), "3", "1", "Mon, 01 Jan 2024 00:00:00 GMT")
		f.Add(append(first, odd[1:]...), "9999999999", `"x";r=-1;t=99999999999999999`, "")
	}
	f.Fuzz(func(t *testing.T, text []byte, wait, left, date string) {
		in := &tape{text}
		l := limiter.Limit{
			Reading: limiter.Readings[in.of(len(limiter.Readings))], Limit: in.num(), Window: time.Duration(in.num()), Burst: in.num(),
			Granularity: time.Duration(in.num()), Tolerance: float64(in.of(100)) / 100, RejectsConsume: in.of(2) == 1,
		}
		if l.Reading == limiter.Concurrency {
			l.Window, l.Burst = 0, 0
		}
		h := history.Header{Run: "r", Started: time.Unix(1.7e9, 0), Groups: []history.Group{{Name: "g", Counter: "g", Promise: limiter.Promise{
			Limits: []limiter.Limit{l}, Reject: limiter.Rejection{Status: []int{429}, RetryAfter: limiter.RetryAfterRequired}, Admitted: []limiter.Statuses{{From: 200, To: 299}},
		}, DecidedWithin: time.Duration(in.num()), Exclusive: true, Fresh: in.of(2) == 1}}}
		for i := range 3 {
			h.Lanes = append(h.Lanes, history.Lane{Identity: string(rune('a' + i)), Source: "127.0.0.2"})
			h.Phases = append(h.Phases, history.Phase{Pace: []string{"burst", "hold", "obey"}[i], Rate: float64(i)})
		}
		var all []history.Observation
		for at := time.Duration(0); len(in.rest) > 0 && len(all) < 200; {
			o := history.Observation{Lane: in.of(3), Phase: in.of(3), Seq: uint64(in.num())}
			o.Intended = time.Duration(in.num())
			o.Sent = o.Intended + time.Duration(in.num())
			o.Answered = o.Sent + time.Duration(in.num())
			o.Done = o.Answered + time.Duration(in.num())
			o.Status, o.Resent, o.Unsent = in.of(600), in.of(8) == 1, in.of(8) == 1
			switch in.of(4) {
			case 1:
				o.Answered, o.Status, o.Error = history.Never, 0, "timeout"
			case 2:
				o.Evidence = answerFields("Date", date, "Retry-After", wait, "Ratelimit", left, "X-Ratelimit-Remaining", left)
			case 3:
				o.Evidence = answerFields("Retry-After", in.text(), "X-Ratelimit-Reset", in.text())
			}
			at = max(at, o.Done)
			all = append(all, o)
		}
		start := time.Now()
		findings, err := Judge(history.Of(h, all, &history.End{Complete: true, Offered: len(all)}))
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("took %s to judge %d observations", took, len(all))
		}
		if err == nil && (findings.Outcome == "" || findings.Sentence == "" || len(findings.Groups) != 1) {
			t.Errorf("got %+v, want a verdict with a sentence about the group", findings)
		}
		for _, g := range findings.Groups {
			for _, finding := range g.Findings {
				if finding.Message == "" || finding.Outcome == Fail && finding.Witness == nil && strings.HasPrefix(finding.Check, "limit.ceiling") {
					t.Errorf("got %+v, want words, and a witness for a failure", finding)
				}
			}
		}
	})
}

// FuzzStructuredField reads RateLimit and RateLimit-Policy, and again as the
// library writes what it understood: another spelling means the same.
func FuzzStructuredField(f *testing.F) {
	for _, s := range []string{
		`"default";r=50;t=30`, `default;r=5, "b";r=0`, `limit=100, remaining=50, reset=5`, `"a\"b\\";q=10;w=60;qu="requests"`, `10;w=1;burst=1000`,
		`a;r=:AAA=:`, `("a" b);r=1`, `r=?1`, `"x";r=1.5`, `"x";r=@1`, `"x";r=-999999999999999`, `*x/y;r=1`, ` `, "\x80", `remaining=1,remaining=2`,
	} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, limit, policies string) {
		var first, second allowance
		ok := first.limitField(limit)
		if ok && len(first.accounts) == 0 {
			t.Errorf("%q was read and tells of no account", limit)
		}
		if again, written := respelled(limit); ok && written {
			if !second.limitField(again) || len(first.accounts) != len(second.accounts) {
				t.Fatalf("%q: %+v, but %q: %+v", limit, first.accounts, again, second.accounts)
			}
			for i, a := range first.accounts {
				if second.accounts[i] != a {
					t.Errorf("%q: %+v, but %q: %+v", limit, a, again, second.accounts[i])
				}
			}
		}
		first, second = allowance{}, allowance{}
		if again, written := respelled(policies); first.policyField([]string{policies}) && written {
			if !second.policyField([]string{again}) || len(first.policies) != len(second.policies) {
				t.Fatalf("%q: %+v, but %q: %+v", policies, first.policies, again, second.policies)
			}
			for i, p := range first.policies {
				if second.policies[i] != p {
					t.Errorf("%q: %+v, but %q: %+v", policies, p, again, second.policies[i])
				}
			}
		}
	})
}

// respelled writes a field as the library would: a list, or else a dictionary.
func respelled(text string) (string, bool) {
	if list, err := httpsfv.UnmarshalList([]string{text}); err == nil && len(list) > 0 && nameOf(list[0]) != "" {
		again, err := httpsfv.Marshal(list)
		return again, err == nil
	}
	dictionary, err := httpsfv.UnmarshalDictionary([]string{text})
	if err != nil {
		return "", false
	}
	again, err := httpsfv.Marshal(dictionary)
	return again, err == nil && again != ""
}
