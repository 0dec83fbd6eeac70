package scenarios

import (
	"strings"

	"duckload/limiter"
)

// errorTable reads the documented table of errors: where a body has the code,
// and the status of each.
func (r *reader) errorTable(n node) limiter.ErrorTable {
	var t limiter.ErrorTable
	found := r.mapping(n, []key{
		{"json", func(n node) { t.JSON = r.jsonPath(n, "error.code") }},
		{"codes", func(n node) {
			entries, _ := r.entries(n)
			for _, e := range entries {
				t.Codes = append(t.Codes, r.errorCode(e))
			}
			if len(entries) == 0 {
				r.bad(n, "names no code (write E4001: {status: 401})")
			}
		}},
	})
	for _, needed := range []struct{ name, write string }{
		{"json", "json: error.code, where a body has its code"},
		{"codes", "codes: {E4001: {status: 401}}"},
	} {
		if found != nil && !found[needed.name] {
			r.bad(n, "%s is missing (write %s)", needed.name, needed.write)
		}
	}
	return t
}

func (r *reader) errorCode(e entry) limiter.ErrorCode {
	c := limiter.ErrorCode{Code: e.name}
	found := r.mapping(e.value, []key{
		{"status", func(n node) {
			for _, item := range r.oneOrMore(n) {
				c.Status = append(c.Status, int(r.whole(item, 100, 599)))
			}
		}},
		{"means", func(n node) { c.Means, _ = r.text(n) }},
	})
	if found != nil && len(c.Status) == 0 {
		r.bad(e.value, "status is missing (write {status: 401})")
	}
	return c
}

// jsonPath reads a place in a JSON body: names with dots between them.
func (r *reader) jsonPath(n node, like string) string {
	text, ok := r.text(n)
	if ok && strings.Contains("."+text+".", "..") {
		r.bad(n, "must be names with dots between them, got %s (write %s)", n.kind(), like)
	}
	return text
}

// served is what is expected of somebody who is let in.
const served = "admitted"

// expectations reads what others than the group's senders are told: the name
// of an identity, and a code of the error table or "admitted".
func (r *reader) expectations(n node, senders []string) []expected {
	entries, _ := r.entries(n)
	var all []expected
	known := make([]string, len(r.crowds))
	for i, s := range r.crowds {
		known[i] = s.name
	}
	for _, e := range entries {
		x := expected{at: e.value}
		x.Identity = e.name
		at := -1
		for i, name := range known {
			if name == e.name {
				at = i
			}
		}
		switch {
		case at < 0:
			r.at(e.at, e.value.path, "unknown identity %q%s (have %s)", shortened(e.name), didYouMean(e.name, known), list(known))
		case r.crowds[at].rows != nil:
			r.at(e.at, e.value.path, "stands for the identities of a file; one is needed")
		}
		for _, sender := range senders {
			if sender == e.name {
				r.at(e.at, e.value.path, "sends for the group (identity); what it is told is judged anyway")
			}
		}
		if code, _ := r.text(e.value); code != served {
			x.Code = code
		}
		all = append(all, x)
	}
	if n.Content != nil && len(entries) == 0 {
		r.bad(n, "names no identity (leave the key out)")
	}
	return all
}

// An expected is an expectation with its place in the file.
type expected struct {
	limiter.Expectation
	at node
}

// known checks that what is expected is in the error table.
func (r *reader) known(all []expected, table limiter.ErrorTable) []limiter.Expectation {
	words := []string{served}
	for _, c := range table.Codes {
		words = append(words, c.Code)
	}
	var plain []limiter.Expectation
	for _, x := range all {
		if _, ok := table.Named(x.Code); x.Code != "" && !ok {
			r.bad(x.at, "unknown code %q%s (have %s; codes are in errors)", shortened(x.Code), didYouMean(x.Code, words), strings.Join(words, ", "))
		}
		plain = append(plain, x.Expectation)
	}
	return plain
}
