package scenarios

import (
	"fmt"
	"net/url"
	"strings"
)

// A Message is one request as it goes out, without the base URL.
type Message struct {
	Request int    // index into the group's requests
	Method  string // "GET"
	Path    string // begins with a slash; query included
	Headers []Header
	Body    string // empty: none
}

// A Header is a header as it goes out.
type Header struct{ Name, Value string }

// Message returns request seq of a lane, counted from 0. It is a function of
// the plan, the lane and the number alone: the same again for the same run,
// with values of its own in every other.
func (p Plan) Message(lane int, seq uint64) Message { return p.MessageWith(lane, seq, nil) }

// MessageWith is Message with what the setup of the lane's identity captured,
// by name.
func (p Plan) MessageWith(lane int, seq uint64, captured map[string]string) Message {
	l := p.Lanes[lane]
	g := p.Scenario.Groups[l.Group]
	i := g.Pick(seq)
	m := p.spelled(g.Requests[i], l.Identity, filling{run: p.Run, group: p.numbers(lane), seq: seq, captured: captured})
	m.Request = i
	return m.disguised(l.Trick, seq)
}

// numbers names whatever numbers the requests of a lane: each lane does so from
// 0, so the lane is part of the name.
func (p Plan) numbers(lane int) string {
	l := p.Lanes[lane]
	return strings.Join([]string{p.Scenario.Groups[l.Group].Name, l.Identity, l.Source.String(), l.Trick}, "/")
}

// spelled returns a request of an identity with its interpolations filled in.
func (p Plan) spelled(request Request, identity string, f filling) Message {
	id := p.Scenario.identityOf(identity)
	f.identity = id.row
	render := func(t Template) string { return t.fill(f) }
	m := Message{Method: request.Method, Path: render(request.Path), Body: render(request.Body)}
	var query []string
	if request.Type != "" {
		m.Headers = append(m.Headers, Header{"Content-Type", request.Type})
	}
	add := func(headers, parameters []Pair) {
		for _, h := range headers {
			m.Headers = set(m.Headers, Header{h.Name, render(h.Value)})
		}
		for _, q := range parameters {
			query = append(query, url.QueryEscape(q.Name)+"="+url.QueryEscape(render(q.Value)))
		}
	}
	add(id.Headers, id.Query)
	add(request.Headers, request.Query)
	if len(query) > 0 {
		separator := "?"
		if strings.Contains(m.Path, "?") {
			separator = "&"
		}
		m.Path += separator + strings.Join(query, "&")
	}
	return m
}

// identityOf returns the identity of a name. No name is nobody.
func (s *Scenario) identityOf(name string) Identity {
	if i, ok := s.identity[name]; ok {
		return s.Identities[i]
	}
	if s.identity == nil { // nobody loaded it
		for _, id := range s.Identities {
			if id.Name == name {
				return id
			}
		}
	}
	return Identity{}
}

// disguised returns the message as a lane with a trick sends it.
func (m Message) disguised(trick string, seq uint64) Message {
	switch trick {
	case TrickForwarded:
		// An address that is kept for documentation: nobody's.
		forged := fmt.Sprintf("198.51.100.%d", 1+seq%254)
		m.Headers = set(set(m.Headers, Header{"X-Forwarded-For", forged}), Header{"X-Real-IP", forged})
	case TrickPath:
		path, query, asks := strings.Cut(m.Path, "?")
		if last := len(path) - 1; path[last] > ' ' && path[last] < 0x7f && path[last] != '/' {
			path = fmt.Sprintf("%s%%%02X", path[:last], path[last])
		}
		if asks {
			path += "?" + query
		}
		m.Path = path
	}
	return m
}

// set replaces a header of the same name: the request's own stand before those
// of its identity.
func set(headers []Header, h Header) []Header {
	for i := range headers {
		if strings.EqualFold(headers[i].Name, h.Name) {
			headers[i] = h
			return headers
		}
	}
	return append(headers, h)
}

// Pick returns which of a group's requests is number seq: they take turns,
// each as often as its weight says.
func (g Group) Pick(seq uint64) int {
	total := uint64(0)
	for _, q := range g.Requests {
		total += uint64(q.Weight)
	}
	at := seq % total
	for i, q := range g.Requests {
		if at < uint64(q.Weight) {
			return i
		}
		at -= uint64(q.Weight)
	}
	return 0
}
