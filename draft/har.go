package draft

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// A har is what is read of a recording: HTTP Archive 1.2.
type har struct {
	Log struct {
		Entries []harEntry `json:"entries"`
	} `json:"log"`
}

type harEntry struct {
	Request struct {
		Method   string    `json:"method"`
		URL      string    `json:"url"`
		Headers  []harPair `json:"headers"`
		Cookies  []harPair `json:"cookies"`
		PostData *struct {
			MimeType string    `json:"mimeType"`
			Text     string    `json:"text"`
			Params   []harPair `json:"params"`
		} `json:"postData"`
	} `json:"request"`
	Response struct {
		Status  int       `json:"status"`
		Headers []harPair `json:"headers"`
		Content struct {
			MimeType string `json:"mimeType"`
		} `json:"content"`
	} `json:"response"`
}

type harPair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// FromHAR drafts a scenario from a recording of a browser or a proxy. Requests
// are grouped by method and by path, with what looks like an id taken for one.
// No credential is copied: what a recording sent to be let in becomes
// ${env:NAME}, texts of bodies become unique values. If the file is no
// recording, the error is [Mistakes].
func FromHAR(file string, text []byte) (Draft, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if err := readable(file, text); err != nil {
		return Draft{}, err
	}
	var h har
	if err := json.Unmarshal(text, &h); err != nil {
		return Draft{}, Mistakes{notHAR(file, text, err)}
	}
	if len(h.Log.Entries) == 0 {
		return Draft{}, Mistakes{{File: file, Line: 1, Text: "has no requests: log.entries is missing or empty (export a HAR from the network panel of a browser)"}}
	}
	r := recording{file: file, entries: h.Log.Entries}
	var mistakes Mistakes
	for i, e := range r.entries {
		if _, err := url.Parse(e.Request.URL); err != nil && len(mistakes) < 10 {
			mistakes = append(mistakes, Mistake{File: file, Text: fmt.Sprintf("log.entries[%d].request.url is no URL: %s", i, oneLine(e.Request.URL))})
		}
	}
	if len(mistakes) > 0 {
		return Draft{}, mistakes
	}
	d, err := r.draft()
	if err != nil {
		return Draft{}, err
	}
	return d, r.leaks(d)
}

func notHAR(file string, text []byte, err error) Mistake {
	at := int64(0)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		at = syntax.Offset
	case errors.As(err, &kind):
		at = kind.Offset
	}
	line := 1 + bytes.Count(text[:min(int(at), len(text))], []byte{'\n'})
	return Mistake{File: file, Line: line, Text: "is no HAR: " + oneLine(err.Error()) + " (export one from the network panel of a browser)"}
}

// A recording is what has been read of a HAR.
type recording struct {
	file    string
	entries []harEntry
	secrets []string
}

// An exchange is a request of the host that the draft is about.
type exchange struct {
	harEntry
	n    int // in the recording, from 1
	url  *url.URL
	path string // with {id} for what looks like one
}

// draft makes a scenario of the requests to one host: the one that was sent
// most of them that are no pages, pictures or scripts.
func (r *recording) draft() (Draft, error) {
	r.collect()
	all, hosts := r.exchanges()
	if len(all) == 0 {
		return Draft{}, Mistakes{{File: r.file, Text: "has no request to an API: all are pages, pictures, scripts or the like (record while the page calls the API)"}}
	}
	out := Draft{Name: nameOf(r.file), Source: r.file}
	first := all[0].url
	out.Target = baseURL(first.Scheme + "://" + first.Host)
	out.TargetNote = Note{Text: "the host that was sent most requests, which may be production"}
	out.Notes = append(out.Notes, Note{Text: "numbers in brackets are requests of the recording, from 1"})
	if len(hosts) > 1 {
		out.Left = append(out.Left, Note{Text: "other hosts of the recording: " + strings.Join(hosts[1:], ", ")})
	}
	var groups [][]exchange
	for _, e := range all {
		i := slices.IndexFunc(groups, func(g []exchange) bool { return g[0].Request.Method == e.Request.Method && g[0].path == e.path })
		if i < 0 {
			if len(groups) > maxGroups {
				continue
			}
			groups, i = append(groups, nil), len(groups)
		}
		groups[i] = append(groups[i], e)
	}
	id := Identity{Name: keyName, Note: Note{Text: "set the variables below in the environment to what belongs to a test user", Fill: true}}
	var paths, verbs []string
	for _, g := range groups {
		paths, verbs = append(paths, g[0].path), append(verbs, g[0].Request.Method)
	}
	names := groupNames(paths, verbs)
	for i, g := range groups {
		group := r.group(names[i], g)
		if id.add(r.credentials(g[0])) {
			group.Identity = keyName
		}
		out.Groups = append(out.Groups, group)
	}
	if len(id.Headers)+len(id.Query) > 0 {
		out.Identities = []Identity{id}
	}
	out.RetryAfter = retryAfterSeen(all)
	return out, nil
}

// exchanges returns the requests to the host that was sent most of them, and
// all hosts, that one first.
func (r *recording) exchanges() (mine []exchange, hosts []string) {
	counts := map[string]int{}
	var all []exchange
	for i, e := range r.entries {
		u, err := url.Parse(e.Request.URL)
		method := strings.ToUpper(e.Request.Method)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || !slices.Contains(methods, method) || method == "OPTIONS" || isAsset(e, u) {
			continue
		}
		e.Request.Method = method
		origin := u.Scheme + "://" + u.Host
		if counts[origin]++; counts[origin] == 1 {
			hosts = append(hosts, origin)
		}
		all = append(all, exchange{harEntry: e, n: i + 1, url: u, path: r.pathTemplate(u)})
	}
	slices.SortStableFunc(hosts, func(a, b string) int { return counts[b] - counts[a] })
	for _, e := range all {
		if e.url.Scheme+"://"+e.url.Host == hosts[0] && len(mine) < maxRows {
			mine = append(mine, e)
		}
	}
	return mine, hosts[:min(len(hosts), 20)]
}

// isAsset reports whether a request fetched a part of a page.
func isAsset(e harEntry, u *url.URL) bool {
	if e.Request.Method != "GET" {
		return false
	}
	kind := strings.ToLower(e.Response.Content.MimeType)
	for _, part := range []string{"text/html", "text/css", "javascript", "image/", "font", "video/", "audio/", "wasm"} {
		if strings.Contains(kind, part) {
			return true
		}
	}
	for _, end := range []string{".js", ".css", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".ico", ".woff", ".woff2", ".ttf", ".map", ".html", ".webp"} {
		if strings.HasSuffix(strings.ToLower(u.Path), end) {
			return true
		}
	}
	return false
}
