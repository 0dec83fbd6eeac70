package attack

import (
	"bytes"
	"slices"
	"strings"

	"duckload/limiter"
)

// A wanted is what of an answer's JSON body goes into the record: dotted paths.
type wanted struct {
	failing []string // of an answer that fails
	fine    []string // of any other
}

func wantedBy(p limiter.Promise) wanted {
	var w wanted
	add := func(to *[]string, path string) {
		if path != "" && !slices.Contains(*to, path) {
			*to = append(*to, path)
		}
	}
	for _, field := range p.Reject.JSON {
		add(&w.failing, field.Name)
	}
	for _, e := range p.Effects {
		for _, field := range slices.Concat(e.Happened.JSON, e.Absent.JSON) {
			add(&w.failing, field.Name)
			add(&w.fine, field.Name)
		}
		add(&w.fine, e.Count)
	}
	// An error may hide behind any status.
	add(&w.failing, p.Errors.JSON)
	add(&w.fine, p.Errors.JSON)
	return w
}

// wants returns the paths that are wanted of an answer; none: its body need
// not be kept.
func (l *lane) wants(status int) []string {
	if status >= 400 || slices.Contains(l.group.Promise.Reject.Status, status) {
		return l.wanted.failing
	}
	return l.wanted.fine
}

// worth returns a body if it may hold one of some paths, else nothing: most
// answers hold none, and to look costs less than to take them apart.
func worth(body []byte, paths []string) []byte {
	if bytes.IndexByte(body, '\\') >= 0 { // a name may be written with escapes
		return body
	}
	for _, path := range paths {
		last := path[strings.LastIndexByte(path, '.')+1:]
		if bytes.Contains(body, []byte(`"`+last+`"`)) || strings.Trim(last, "0123456789") == "" {
			return body
		}
	}
	return nil
}
