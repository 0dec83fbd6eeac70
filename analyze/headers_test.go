package analyze

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"duckload/history"
	"duckload/limiter"
)

func TestHeadersOfEveryDraftAreRead(t *testing.T) {
	hundred := policy{quota: 100, window: time.Minute}
	named := policy{name: "default", quota: 100, window: time.Minute}
	item := func(name string, left int64, reset string) account {
		return account{name: name, limit: -1, left: left, reset: reset, soft: true}
	}
	for _, c := range []struct {
		name   string
		fields limiter.Fields
		want   allowance
	}{
		{"none", answerFields("Date", at, "Retry-After", "5"), allowance{}},
		{"-11", answerFields("Ratelimit", `"default";r=50;t=30`, "Ratelimit-Policy", `"default";q=100;w=60`),
			allowance{told: true, accounts: []account{item("default", 50, "30")}, policies: []policy{named}}},
		{"-11, two policies", answerFields("Ratelimit", `"a";r=7, "b";r=50;t=30`, "Ratelimit-Policy", `"a";q=10;w=1,"b";q=100;w=60;burst=200`),
			allowance{told: true, accounts: []account{item("a", 7, ""), item("b", 50, "30")}, policies: []policy{{name: "a", quota: 10, window: time.Second}, {name: "b", quota: 100, window: time.Minute, burst: 200}}}},
		{"-11, in two fields", answerFields("Ratelimit", `"a";r=7`, "Ratelimit", `"b";r=50;t=30`),
			allowance{told: true, accounts: []account{item("a", 7, ""), item("b", 50, "30")}}},
		{"-11, policies in two fields", answerFields("Ratelimit-Policy", `"a";q=10;w=1`, "Ratelimit-Policy", `"default";q=100;w=60`),
			allowance{told: true, policies: []policy{{name: "a", quota: 10, window: time.Second}, named}}},
		{"-11, with partition keys", answerFields("Ratelimit", `"default";r=50;pk=:dHJpYWw=:`, "Ratelimit-Policy", `"default";q=100;w=60;pk=:dHJpYWw=:`),
			allowance{told: true, accounts: []account{item("default", 50, "")}, policies: []policy{named}}},
		{"-11, of bytes", answerFields("Ratelimit-Policy", `"a";q=10;qu="content-bytes"`), allowance{told: true, policies: []policy{{name: "a", quota: 10, other: true}}}},
		{"-11, of requests", answerFields("Ratelimit-Policy", `"a";q=10;qu="requests"`), allowance{told: true, policies: []policy{{name: "a", quota: 10}}}},
		{"tokens", answerFields("Ratelimit", `default;r=50;t=30`, "Ratelimit-Policy", `default;l=100;w=60`),
			allowance{told: true, accounts: []account{{name: "default", limit: -1, left: 50, reset: "30"}}, policies: []policy{named}}},
		{"-07", answerFields("Ratelimit", `limit=100, remaining=50, reset=5`, "Ratelimit-Policy", `100;w=60`),
			allowance{told: true, accounts: []account{{limit: 100, left: 50, reset: "5"}}, limits: []int64{100}, policies: []policy{hundred}}},
		{"-06", answerFields("Ratelimit-Limit", "100, 100;w=60", "Ratelimit-Remaining", "50", "Ratelimit-Reset", "5"),
			allowance{told: true, accounts: []account{{family: "Ratelimit", limit: 100, left: 50, reset: "5"}}, limits: []int64{100}, policies: []policy{hundred}}},
		{"X", answerFields("X-Ratelimit-Limit", "100", "X-Ratelimit-Remaining", "50", "X-Ratelimit-Reset", "1795514406"),
			allowance{told: true, accounts: []account{{family: "X-Ratelimit", limit: 100, left: 50, reset: "1795514406"}}, limits: []int64{100}}},
		{"X, spelt otherwise", answerFields("X-Rate-Limit-Limit", "100", "X-Rate-Limit-Remaining", "9.5"),
			allowance{told: true, accounts: []account{{family: "X-Rate-Limit", limit: 100, left: 9}}, limits: []int64{100}}},
		{"two families", answerFields("Ratelimit", `"a";r=7`, "X-Ratelimit-Remaining", "50"),
			allowance{told: true, accounts: []account{item("a", 7, ""), {family: "X-Ratelimit", limit: -1, left: 50}}}},
		{"broken", answerFields("Ratelimit", `"default`, "Ratelimit-Policy", `;;`, "X-Ratelimit-Limit", "many", "X-Ratelimit-Remaining", "-1"),
			allowance{told: true, accounts: []account{{family: "X-Ratelimit", limit: -1, left: -1}}, broken: []string{"RateLimit", "X-Ratelimit-Limit", "X-Ratelimit-Remaining", "RateLimit-Policy"}}},
		{"negative", answerFields("Ratelimit", `"default";r=-5`), allowance{told: true, broken: []string{"RateLimit"}}},
		{"a list of lists", answerFields("Ratelimit", `("a" "b");r=5`, "Ratelimit-Policy", `("a");q=5`), allowance{told: true, broken: []string{"RateLimit", "RateLimit-Policy"}}},
	} {
		if got := parseAllowance(c.fields); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestAResetIsTakenForTheLatestItCanMean(t *testing.T) {
	for _, c := range []struct {
		reset   string
		in, may time.Duration
		ok      bool
	}{
		{"6", 6 * time.Second, time.Second, true},
		{"6.5", 6500 * time.Millisecond, time.Second, true},
		{"6000", 6000 * time.Second, time.Second, true},
		{"1795514406", 6 * time.Second, 2 * time.Second, true},
		{"1795514406500", 6500 * time.Millisecond, 2 * time.Second, true},
		{"Tue, 24 Nov 2026 10:00:06 GMT", 6 * time.Second, 2 * time.Second, true},
		{"2026-11-24T10:00:06Z", 6 * time.Second, 2 * time.Second, true},
		{"soon", 0, 0, false},
		{"-6", 0, 0, false},
		{"", 0, 0, false},
	} {
		in, may, ok := resetIn(c.reset, answerFields("Date", at))
		if in != c.in || may != c.may || ok != c.ok {
			t.Errorf("%q: got %s ± %s, %t, want %s ± %s, %t", c.reset, in, may, ok, c.in, c.may, c.ok)
		}
	}
}

func TestHeaderStories(t *testing.T) {
	window := tenPerMinute
	window.Limits = []limiter.Limit{{Limit: 10, Window: time.Minute, Scope: limiter.ScopeGlobal, Reading: limiter.FixedWindow}}
	log := tenPerMinute
	log.Limits = []limiter.Limit{{Limit: 10, Window: time.Minute, Scope: limiter.ScopeGlobal, Reading: limiter.SlidingLog}}
	best := tenPerMinute // 13 at 7/min at worst, which take 111.4 s to come back
	best.Limits = []limiter.Limit{{Limit: 10, Window: time.Minute, Burst: 10, Scope: limiter.ScopeGlobal, Reading: limiter.TokenBucket, Tolerance: 0.3}}
	two := tenPerMinute
	two.Limits = append([]limiter.Limit{{Limit: 1000, Window: 24 * time.Hour, Reading: limiter.FixedWindow}}, tenPerMinute.Limits...)
	for _, c := range []struct {
		name    string
		promise limiter.Promise
		story   string
		want    Verdict
		says    string
	}{
		{"honest", tenPerMinute, `
			a 0s 0.002s 200 X-RateLimit-Limit=5 X-RateLimit-Remaining=4
			a 1s 1.002s 200 X-RateLimit-Limit=5 X-RateLimit-Remaining=3`, Pass, "2 answers"},
		{"before it is subtracted", tenPerMinute, `
			a 0s 0.002s 200 X-RateLimit-Remaining=5
			a 1s 1.002s 200 X-RateLimit-Remaining=4`, Pass, ""},
		{"everything remains, always", tenPerMinute, `
			a 0s 0.002s 200 RateLimit="default";r=5
			a 1s 1.002s 200 RateLimit="default";r=5`, Fail, "more is said to remain than can (1 ×)"},
		{"the second may have been decided long after", tenPerMinute, `
			a 0s 0.002s 200 RateLimit="default";r=4
			a 1s 7.002s 200 RateLimit="default";r=4`, Pass, ""},
		{"two gone after the first", tenPerMinute, `
			a 0s 0.002s 200 X-RateLimit-Remaining=3`, Fail, "less is said to remain than must"},
		{"somebody else may have been first", tenPerMinute, `
			b 0s - 0
			a 0s 0.002s 200 X-RateLimit-Remaining=3`, Pass, ""},
		{"a rejection with something left", tenPerMinute, burst + `
			a 0.1s 0.102s 429 X-RateLimit-Remaining=1`, Fail, "a rejection says that something remains"},
		{"nothing else is known of a window", window, `
			a 0s 0.002s 200 X-RateLimit-Remaining=9
			a 30s 30.002s 200 X-RateLimit-Remaining=9
			a 40s 40.002s 200 X-RateLimit-Remaining=8`, Pass, ""},
		{"up and down within one window", window, `
			a 0s 0.002s 200 X-RateLimit-Remaining=9
			a 1s 1.002s 200 X-RateLimit-Remaining=8
			a 2s 2.002s 200 X-RateLimit-Remaining=9
			a 3s 3.002s 200 X-RateLimit-Remaining=7
			a 4s 4.002s 200 X-RateLimit-Remaining=8`, Fail, "goes up and down within one window"},
		{"never falls within one window", window, `
			a 0s 0.002s 200 X-RateLimit-Remaining=9
			a 1s 1.002s 200 X-RateLimit-Remaining=9
			a 2s 2.002s 200 X-RateLimit-Remaining=9
			a 3s 3.002s 200 X-RateLimit-Remaining=9
			a 4s 4.002s 200 X-RateLimit-Remaining=9
			a 5s 5.002s 200 X-RateLimit-Remaining=9`, Fail, "does not fall as it must within one window"},
		{"never falls where a window may have begun", window, `
			a 0s 0.002s 200 X-RateLimit-Remaining=9
			a 1s 1.002s 200 X-RateLimit-Remaining=9
			a 2s 2.002s 200 X-RateLimit-Remaining=9
			a 3s 3.002s 200 X-RateLimit-Remaining=9
			a 4s 4.002s 200 X-RateLimit-Remaining=9`, Pass, ""},
		{"a log forgets nothing within its window", log, `
			a 0s 0.002s 200 X-RateLimit-Remaining=9
			a 10s 10.002s 200 X-RateLimit-Remaining=8
			a 20s 20.002s 200 X-RateLimit-Remaining=9`, Fail, "more is said to remain than can"},
		{"a log forgets after its window", log, `
			a 0s 0.002s 200 X-RateLimit-Remaining=9
			a 10s 10.002s 200 X-RateLimit-Remaining=8
			a 65s 65.002s 200 X-RateLimit-Remaining=8`, Pass, ""},

		{"the policy", tenPerMinute, `a 0s 0.002s 200 RateLimit-Policy="default";q=10;w=60;burst=5`, Pass, ""},
		{"the same rate in other words", tenPerMinute, `a 0s 0.002s 200 RateLimit-Policy="default";q=600;w=3600`, Pass, ""},
		{"another policy", tenPerMinute, `a 0s 0.002s 200 RateLimit-Policy="default";q=11;w=60;burst=6`, Fail, "a policy of 11 per 1m0s with burst 6 is named, where 10/min, burst 5, for everybody is documented"},
		{"another burst", tenPerMinute, `a 0s 0.002s 200 RateLimit-Policy="default";q=10;w=60;burst=6`, Fail, "with burst 6"},
		{"another limit", tenPerMinute, `a 0s 0.002s 200 X-RateLimit-Limit=0`, Fail, "a limit of 0 is named"},
		{"a longer window that is not documented", tenPerMinute, `a 0s 0.002s 200 RateLimit-Policy="day";q=1000;w=86400`, Pass, ""},
		{"one of two", two, `a 0s 0.002s 200 RateLimit-Policy="day";q=1000;w=86400,"minute";q=10;w=60`, Pass, ""},
		{"one of two is another", two, `a 0s 0.002s 200 RateLimit-Policy="day";q=1000;w=86400,"minute";q=12;w=60`, Fail, "a policy of 12"},

		{"reset too early", tenPerMinute, burst + `
			a 0.5s 0.502s 429 X-RateLimit-Remaining=0 X-RateLimit-Reset=1
			a 5.5s 5.502s 429 X-RateLimit-Remaining=0 X-RateLimit-Reset=1`, Fail, "the reset comes too early"},
		{"reset in milliseconds", tenPerMinute, burst + `
			a 0.5s 0.502s 429 X-RateLimit-Reset=5500
			a 5.5s 5.502s 429 X-RateLimit-Reset=500`, Fail, "5500.0 s are told, where everything is back after 60.0 s (milliseconds, it seems)"},
		{"a reset of a whole window", tenPerMinute, `a 0s 0.002s 200 X-RateLimit-Reset=61`, Pass, ""},
		{"a reset beyond a whole window", tenPerMinute, `a 0s 0.002s 200 X-RateLimit-Reset=62`, Fail, "62.0 s are told"},
		{"a reset of a whole bucket of a best effort", best, `a 0s 0.002s 200 X-RateLimit-Reset=112`, Pass, ""},
		{"a reset beyond a best effort", best, `a 0s 0.002s 200 X-RateLimit-Reset=113`, Fail, "113.0 s are told"},
		{"a reset of a whole bucket", two, `a 0s 0.002s 200 X-RateLimit-Reset=86401`, Pass, ""},
		{"a reset since 1970", tenPerMinute, `a 0s 0.002s 200 Date=Tue,_24_Nov_2026_10:00:00_GMT X-RateLimit-Reset=1795514462`, Pass, ""},
		{"a reset since 1970 beyond a whole window", tenPerMinute, `a 0s 0.002s 200 Date=Tue,_24_Nov_2026_10:00:00_GMT X-RateLimit-Reset=1795514463`, Fail, "63.0 s are told"},
		{"a reset since 1970 without a Date", tenPerMinute, `a 0s 0.002s 200 X-RateLimit-Reset=1795518000`, Pass, ""},
		{"a reset an hour off", tenPerMinute, `a 0s 0.002s 200 Date=Tue,_24_Nov_2026_10:00:00_GMT X-RateLimit-Reset=1795518000`, Fail, "3600.0 s are told"},
		{"the t of RateLimit beyond a whole window", tenPerMinute, `a 0s 0.002s 200 RateLimit="default";r=4;t=3600`, Fail, "3600.0 s are told"},
		{"the t of another policy", tenPerMinute, `a 0s 0.002s 200 RateLimit="day";r=4;t=3600 RateLimit-Policy="day";q=1000;w=86400`, Pass, ""},
		{"a window began before the reset", window, `
			a 0s 0.002s 429 X-RateLimit-Reset=40
			a 30s 30.002s 200 X-RateLimit-Remaining=9`, Fail, "the reset comes too late"},
		{"a window began, and the reset was rounded", window, `
			a 0s 0.002s 429 X-RateLimit-Reset=31
			a 30s 30.002s 200 X-RateLimit-Remaining=9`, Pass, ""},
		{"a log forgets one by one, and is whole later", log, `
			a 0s 0.002s 429 X-RateLimit-Reset=40
			a 30s 30.002s 200 X-RateLimit-Remaining=9`, Pass, ""},
		{"reset rounded down", tenPerMinute, burst + `
			a 0.5s 0.502s 429 X-RateLimit-Reset=5
			a 5.6s 5.602s 429 X-RateLimit-Reset=0`, Pass, ""},
		{"reset, but something was spent since", tenPerMinute, burst + `
			a 0.5s 0.502s 429 X-RateLimit-Reset=1
			a 2s 2.002s 500
			a 5.5s 5.502s 429 X-RateLimit-Reset=1`, Pass, ""},
		{"the t of RateLimit promises nothing since -11", tenPerMinute, burst + `
			a 0.5s 0.502s 429 RateLimit="default";r=0;t=1
			a 5.5s 5.502s 429 RateLimit="default";r=0;t=1`, Pass, "after 1 t of RateLimit nothing had come back"},
		{"the t of RateLimit is a reset where the policy is a token", tenPerMinute, burst + `
			a 0.5s 0.502s 429 RateLimit=default;r=0;t=1
			a 5.5s 5.502s 429 RateLimit=default;r=0;t=1`, Fail, "the reset comes too early"},
		{"the reset of -07", tenPerMinute, burst + `
			a 0.5s 0.502s 429 RateLimit=limit=5,_remaining=0,_reset=1
			a 5.5s 5.502s 429 RateLimit=limit=5,_remaining=0,_reset=1`, Fail, "the reset comes too early"},
		{"the reset of -03", tenPerMinute, burst + `
			a 0.5s 0.502s 429 RateLimit-Limit=5 RateLimit-Remaining=0 RateLimit-Reset=1
			a 5.5s 5.502s 429 RateLimit-Limit=5 RateLimit-Remaining=0 RateLimit-Reset=1`, Fail, "the reset comes too early"},

		{"what remains of a policy that is not documented", tenPerMinute, `
			a 0s 0.002s 200 RateLimit="day";r=700 RateLimit-Policy="day";q=1000;w=86400`, Pass, ""},
		{"what remains of bytes", tenPerMinute, `
			a 0s 0.002s 200 RateLimit="in";r=700 RateLimit-Policy="in";q=1000;w=60;qu="content-bytes"`, Pass, ""},
		{"a number beside its own policy that is not documented", tenPerMinute, `
			a 0s 0.002s 200 RateLimit=limit=1000,_remaining=700,_reset=30 RateLimit-Policy=10;w=60,1000;w=86400`, Pass, ""},
		{"a rejection by a policy that is not documented", tenPerMinute, `
			a 0s 0.002s 429 RateLimit="day";r=0,"minute";r=4 RateLimit-Policy="day";q=1000;w=86400,"minute";q=10;w=60`, Pass, ""},
		{"of two, each by its name", two, `
			a 0s 0.002s 200 RateLimit="minute";r=4,"day";r=999 RateLimit-Policy="minute";q=10;w=60,"day";q=1000;w=86400
			a 1s 1.002s 200 RateLimit="minute";r=3,"day";r=998 RateLimit-Policy="minute";q=10;w=60,"day";q=1000;w=86400`, Pass, ""},
		{"of two, the second never falls", two, `
			a 0s 0.002s 200 RateLimit="minute";r=4,"day";r=999 RateLimit-Policy="minute";q=10;w=60,"day";q=1000;w=86400
			a 1s 1.002s 200 RateLimit="minute";r=3,"day";r=999 RateLimit-Policy="minute";q=10;w=60,"day";q=1000;w=86400
			a 2s 2.002s 200 RateLimit="minute";r=2,"day";r=999 RateLimit-Policy="minute";q=10;w=60,"day";q=1000;w=86400
			a 3s 3.002s 200 RateLimit="minute";r=1,"day";r=999 RateLimit-Policy="minute";q=10;w=60,"day";q=1000;w=86400
			a 4s 4.002s 200 RateLimit="minute";r=0,"day";r=999 RateLimit-Policy="minute";q=10;w=60,"day";q=1000;w=86400
			a 9s 9.002s 200 RateLimit="minute";r=0,"day";r=999 RateLimit-Policy="minute";q=10;w=60,"day";q=1000;w=86400`, Fail, "does not fall as it must within one window"},
		{"of two, the names are exchanged", two, `
			a 0s 0.002s 200 RateLimit="day";r=4,"minute";r=999 RateLimit-Policy="minute";q=10;w=60,"day";q=1000;w=86400`, Fail, "less is said to remain than must (1 ×); more is said to remain than can (1 ×)"},
		{"of two, by the number beside it", two, `
			a 0s 0.002s 200 X-RateLimit-Limit=1000 X-RateLimit-Remaining=4`, Fail, "less is said to remain than must"},
		{"of two, by the burst beside it", two, `
			a 0s 0.002s 200 X-RateLimit-Limit=5 X-RateLimit-Remaining=4`, Pass, ""},
		{"of two, the tightest, without a name", two, `
			a 0s 0.002s 200 X-RateLimit-Remaining=4
			a 1s 1.002s 200 X-RateLimit-Remaining=3`, Pass, ""},
		{"of two, the other, without a name", two, `
			a 0s 0.002s 200 X-RateLimit-Remaining=999
			a 1s 1.002s 200 X-RateLimit-Remaining=998`, Pass, ""},
		{"of two, neither", two, `
			a 0s 0.002s 200 X-RateLimit-Remaining=500
			a 1s 1.002s 200 X-RateLimit-Remaining=499`, Fail, "what is said to remain fits none of the limits (2 ×)"},
		{"of two, now this one and now that one", two, `
			a 0s 0.002s 200 X-RateLimit-Remaining=999
			a 1s 1.002s 200 X-RateLimit-Remaining=3`, Inconclusive, "nothing says which is meant"},
		{"of two, a rejection by the other", two, burst + `
			a 0.1s 0.102s 429 X-RateLimit-Limit=1000 X-RateLimit-Remaining=995`, Pass, ""},
		{"of two, a rejection by neither", two, burst + `
			a 0.1s 0.102s 429 RateLimit="minute";r=1,"day";r=995 RateLimit-Policy="minute";q=10;w=60,"day";q=1000;w=86400`, Fail, "a rejection says that something remains"},
		{"of two, a reset while the other one rejects", two, burst + `
			a 0.5s 0.502s 429 X-RateLimit-Limit=1000 X-RateLimit-Remaining=0 X-RateLimit-Reset=1
			a 5.5s 5.502s 429 X-RateLimit-Limit=1000 X-RateLimit-Remaining=0 X-RateLimit-Reset=1`, Pass, ""},
		{"of two, a reset while the other one has room", two, burst + `
			a 0.5s 0.502s 429 X-RateLimit-Limit=5 X-RateLimit-Remaining=0 X-RateLimit-Reset=1
			a 5.5s 5.502s 429 X-RateLimit-Limit=5 X-RateLimit-Remaining=0 X-RateLimit-Reset=1`, Fail, "the reset comes too early"},
		{"what cannot be parsed is mentioned", tenPerMinute, `a 0s 0.002s 200 RateLimit=soon;r X-RateLimit-Remaining=4`, Pass, "RateLimit cannot be parsed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := story(t, c.story)
			f := judge(t, headersTrue, caseOf(c.promise, o), o)
			if f.Outcome != c.want || !strings.Contains(f.Message, c.says) {
				t.Errorf("got %s: %s\nwant %s: …%s…", f.Outcome, f.Message, c.want, c.says)
			}
			if f.Witness != nil && (len(f.Witness.Requests) == 0 || f.Witness.Sentence == "") {
				t.Errorf("got the witness %+v, want requests and a sentence", f.Witness)
			}
		})
	}
}

func TestWithoutHeadersThereIsNothingToJudge(t *testing.T) {
	o := story(t, burst)
	if f := findings(headersTrue, caseOf(tenPerMinute, o), o); f != nil {
		t.Errorf("got %+v, want nothing", f)
	}
}

func FuzzAllowance(f *testing.F) {
	f.Add(`"default";r=50;t=30`, `"default";q=100;w=60`, "9", "6")
	f.Add(`limit=100, remaining=50, reset=5`, `10;w=1;burst=1000`, "-1", "1795514406")
	f.Add(`default;r=5`, `default;l=100;w=10`, "9.5", at)
	f.Fuzz(func(t *testing.T, limit, policies, left, reset string) {
		fields := answerFields("Date", at, "Ratelimit", limit, "Ratelimit-Policy", policies, "X-Ratelimit-Limit", limit, "X-Ratelimit-Remaining", left, "X-Ratelimit-Reset", reset)
		a := parseAllowance(fields)
		if !a.told || len(a.accounts) > mostAccounts {
			t.Errorf("got %+v, want headers that tell, and nothing negative", a)
		}
		for _, p := range a.policies {
			if p.quota < 0 || p.window < 0 {
				t.Errorf("got the policy %+v, want nothing negative", p)
			}
		}
		resetIn(reset, fields)

		// What is kept of an answer is what it says.
		row, teller := Row{}, newTeller()
		teller.tell(&row, &history.Observation{Evidence: fields}, 0)
		if len(teller.accounts) != len(a.accounts) {
			t.Fatalf("got the accounts %+v, want %+v", teller.accounts, a.accounts)
		}
		for i, want := range a.accounts {
			got, told := teller.left(row, i)
			if told != (want.left >= 0 && want.left < math.MaxUint16) || told && got != want.left {
				t.Errorf("got %d (%t) as what remains in %d, want %d", got, told, i, want.left)
			}
			if teller.accounts[i].reset != want.reset {
				t.Errorf("got the reset %q in %d, want %q", teller.accounts[i].reset, i, want.reset)
			}
		}
	})
}
