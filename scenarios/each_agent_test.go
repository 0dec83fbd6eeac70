package scenarios

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
)

// who shows each track with the agents that its lanes belong to.
func who(p Plan) string {
	var b strings.Builder
	for _, t := range p.Tracks {
		b.WriteString(t.Name + ":")
		for _, lane := range t.Phases[0].Lanes {
			l := p.Lanes[lane]
			b.WriteString(" " + l.String() + "@" + string(rune('0'+l.Agent)))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestSourcesOfAgents(t *testing.T) {
	at := netip.MustParseAddr
	homes := map[netip.Addr][]int{at("192.0.2.1"): {1}, at("192.0.2.2"): {0, 2}, at("192.0.2.3"): {2}}
	for name, k := range map[string]struct{ group, target, want, wrong string }{
		"an address of each agent": {
			"promise: {limit: 10/s, burst: 5, scope: ip}, sources: agents, pacing: [{burst: 6}, {obey: retry-after, times: 1}]", "https://api.example.com",
			"g, agent 1: @1\ng, agent 2: @2\ng, agent 3: @3\n", "",
		},
		"on loopback": {
			"promise: {limit: 10/s, burst: 5, scope: ip}, identity: [a, b], sources: agents, pacing: [{burst: 6}]", "http://127.0.0.1",
			"g, agent 1: a from 127.0.0.2@1 b from 127.0.0.2@1\ng, agent 2: a from 127.0.0.3@2 b from 127.0.0.3@2\ng, agent 3: a from 127.0.0.4@3 b from 127.0.0.4@3\n", "",
		},
		"one counter for each key": {
			"promise: {limit: 10/s, burst: 5, scope: key}, identity: [a, b], sources: agents, pacing: [{burst: 6}]", "https://api.example.com",
			"g: a@1 a@2 a@3\ng, b: b@1 b@2 b@3\n", "",
		},
		"one counter for each key, and a pace that reacts": {
			"promise: {limit: 10/s, burst: 5, scope: key}, sources: agents, pacing: [{burst: 6}, {obey: retry-after, times: 1}]", "https://api.example.com",
			"", "reacts to answers, which only the agent that got them sees",
		},
		"sources that somebody has": {
			"promise: {limit: 10/s, burst: 5, scope: ip}, sources: [192.0.2.1, 192.0.2.2, 192.0.2.3], pacing: [{burst: 6}]", "https://api.example.com",
			"g: from 192.0.2.1@2\ng, from 192.0.2.2: from 192.0.2.2@1\ng, from 192.0.2.3: from 192.0.2.3@3\n", "",
		},
		"sources on one counter": {
			"promise: {limit: 10/s, burst: 5, scope: global}, sources: [192.0.2.1, 192.0.2.3], pacing: [{burst: 6}]", "https://api.example.com",
			"g: from 192.0.2.1@2 from 192.0.2.3@3\n", "",
		},
		"sources on one counter, all of one agent": {
			"promise: {limit: 10/s, burst: 5, scope: global}, sources: [192.0.2.2, 192.0.2.3], pacing: [{obey: retry-after, times: 1}]", "https://api.example.com",
			"g: from 192.0.2.2@3 from 192.0.2.3@3\n", "",
		},
		"a source that nobody has": {
			"promise: {limit: 10/s, burst: 5, scope: ip}, sources: [192.0.2.9], pacing: [{burst: 6}]", "https://api.example.com",
			"g: from 192.0.2.9@0\n", "",
		},
	} {
		s := load(t, "version: 1\ntarget: "+k.target+"\nallow_hosts: [api.example.com]\nidentities: {a: {}, b: {}}\ngroups:\n  g: {requests: [GET /], "+k.group+"}\n")
		// As an agent gets it: over the bus.
		text, err := json.Marshal(CompileOptions{Run: "r", Agents: 3, Homes: homes})
		if err != nil {
			t.Fatal(err)
		}
		var o CompileOptions
		if err := json.Unmarshal(text, &o); err != nil {
			t.Fatal(err)
		}
		plan, err := Compile(s, o)
		if k.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), k.wrong) {
				t.Errorf("%s: got %v, want %q", name, err, k.wrong)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := who(plan); got != k.want {
			t.Errorf("%s: got\n%swant\n%s", name, got, k.want)
		}
	}
	// On one machine nothing changes.
	for _, pacing := range []string{"", ", pacing: [{burst: 6}]"} {
		group := "version: 1\ntarget: http://127.0.0.1\ngroups:\n  g: {requests: [GET /], promise: {limit: 10/s, burst: 5, scope: ip}" + pacing
		auto, err := Compile(load(t, group+", sources: auto}\n"), CompileOptions{Run: "r"})
		if err != nil {
			t.Fatal(err)
		}
		agents, err := Compile(load(t, group+", sources: agents}\n"), CompileOptions{Run: "r"})
		if err != nil {
			t.Fatal(err)
		}
		one, _ := json.Marshal(auto)
		other, _ := json.Marshal(agents)
		if string(one) != string(other) {
			t.Errorf("on one machine, sources: agents is not auto:\n%s\n%s", one, other)
		}
	}
}
