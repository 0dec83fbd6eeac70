package scenarios

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// TestEveryMistakeIsNamed is the manual of what a file may not be. A want of
// several lines means several mistakes, all of them.
func TestEveryMistakeIsNamed(t *testing.T) {
	const fine = "promise: {limit: 100/min, burst: 200},\nrequests: [GET /x],\n"
	promise := func(p string) string { return around("promise: " + p + ",\nrequests: [GET /x]") }
	request := func(q string) string { return around("promise: {limit: 10/s},\nrequests: [" + q + "]") }
	pacing := func(p string) string { return around(fine + "pacing: [" + p + "]") }
	top := func(line string) string { return around(fine) + line + "\n" }

	for _, c := range []struct{ name, text, want string }{
		{"empty", "", `f:1:1: the file is empty (a scenario has at least version, target and groups)`},
		{"only a comment", "# nothing\n", `f:1:1: the file is empty (a scenario has at least version, target and groups)`},
		{"a list", "- a\n", `f:1:1: must be a map, got a list`},
		{"text", "hello\n", `f:1:1: must be a map, got "hello"`},
		{"not YAML", "a: [1,\nb: }", `f:2:1: not YAML: did not find expected node content`},
		{"two documents", around(fine) + "---\nversion: 1\n", `f:7:1: a second document begins here (one scenario a file)`},
		{"nothing needed", "name: x\n", "f:1:1: version is missing (write version: 1)\n" +
			"f:1:1: target is missing (write target: emulator, or a base URL)\n" +
			"f:1:1: groups is missing (write groups: with a promise and requests for each)"},
		{"version", strings.Replace(around(fine), "version: 1", "version: 2", 1), `f:1:10: version: must be from 1 to 1, got 2`},

		{"unknown key", top("bugdet: {requests: 1}"), `f:7:1: bugdet: unknown key (did you mean "budget"?) (have version, name, documentation, target, allow_hosts, defaults, identities, groups, webhooks, budget, stop_when)`},
		{"duplicate key", top("target: emulator"), `f:7:1: target: comes twice (first in line 2)`},
		{"duplicate group key", around(fine + "identity: a,\nidentity: b"), "f:6:11: groups.g.identity: unknown identity \"a\" (have none)\nf:7:1: groups.g.identity: comes twice (first in line 6)"},
		{"merge key", "a: &a {x: 1}\n<<: *a\n" + around(fine), "f:1:1: a: unknown key (have version, name, documentation, target, allow_hosts, defaults, identities, groups, webhooks, budget, stop_when)\n" +
			"f:2:1: merge keys are not read; write the keys out"},
		{"target", strings.Replace(around(fine), "emulator", "emulater", 1), `f:2:9: target: must be emulator or a base URL, got "emulater" (write https://host/prefix) (did you mean "emulator"?)`},
		{"target with password", strings.Replace(around(fine), "emulator", "https://a:b@h/", 1), `f:2:9: target: must not hold a user or a password (write them as headers of an identity)`},
		{"host", top("allow_hosts: ['https://x']"), `f:7:15: allow_hosts[0]: must be a host without scheme, port or path, got "https://x"`},
		{"budget", top("budget: {requests: -1, duration: 5}"), "f:7:20: budget.requests: must be a whole number, got \"-1\"\n" +
			`f:7:34: budget.duration: needs a unit, got "5" (write 5s, or 250ms, 2m, 1h30m)`},
		{"stop rule", top("stop_when: {errors: 20%}"), `f:7:21: stop_when.errors: must be a share and a time, got "20%" (write 20% in 10s)`},
		{"stop share", top("stop_when: {errors: 120% in 10s}"), `f:7:21: stop_when.errors: the share must be above 0% and at most 100%`},

		{"no promise", around("requests: [GET /x]"), `f:3:13: groups.g: promise is missing (write promise: {limit: 100/min})`},
		{"no requests", around("promise: {limit: 1/s}"), `f:3:13: groups.g: requests is missing (write requests: [GET /path])`},
		{"no group", "version: 1\ntarget: emulator\ngroups: {}\n", `f:3:9: groups: names no group`},
		{"leading zero", promise("{limit: 010/min}"), `f:4:18: groups.g.promise.limit: leading zero in "010" (some read it as octal; write 10)`},
		{"leading zero burst", promise("{limit: 1/s, burst: 08}"), `f:4:30: groups.g.promise.burst: leading zero in "08" (some read it as octal; write 8)`},
		{"hexadecimal", promise("{limit: 1/s, burst: 0x10}"), `f:4:30: groups.g.promise.burst: must be a whole number, got "0x10"`},
		{"zero limit", promise("{limit: 0/min}"), `f:4:18: groups.g.promise.limit: must be from 1 to 1000000000, got 0`},
		{"huge", promise("{limit: 99999999999999999999/min}"), `f:4:18: groups.g.promise.limit: must be from 1 to 1000000000, got 99999999999999999999`},
		{"too fast", promise("{limit: 1000000000/s}"), `f:4:18: groups.g.promise.limit: more than 1000000 requests a second`},
		{"overflow", promise("{limit: 1/day, burst: 1000000000}"), `f:4:10: groups.g.promise: too large: limit and burst times the window must stay below 73 request years`},
		{"unit", promise("{limit: 5/m}"), `f:4:18: groups.g.promise.limit: unknown time "m" (did you mean "min"?)`},
		{"no ratio", promise("{limit: 100}"), `f:4:18: groups.g.promise.limit: must be requests per time, got "100" (write 100/min, 10/s, 1000/h, 5000/day or 100/90s)`},
		{"window", promise("{limit: 5/0s}"), `f:4:18: groups.g.promise.limit: must be above 0, got "0s"`},
		{"scope", promise("{limit: 1/s, scope: ips}"), `f:4:30: groups.g.promise.scope: unknown value "ips" (did you mean "ip"?) (have ip, key, global)`},
		{"reading", promise("{limit: 1/s, burst: 1, reading: token-buckt}"), `f:4:42: groups.g.promise.reading: unknown value "token-buckt" (did you mean "token-bucket"?) (have token-bucket, stepped-bucket, fixed-window, sliding-log, sliding-counter, leaky-queue, concurrency, open)`},
		{"a time for requests at once", promise("{limit: 1/s, reading: concurrency}"), `f:4:18: groups.g.promise.limit: a limit of requests at once has no time, got "1/s" (write limit: 5)`},
		{"requests at once with a burst", promise("{limit: 5, burst: 2, reading: concurrency}"), `f:4:10: groups.g.promise: a concurrency has no burst (leave it out, or write reading: token-bucket)`},
		{"a service time of a rate", promise("{limit: 5/s, service_time: 1s}"), `f:4:10: groups.g.promise: service_time is for requests at once (leave it out, or write reading: concurrency)`},
		{"a queue without length", promise("{limit: 5/s, reading: leaky-queue}"), `f:4:10: groups.g.promise: a leaky-queue needs a burst (how many it takes in at once, the one that is let through included)`},
		{"a queue of the rejected", promise("{limit: 5/s, burst: 2, reading: leaky-queue, rejects_consume: true}"), `f:4:10: groups.g.promise: what a leaky-queue rejects takes no place in it (leave rejects_consume out)`},
		{"a share of no rate", "version: 1\ntarget: emulator\ngroups: {g: {\npromise: {limit: 5, reading: concurrency},\nrequests: [GET /x],\npacing: [{hold: 80%, for: 1m}, {burst: 100% + 2}]\n}}\n", `f:6:17: groups.g.pacing[0].hold: 5 at once has no rate to take a share of (write 3/s)`},
		{"edges of a queue", "version: 1\ntarget: emulator\ngroups: {g: {\npromise: {limit: 5/s, burst: 3, reading: leaky-queue},\nrequests: [GET /x],\npacing: [{probe: edges, for: 1m}, {obey: retry-after, times: 2}]\n}}\n",
			"f:6:18: groups.g.pacing[0].probe: makes no sense for a leaky-queue: what comes back cannot be probed by asking one at a time (leave pacing out, or write bursts and rests)\n" +
				"f:6:42: groups.g.pacing[1].obey: makes no sense for a leaky-queue: one request at a time provokes no rejection (leave pacing out, or write bursts and rests)"},
		{"bucket without burst", promise("{limit: 1/s, reading: token-bucket}"), `f:4:10: groups.g.promise: a token-bucket needs a burst (its capacity)`},
		{"window with burst", promise("{limit: 1/s, burst: 2, reading: sliding-log}"), `f:4:10: groups.g.promise: a sliding-log has no burst (leave it out, or write reading: token-bucket)`},
		{"tolerance", promise("{limit: 1/s, tolerance: 5%}"), `f:4:34: groups.g.promise.tolerance: must be exact or best-effort with a percentage, got "5%" (write best-effort 5%)`},
		{"precision", promise("{limit: 1/s, burst: 2, precision: 0.01%}"), `f:4:44: groups.g.promise.precision: must be from 0.1% to 50%, got "0.01%" (write 0.2%)`},
		{"precision of a window", promise("{limit: 1/s, precision: 0.2%}"), `f:4:10: groups.g.promise: precision is for the rate of a token-bucket (leave it out, or give a burst)`},
		{"verify", promise("{limit: 1/s, verify: yes}"), `f:4:31: groups.g.promise.verify: must be true or false, got "yes"`},
		{"empty promise", promise("[]"), `f:4:10: groups.g.promise: names no limit (write {limit: 100/min})`},
		{"both at once", promise("[{limit: x}, {limt: 1/s}]"), "f:4:19: groups.g.promise[0].limit: must be requests per time, got \"x\" (write 100/min, 10/s, 1000/h, 5000/day or 100/90s)\n" +
			"f:4:23: groups.g.promise[1]: limit is missing (write limit: 100/min)\n" +
			`f:4:24: groups.g.promise[1].limt: unknown key (did you mean "limit"?) (have limit, burst, scope, reading, tolerance, precision, granularity, service_time, rejects_consume, verify)`},

		{"rejection", around(fine + "on_reject: {status: 42, retry_after: allways}"), "f:6:21: groups.g.on_reject.status: must be from 100 to 599, got 42\n" +
			`f:6:38: groups.g.on_reject.retry_after: unknown value "allways" (have required, exact, optional, none)`},
		{"admitted", around(fine + "admitted: [2x]"), `f:6:12: groups.g.admitted[0]: must be a status, got "2x" (write 2xx, 409 or 200-204)`},
		{"admitted and rejected", around(fine + "admitted: [2xx, 4xx]"), `f:3:10: groups.g: status 429 means admitted and rejected at once`},
		{"fresh and shared", around(fine + "fresh: true, exclusive: false"), `f:3:10: groups.g: cannot be fresh and not exclusive: what others use is not fresh`},
		{"objectives", around(fine + "objectives: {p98: 1s, p99: 1, errors: 101%}"), "f:6:14: groups.g.objectives.p98: unknown key (did you mean \"p90\"?) (have errors, p50, p90, p95, p99, p99.9)\n" +
			"f:6:28: groups.g.objectives.p99: needs a unit, got \"1\" (write 1s, or 250ms, 2m, 1h30m)\n" +
			`f:6:39: groups.g.objectives.errors: must be at most 100%`},
		{"sources", around(fine + "sources: [127.0.0.1, localhost, 127.0.0.1]"), "f:6:22: groups.g.sources[1]: must be auto, agents or local IP addresses, got \"localhost\"\n" +
			`f:6:33: groups.g.sources[2]: comes twice`},
		{"no source", around(fine + "sources: []"), `f:6:10: groups.g.sources: names no address (write auto, agents, or [127.0.0.2])`},
		{"shares", around(fine + "shares: h"), `f:6:9: groups.g.shares: unknown group "h" (did you mean "g"?) (have g)`},
		{"shares itself", around(fine + "shares: g"), `f:6:9: groups.g.shares: a group always shares its counter with itself; name another`},
		{"later", around(fine + "capture: []"), `f:6:10: groups.g.capture: not supported yet`},
		{"setup", around("promise: {limit: 1/s}, requests: ['GET /${capture.tokn}'], teardown: [{GET: /x, capture: {a: {header: X}}}],\n" +
			"setup: ['GET /${capture.token}', {POST: /y, weight: 2, capture: {token: {}, 'a b': {json: a..b}}}]"), "f:4:35: groups.g.requests[0]: nothing called \"tokn\" is captured before (did you mean \"token\"?) (have token, a b)\n" +
			"f:4:71: groups.g.teardown[0]: only a request of setup captures\n" +
			"f:5:9: groups.g.setup[0]: nothing called \"token\" is captured before (have none)\n" +
			"f:5:34: groups.g.setup[1]: weight has no meaning here: each is sent once\n" +
			"f:5:73: groups.g.setup[1].capture.token: needs one place to find it (write {json: data.token} or {header: X-Token})\n" +
			"f:5:77: groups.g.setup[1].capture.a b: not a name of a captured value (letters, digits, '-' and '_')\n" +
			`f:5:91: groups.g.setup[1].capture.a b.json: must be names with dots between them, got "a..b" (write data.token)`},
		{"captured by a request", request("{GET: /x, capture: {a: {header: X}}}"), `f:5:11: groups.g.requests: only a request of setup captures`},
		{"identities", "identities:\n  a: {file: none.csv}\n  b: {file: users.txt}\n  c: {file: users.csv, headers: {X: \"${identity.keyy}${capture.a}\"}}\n  d: {headers: {X: \"${identity.key}\"}}\n  e: {file: torn.json}\n  f: {file: bad.csv}\n" +
			around("promise: {limit: 1/s}, identity: [c, d], requests: ['GET /${identity.nam}']"),
			"f:2:13: identities.a.file: file \"none.csv\": no such file\n" +
				"f:3:13: identities.b.file: users.txt: unknown kind of file (have .csv with a header line, .yaml and .json with a list of maps)\n" +
				"f:4:37: identities.c.headers.X: identity 1 of the file has no \"keyy\" (did you mean \"key\"?) (have key, name)\n" +
				"f:4:37: identities.c.headers.X: ${capture.a} belongs into the requests of a group, whose setup captures it\n" +
				"f:5:20: identities.d.headers.X: ${identity.key} needs a file of identities (write file: users.csv)\n" +
				"f:6:13: identities.e.file: torn.json: unexpected EOF\n" +
				"f:7:13: identities.f.file: bad.csv: record on line 2: wrong number of fields\n" +
				"f:11:53: groups.g.requests[0]: identity 1 of the file has no \"nam\" (did you mean \"name\"?) (have key, name)\n" +
				`f:11:53: groups.g.requests[0]: ${identity.nam} needs identities from a file, and d is from none`},
		{"body file", request("{POST: /x, file: none.json}, {POST: /x, file: traffic.csv, json: {}}"), "f:5:29: groups.g.requests[0].file: file \"none.json\": no such file\n" +
			`f:5:41: groups.g.requests[1]: has more than one body: json and file`},

		{"request", request("GET"), `f:5:12: groups.g.requests[0]: must be a method and a path, got "GET" (write GET /path)`},
		{"method", request("GIT /x"), `f:5:12: groups.g.requests[0]: unknown method "GIT" (did you mean "GET"?) (have GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS)`},
		{"path", request("GET x"), `f:5:12: groups.g.requests[0]: a path begins with a slash, got "x"`},
		{"no request", request(""), `f:5:11: groups.g.requests: names no request (write [GET /path])`},
		{"two methods", request("{GET: /x, POST: /y}"), `f:5:28: groups.g.requests[0].POST: a second method; a request has one`},
		{"two bodies", request("{POST: /x, json: {}, body: a}"), `f:5:12: groups.g.requests[0]: has more than one body: json and body`},
		{"no method", request("{json: {}}"), `f:5:12: groups.g.requests[0]: has no method (write POST: /path; have GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS)`},
		{"not JSON", request("{POST: /x, json: [.nan, 0x1]}"), "f:5:30: groups.g.requests[0].json[0]: not a number that JSON can write: \".nan\" (quote it to send text)\n" +
			`f:5:36: groups.g.requests[0].json[1]: not a number that JSON can write: "0x1" (quote it to send text)`},
		{"header", request("{GET: /x, headers: {'a b': c, d: \"e\\nf\"}}"), "f:5:32: groups.g.requests[0].headers.a b: not a name of a header\n" +
			`f:5:45: groups.g.requests[0].headers.d: must not hold control characters or line ends`},
		{"variable", request("'GET /${env:NONE}'"), `f:5:12: groups.g.requests[0]: environment variable NONE is not set (set it, or write ${env:NONE:-default})`},
		{"interpolation", request("'GET /${unique.mail}${sek}${seq'"), "f:5:12: groups.g.requests[0]: unknown value ${unique.mail} (did you mean \"unique.email\"?) (have unique.email, unique.id, unique.name, unique.password, unique.uuid)\n" +
			"f:5:12: groups.g.requests[0]: unknown interpolation \"${sek}\" (did you mean \"seq\"?) (have ${env:NAME}, ${env:NAME:-default}, ${file:path}, ${unique.KIND}, ${seq}, ${identity.NAME}, ${capture.NAME})\n" +
			`f:5:12: groups.g.requests[0]: "${seq" has no closing brace`},
		{"file outside", request("{POST: /x, body: '${file:../secret}'}"), `f:5:29: groups.g.requests[0].body: file "../secret" is not below the folder of the scenario (write a relative path without ..)`},
		{"file missing", request("{POST: /x, body: '${file:none}'}"), `f:5:29: groups.g.requests[0].body: file "none": no such file`},

		{"no pace", pacing("{for: 2m}"), `f:6:10: groups.g.pacing[0]: has no pace (have rest, burst, hold, ramp, steps, spike, sine, soak, replay, probe, obey, find-capacity)`},
		{"two paces", pacing("{burst: 3, hold: 3/s, for: 1s}"), `f:6:10: groups.g.pacing[0]: has more than one pace: burst and hold (write a list item for each)`},
		{"burst", pacing("{burst: 1% - 2}"), `f:6:18: groups.g.pacing[0].burst: 1% - 2 of 200 comes to 0 requests (from 1 to 1000000)`},
		{"hold", pacing("{hold: 20, for: 1m}"), `f:6:17: groups.g.pacing[0].hold: must be a rate, got "20" (write 80%, 3/s or 100/min)`},
		{"hold without for", pacing("{hold: 80%}"), `f:6:10: groups.g.pacing[0]: for is missing (write for: 2m)`},
		{"hold nothing", pacing("{hold: 0%, for: 1m}"), `f:6:17: groups.g.pacing[0].hold: must be above 0`},
		{"ramp", pacing("{ramp: 80%, for: 1m}"), `f:6:17: groups.g.pacing[0].ramp: must be two rates, got "80%" (write 50% -> 150%)`},
		{"rest", pacing("{rest: whole}"), `f:6:17: groups.g.pacing[0].rest: must be a duration, got "whole" (write 250ms, 30s, 2m, 1h30m)`},
		{"find-capacity", pacing("{find-capacity: {from: 9/s, to: 3/s}}"), `f:6:26: groups.g.pacing[0].find-capacity: from 9/s is faster than to 3/s`},
		{"find-capacity, small", pacing("{find-capacity: {from: 100/s, each: 10s, requests: 9, precision: 90%}}"), "f:6:26: groups.g.pacing[0].find-capacity: the first trial alone has 1000 requests (100/s for 10s); give it more than 9\n" +
			`f:6:75: groups.g.pacing[0].find-capacity.precision: must be from 0.5% to 50%, got 90%`},
		{"for without meaning", pacing("{burst: 3, for: 1s}"), `f:6:26: groups.g.pacing[0].for: has no meaning for burst`},
		{"steps", pacing("{steps: [50%, 0%, x]}, {steps: 3, for: 1s}, {steps: [], for: 1s}"), "f:6:10: groups.g.pacing[0]: for is missing (write for: 2m)\n" +
			"f:6:24: groups.g.pacing[0].steps[1]: must be above 0\n" +
			"f:6:28: groups.g.pacing[0].steps[2]: must be a rate, got \"x\" (write 80%, 3/s or 100/min)\n" +
			"f:6:41: groups.g.pacing[1].steps: must be a list, got \"3\"\n" +
			`f:6:62: groups.g.pacing[2].steps: names no rate (write [50%, 100%, 150%])`},
		{"spike", pacing("{spike: {to: 300%}, for: 1s}, {spike: {from: 3/s, to: 2/s}, for: 2ns}"), "f:6:18: groups.g.pacing[0].spike: needs from (write {from: 20%, to: 300%})\n" +
			"f:6:48: groups.g.pacing[1].spike: must rise: 2/s is not above 3/s\n" +
			`f:6:48: groups.g.pacing[1].spike: lasts for three parts, and needs 3ns for them`},
		{"sine", pacing("{sine: {mean: 80%}, for: 1m}, {sine: {mean: 40%, amplitude: 80%, period: 0s}, for: 1m}"), "f:6:17: groups.g.pacing[0].sine: needs amplitude and period (write {mean: 80%, amplitude: 40%, period: 30s})\n" +
			"f:6:47: groups.g.pacing[1].sine: the amplitude must be at most the mean, or the rate would fall below 0\n" +
			`f:6:83: groups.g.pacing[1].sine.period: must be above 0, got "0s"`},
		{"replay", pacing("{replay: none.csv}, {replay: ../x}, {replay: back.csv, time_scale: -1, for: 1s}, {replay: traffic.csv, time_scale: 5000, column: when}"), "f:6:19: groups.g.pacing[0].replay: file \"none.csv\": no such file\n" +
			"f:6:39: groups.g.pacing[1].replay: file \"../x\" is not below the folder of the scenario (write a relative path without ..)\n" +
			"f:6:55: groups.g.pacing[2].replay: back.csv, line 3: time goes back by 1s (sort the recording by time)\n" +
			"f:6:55: groups.g.pacing[2].replay: back.csv, line 4: nothing for 2h0m1s before it (at most 1h0m0s; cut the recording there)\n" +
			"f:6:77: groups.g.pacing[2].time_scale: must be a number, got \"-1\" (write 2 for twice as fast, 0.5 for half)\n" +
			"f:6:86: groups.g.pacing[2].for: has no meaning for replay\n" +
			"f:6:100: groups.g.pacing[3].replay: traffic.csv, line 1: no column is called \"when\" (have time, path)\n" +
			`f:6:125: groups.g.pacing[3].time_scale: must be from 0.001 to 1000, got 5000`},
		{"obey", pacing("{obey: retry-after}, {obey: me, times: 0}"), "f:6:10: groups.g.pacing[0]: times is missing (write times: 6)\n" +
			"f:6:38: groups.g.pacing[1].obey: unknown value \"me\" (have retry-after)\n" +
			`f:6:49: groups.g.pacing[1].times: must be from 1 to 10000, got 0`},
		{"probe", pacing("{probe: edge, for: 1s}, {probe: edges, for: 40h, times: 3}"), "f:6:18: groups.g.pacing[0].probe: unknown value \"edge\" (did you mean \"edges\"?) (have edges)\n" +
			"f:6:18: groups.g.pacing[0].probe: needs at least 1.2s, in which two tokens come back\n" +
			"f:6:42: groups.g.pacing[1].probe: more than 100000 tokens come back in 40h0m0s (write a shorter for)\n" +
			`f:6:66: groups.g.pacing[1].times: has no meaning for probe`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Load("f", []byte(c.text), world())
			var mistakes Mistakes
			if !errors.As(err, &mistakes) {
				t.Fatalf("got %v, want mistakes", err)
			}
			if err.Error() != c.want {
				t.Errorf("got\n%s\nwant\n%s\nin\n%s", err, c.want, numbered(c.text))
			}
		})
	}
}

