package attack

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/valyala/fasthttp"

	"duckload/history"
	"duckload/scenarios"
)

// Words are a request of the lean client as it goes over the wire. They are
// read only: many requests may share them.
type words struct {
	text    []byte
	payload int  // bytes of the body among them
	head    bool // the answer has no body, whatever length it names
}

// constants returns how to put each of a lane's requests into words, where
// that is the same each time; nil: it is not.
func (l *lane) constants() []func() (words, error) {
	all := make([]func() (words, error), len(l.group.Requests))
	for i := range all {
		if l.plan.Constant(l.index, i) {
			all[i] = sync.OnceValues(func() (words, error) {
				return l.words(l.message(&history.Observation{Seq: l.turn(i)}), new(bytes.Buffer))
			})
		}
	}
	return all
}

// turn returns the first number of one of the group's requests.
func (l *lane) turn(request int) (seq uint64) {
	for l.group.Pick(seq) != request {
		seq++
	}
	return seq
}

// words writes a message into a buffer, as net/http would write it.
func (l *lane) words(m scenarios.Message, w *bytes.Buffer) (words, error) {
	u, err := url.Parse(l.base + m.Path)
	if err != nil {
		return words{}, err
	}
	r := fasthttp.AcquireRequest()
	defer fasthttp.ReleaseRequest(r)
	h := &r.Header
	h.SetNoDefaultContentType(true)
	h.SetMethod(m.Method)
	h.SetRequestURI(u.RequestURI())
	h.SetHost(l.target.Host)
	if host := l.group.Transport.Host; host != "" {
		h.SetHost(host)
	}
	agent := l.options.UserAgent
	for _, of := range m.Headers {
		switch {
		case strings.EqualFold(of.Name, "Host"):
			h.SetHost(of.Value)
		case strings.EqualFold(of.Name, "User-Agent"):
			agent = strings.TrimSpace(of.Value + " " + agent)
		default:
			h.Set(of.Name, of.Value)
		}
	}
	h.SetUserAgent(agent)
	h.Set(runHeader, l.plan.Run)
	if l.group.Transport.OneShot {
		h.SetConnectionClose()
	}
	r.SetBodyString(m.Body)
	w.Reset()
	_, err = r.WriteTo(w)
	return words{w.Bytes(), len(m.Body), m.Method == http.MethodHead}, err
}
