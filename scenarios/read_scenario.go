package scenarios

import (
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"strings"

	"duckload/limiter"
)

// defaults are what every group has unless it says otherwise.
type defaults struct {
	reject     limiter.Rejection
	admitted   []limiter.Statuses
	objectives limiter.Objectives
	errors     limiter.ErrorTable
	sources    []string
	eachAgent  bool
}

// scenario reads the whole file.
func (r *reader) scenario(n node) *Scenario {
	s := &Scenario{Name: strings.TrimSuffix(path.Base(strings.ReplaceAll(r.file, `\`, "/")), path.Ext(r.file))}
	usual := defaults{
		reject:   limiter.Rejection{Status: []int{429}, RetryAfter: limiter.RetryAfterOptional},
		admitted: []limiter.Statuses{{From: 200, To: 299}},
	}
	found := r.mapping(n, []key{
		{"version", func(n node) { r.whole(n, 1, 1) }},
		{"name", func(n node) { s.Name = r.name(n) }},
		{"documentation", func(n node) { s.Documentation, _ = r.text(n) }},
		{"target", func(n node) { s.Target = r.target(n) }},
		{"allow_hosts", func(n node) { s.AllowHosts = r.hosts(n) }},
		{"defaults", func(n node) { r.defaults(n, &usual) }},
		{"identities", func(n node) { s.Identities = r.identities(n) }},
		{"groups", func(n node) { s.Groups = r.groups(n, usual) }},
		{"webhooks", func(n node) { s.Webhooks = r.webhooks(n, s.Groups) }},
		{"budget", func(n node) { s.Budget = r.budget(n) }},
		{"stop_when", func(n node) { s.Stop = r.stopRules(n) }},
	})
	for _, needed := range []struct{ name, write string }{
		{"version", "version: 1"},
		{"target", "target: emulator, or a base URL"},
		{"groups", "groups: with a promise and requests for each"},
	} {
		if found != nil && !found[needed.name] {
			r.bad(n, "%s is missing (write %s)", needed.name, needed.write)
		}
	}
	return s
}

// plainName is what may become part of a file's name or a path in a message.
var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

func (r *reader) name(n node) string {
	text, ok := r.text(n)
	if ok && !plainName.MatchString(text) {
		r.bad(n, "not a name: %q (letters, digits, '-', '_' and '.', at most 64)", shortened(text))
	}
	return text
}

// target reads a base URL. It may come from the environment, and is no secret.
func (r *reader) target(n node) string {
	secrets := r.secrets
	t := r.template(n)
	r.secrets = secrets
	text, fixed := t.fixed()
	if !fixed {
		r.bad(n, "must be the same for every request")
		return ""
	}
	if text == "" || text == Emulator {
		return text
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		r.bad(n, "not a URL: %s", shortened(err.Error()))
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		r.bad(n, "must be %s or a base URL, got %q (write https://host/prefix)%s", Emulator, shortened(text), didYouMean(text, []string{Emulator}))
	case u.User != nil:
		r.bad(n, "must not hold a user or a password (write them as headers of an identity)")
	case u.RawQuery != "" || u.Fragment != "":
		r.bad(n, "must end with its path (write a query with the request or the identity)")
	}
	return strings.TrimRight(text, "/")
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?$`)

func (r *reader) hosts(n node) []string {
	var hosts []string
	for _, item := range r.items(n) {
		text, ok := r.text(item)
		if _, err := netip.ParseAddr(text); ok && err != nil && !hostName.MatchString(text) {
			r.bad(item, "must be a host without scheme, port or path, got %q", shortened(text))
		}
		hosts = append(hosts, text)
	}
	return hosts
}

func (r *reader) defaults(n node, usual *defaults) {
	r.mapping(n, r.overrides(usual))
}

// overrides are the keys that stand under defaults and under every group.
func (r *reader) overrides(usual *defaults) []key {
	return []key{
		{"on_reject", func(n node) { usual.reject = r.rejection(n, usual.reject) }},
		{"admitted", func(n node) { usual.admitted = r.statuses(n) }},
		{"sources", func(n node) { usual.sources, usual.eachAgent = r.sources(n), n.Value == eachAgent }},
		{"objectives", func(n node) { usual.objectives = r.objectives(n) }},
		{"errors", func(n node) { usual.errors = r.errorTable(n) }},
	}
}

// eachAgent stands for an address of each agent of a fleet.
const eachAgent = "agents"

// sources returns local addresses, none for "auto" and "agents".
func (r *reader) sources(n node) []string {
	if n.Value == "auto" || n.Value == eachAgent {
		return nil
	}
	var sources []string
	seen := map[string]bool{}
	for _, item := range r.oneOrMore(n) {
		text, ok := r.text(item)
		addr, err := netip.ParseAddr(text)
		switch {
		case !ok:
		case err != nil:
			r.bad(item, "must be auto, agents or local IP addresses, got %q", shortened(text))
		case seen[addr.String()]:
			r.bad(item, "comes twice")
		}
		seen[addr.String()] = true
		if _, known := r.sourcesAt[addr]; !known && err == nil {
			r.sourcesAt[addr] = Mistake{File: r.file, Line: item.place().line, Col: item.place().col, Path: item.path}
		}
		sources = append(sources, addr.String())
	}
	if len(sources) == 0 {
		r.bad(n, "names no address (write auto, agents, or [127.0.0.2])")
	}
	return sources
}

func (r *reader) budget(n node) Budget {
	var b Budget
	r.mapping(n, []key{
		{"requests", func(n node) { b.Requests = int(r.whole(n, 1, 1_000_000_000)) }},
		{"duration", func(n node) { b.Duration = r.duration(n) }},
	})
	return b
}

func (r *reader) stopRules(n node) []StopRule {
	var rules []StopRule
	r.mapping(n, []key{{"errors", func(n node) {
		for _, item := range r.oneOrMore(n) {
			rules = append(rules, r.stopRule(item))
		}
	}}})
	return rules
}

func (r *reader) stopRule(n node) StopRule {
	text, ok := r.text(n)
	if !ok {
		return StopRule{}
	}
	share, within, found := strings.Cut(text, " in ")
	if !found {
		r.bad(n, "must be a share and a time, got %q (write 20%% in 10s)", shortened(text))
		return StopRule{}
	}
	part, wrong := parsePercent(share)
	if wrong == "" && (part <= 0 || part > 1) {
		wrong = "the share must be above 0% and at most 100%"
	}
	d, wrongToo := parseDuration(strings.TrimSpace(within))
	for _, w := range []string{wrong, wrongToo} {
		if w != "" {
			r.bad(n, "%s", w)
		}
	}
	return StopRule{Share: part, Within: d}
}