func numbered(text string) string {
	var b strings.Builder
	for i, line := range strings.Split(text, "\n") {
		fmt.Fprintf(&b, "%d: %s\n", i+1, line)
	}
	return b.String()
}

func TestAliasesAreFollowedAndBounded(t *testing.T) {
	text := "version: 1\ntarget: emulator\ngroups:\n  a: &a\n    promise: {limit: 1/s}\n    requests: [GET /a]\n  b: *a\n"
	s, err := Load("f", []byte(text), world())
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Groups) != 2 || s.Groups[1].Requests[0].Path.String() != "/a" {
		t.Errorf("got %+v, want group b to be like a", s.Groups)
	}

	bomb := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 9 {
		bomb += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 10), ", "))
	}
	for name, text := range map[string]string{
		"a bomb":                        bomb,
		"an alias of itself":            "a: &a [*a]\n",
		"a file deeper than any person": strings.Repeat("[", 500) + strings.Repeat("]", 500),
		"a file too large":              "a: " + strings.Repeat("x", maxText),
	} {
		_, err := Load("f", []byte(text), world())
		var mistakes Mistakes
		if !errors.As(err, &mistakes) || len(mistakes) != 1 {
			t.Errorf("%s: got %v, want one mistake", name, err)
		}
	}
}

