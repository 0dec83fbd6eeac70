package draft

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// methods are the methods that a scenario may send.
var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

// An endpoint is a method and a path as a document writes them.
type endpoint struct {
	method string // empty: not stated
	path   string // "/users/{id}", "/beak/newsletter/*"
	host   string // "https://api.example.com"; empty: not stated
}

// pathIn finds a path, with or without its host.
var pathIn = regexp.MustCompile("(?:^|[\\s;,(|])((?:https?://[A-Za-z0-9.:-]+)?/[^\\s;,|)`]*)")

var methodIn = regexp.MustCompile(`\b(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)\b`)

// endpoints finds every endpoint in a cell: "GET /a, POST /b". A method holds
// for the paths behind it until another one comes.
func endpoints(cell, methodCell string) []endpoint {
	var all []endpoint
	from, names := 0, methodIn.FindAllString(strings.ToUpper(methodCell), -1)
	for _, at := range pathIn.FindAllStringSubmatchIndex(cell, 50) {
		if found := methodIn.FindAllString(cell[from:at[2]], -1); len(found) > 0 {
			names = found
		}
		from = at[3]
		host, path := parted(strings.TrimRight(cell[at[2]:at[3]], ".:"))
		if len(names) == 0 {
			all = append(all, endpoint{path: path, host: host})
		}
		for _, m := range names {
			all = append(all, endpoint{method: m, path: path, host: host})
		}
	}
	return all
}

func parted(text string) (host, path string) {
	if strings.HasPrefix(text, "/") {
		return "", text
	}
	scheme, rest, _ := strings.Cut(text, "://")
	name, path, _ := strings.Cut(rest, "/")
	return scheme + "://" + name, "/" + path
}

// placeholder is a part of a path that stands for a value.
var placeholder = regexp.MustCompile(`\{[^{}/]*\}|<[^<>/]*>|:[A-Za-z_][A-Za-z0-9_]*`)

// template returns a path with every placeholder as {name}.
func (e endpoint) template() string {
	return placeholder.ReplaceAllStringFunc(e.path, func(p string) string { return "{" + strings.Trim(p, "{}<>:") + "}" })
}

// covers reports whether what is said of an endpoint holds for another one: the
// same path whatever its placeholders are called, or one below a star.
func (e endpoint) covers(other endpoint) bool {
	if e.method != "" && other.method != "" && e.method != other.method {
		return false
	}
	mine := strings.Split(strings.Trim(e.template(), "/"), "/")
	theirs := strings.Split(strings.Trim(other.template(), "/"), "/")
	for i, part := range mine {
		if part == "*" || part == "**" {
			return i <= len(theirs)
		}
		if i >= len(theirs) || part != theirs[i] && !(isPlaceholder(part) && isPlaceholder(theirs[i])) {
			return false
		}
	}
	return len(mine) == len(theirs)
}

func isPlaceholder(part string) bool { return placeholder.FindString(part) == part && part != "" }

// request makes a request of an endpoint. Methods and values that no source
// states are guesses, and marked.
func (e endpoint) request(line int) Request {
	q := Request{Method: e.method, Path: e.path}
	if q.Method == "" || !slices.Contains(methods, q.Method) {
		q.Method = "GET"
		q.Notes = append(q.Notes, Note{Text: "the method; guess: GET, none is stated", Line: line, Fill: true})
	}
	path := strings.TrimRight(e.template(), "*")
	if path != e.template() {
		q.Notes = append(q.Notes, Note{Text: fmt.Sprintf("a path below %s", path), Line: line, Fill: true})
	}
	q.Path = placeholder.ReplaceAllStringFunc(path, func(p string) string {
		q.Notes = append(q.Notes, Note{Text: "a value for " + p + "; guess: 1", Line: line, Fill: true})
		return "1"
	})
	q.Path = cleanPath(q.Path)
	q.Creates = creates(q.Method, q.Path)
	return q
}

// creates guesses what a request leaves on the target.
func creates(method, path string) string {
	if method != "POST" {
		return ""
	}
	path, _, _ = strings.Cut(path, "?")
	parts := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	for i := len(parts) - 1; i >= 0; i-- {
		if name := slug(parts[i]); name != "" && name != "1" {
			return name
		}
	}
	return "something"
}

// cleanPath makes a path one that a request can have.
func cleanPath(path string) string {
	var b strings.Builder
	if !strings.HasPrefix(path, "/") {
		b.WriteByte('/')
	}
	for _, c := range []byte(path) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte("#\"\\<>^`{|}", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// baseURL returns what is good as a target of a scenario, empty if nothing is.
func baseURL(text string) string {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(text, "${}<>") {
		return ""
	}
	return strings.TrimRight(u.String(), "/")
}

// everywhere is what paths begin with that tells nothing.
var everywhere = regexp.MustCompile(`^(v?[0-9]+|v[0-9]+-[0-9]+|api|rest)$`)

// groupNames names groups after their paths, without what all of them begin
// with, and without versions: "/v1/users/{id}" and "/v1/orders" are "users" and "orders". Where two
// are alike, the second has its placeholders or its method, too.
func groupNames(paths, verbs []string) []string {
	var split [][]string
	for _, p := range paths {
		p, _, _ = strings.Cut(p, "?")
		var parts []string
		for _, part := range strings.Split(p, "/") {
			if s := slug(part); s != "" && !isPlaceholder(part) {
				parts = append(parts, s)
			}
		}
		for len(parts) > 1 && everywhere.MatchString(parts[0]) {
			parts = parts[1:]
		}
		split = append(split, parts)
	}
	common := 0
	if len(split) > 1 {
		for sameAt(split, common) {
			common++
		}
	}
	names, taken := make([]string, len(split)), map[string]bool{}
	for i, parts := range split {
		name := slug(strings.Join(parts[min(common, len(parts)):], "-"))
		if whole := slug(paths[i]); taken[name] && strings.Contains(paths[i], "{") && !taken[whole] {
			name = whole
		}
		if taken[name] && verbs[i] != "" {
			name += "-" + strings.ToLower(verbs[i])
		}
		names[i] = unused(name, "root", taken)
	}
	return names
}

// sameAt reports whether all have the same part at a depth, and more behind it.
func sameAt(all [][]string, depth int) bool {
	for _, parts := range all {
		if depth+1 >= len(parts) || parts[depth] != all[0][depth] {
			return false
		}
	}
	return true
}