func FuzzLoad(f *testing.F) {
	text, err := embedded.ReadFile("space-duck.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte(around("promise: [{limit: 010/min}], requests: [{POST: /x, json: {a: '${seq}'}}], pacing: [{ramp: 1% -> 2%, for: 1s}]")))
	f.Add([]byte(around("promise: {limit: 10/s, burst: 3}, requests: [GET /], pacing: [{steps: [1%, 2/s], for: 1s}, {spike: {from: 1%, to: 2%}, for: 3s}, " +
		"{sine: {mean: 2/s, amplitude: 1/s, period: 1s}, for: 2s}, {soak: 3%, for: 1s}, {replay: traffic.csv, time_scale: 2}, {probe: edges, for: 1s}, {obey: retry-after, times: 2}]")))
	f.Add(fmt.Appendf(nil, crowdText, "users.csv"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := Load("f", text, world())
		if err == nil {
			if _, err := Compile(s, CompileOptions{Run: "r"}); err != nil {
				requirePlaces(t, err)
			}
			return
		}
		requirePlaces(t, err)
	})
}

func requirePlaces(t *testing.T, err error) {
	t.Helper()
	var mistakes Mistakes
	if !errors.As(err, &mistakes) || len(mistakes) == 0 {
		t.Fatalf("got %v, want mistakes", err)
	}
	for _, m := range mistakes {
		if m.Line < 1 || m.Col < 1 || m.Text == "" || strings.Contains(m.Error(), "\n") {
			t.Errorf("got %+v, want a place and one line of text", m)
		}
	}
}
