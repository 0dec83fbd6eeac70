package emulator

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// The error codes of the API. Each has one status.
const (
	codeKey      = "E4001" // 401: invalid or missing Beak Key
	codeTier     = "E4002" // 403: trust tier insufficient
	codeExists   = "E4003" // 409: identity already exists
	codeLimited  = "E4004" // 429: rate limit exceeded
	codeInternal = "E5001" // 500: internal server error
)

// An endpoint is one method and path of the API.
type endpoint struct {
	method, path string
	open         bool // needs no key
	tier         Tier // the least that the key must have
	serve        func(*Server, call) answer
}

// A call is a request that may be served.
type call struct {
	tier Tier
	id   string            // X-Request-Id; empty: none
	body map[string]string // of the JSON object, what is text
}

var endpoints = []endpoint{
	{"GET", "/beak/metrics", true, T0, metrics},
	{"POST", "/beak/signup", true, T0, signup},
	{"GET", "/beak/system/status", true, T0, status},
	{"POST", "/beak/newsletter/subscribe", false, T1, subscribe},
	{"POST", "/beak/pageview", false, T1, pageview},
	{"POST", "/beak/support/contact", false, T1, contact},
	{"PUT", "/beak/trust/elevate", false, T0, elevate},
}

// answer serves a request that the limits admitted.
func (s *Server) answer(path string, r *http.Request) answer {
	if path == Ledger && r.Method == http.MethodGet {
		return s.told(r)
	}
	e, refusal := find(r.Method, path)
	if refusal != nil {
		return *refusal
	}
	c := call{id: r.Header.Get("X-Request-Id")}
	if !e.open {
		tier, known := s.tier(r)
		if !known {
			return failed(http.StatusUnauthorized, codeKey, "invalid or missing Beak Key").with("WWW-Authenticate", "Bearer")
		}
		if tier < e.tier && !s.config.Faults.AnyTier {
			return failed(http.StatusForbidden, codeTier, fmt.Sprintf("trust tier %s is needed, the key has %s", e.tier, tier))
		}
		c.tier = tier
	}
	if e.method == http.MethodPost {
		body, err := readBody(r)
		if err != nil {
			return failed(http.StatusBadRequest, "", err.Error())
		}
		c.body = body
	}
	return e.serve(s, c)
}

// find returns the endpoint, or the refusal of a path or a method that the API
// does not have.
func find(method, path string) (endpoint, *answer) {
	for _, e := range endpoints {
		if e.path != path {
			continue
		}
		if e.method != method {
			no := failed(http.StatusMethodNotAllowed, "", "use "+e.method).with("Allow", e.method)
			return endpoint{}, &no
		}
		return e, nil
	}
	no := failed(http.StatusNotFound, "", "no such endpoint")
	return endpoint{}, &no
}

// beakKey returns the key that a request shows, in its header or, as webhook
// calls do, in its query.
func beakKey(r *http.Request) string {
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(key)
	}
	return r.URL.Query().Get("beak_key")
}

// readBody reads a JSON object and keeps what is text.
func readBody(r *http.Request) (map[string]string, error) {
	const most = 64 << 10
	raw, err := io.ReadAll(io.LimitReader(r.Body, most+1))
	if err != nil {
		return nil, fmt.Errorf("the body cannot be read")
	}
	if len(raw) > most {
		return nil, fmt.Errorf("the body is longer than %d bytes", most)
	}
	var fields map[string]any
	if err := json.Unmarshal(raw, &fields); err != nil {
		return nil, fmt.Errorf("the body is no JSON object")
	}
	texts := map[string]string{}
	for name, value := range fields {
		if text, ok := value.(string); ok {
			texts[name] = text
		}
	}
	return texts, nil
}

// missing names the first field that a body lacks.
func (c call) missing(fields ...string) (answer, bool) {
	for _, name := range fields {
		if c.body[name] == "" {
			return failed(http.StatusBadRequest, "", name+" is missing"), true
		}
	}
	if email, asked := c.body["email"]; asked && !strings.Contains(email, "@") {
		return failed(http.StatusBadRequest, "", "email is no e-mail address"), true
	}
	return answer{}, false
}

func metrics(s *Server, _ call) answer {
	n := s.accounts.count()
	return done(http.StatusOK, map[string]any{
		"registered": n, "certified": n, "bonded": n / 2, "domains": n / 3, "galaxy_version": "1.0.0",
	})
}

func status(*Server, call) answer {
	return done(http.StatusOK, map[string]any{"status": "operational"})
}

func signup(s *Server, c call) answer {
	if no, lacks := c.missing("email", "password"); lacks {
		return no
	}
	n, fresh := s.accounts.add(strings.ToLower(c.body["email"]))
	if !fresh && !s.config.Faults.AcceptsAgain {
		return failed(http.StatusConflict, codeExists, "identity already exists")
	}
	s.did(c, eventRegistered, eventIssued)
	return done(http.StatusCreated, map[string]any{
		"user": map[string]any{"id": fmt.Sprintf("duck-%06d", n), "email": c.body["email"], "status": "UNCONFIRMED"},
		"birth_certificate": map[string]any{
			"id": fmt.Sprintf("cert-%06d", n), "issued_at": time.Now().UTC().Format(time.RFC3339),
		},
	})
}

func subscribe(s *Server, c call) answer {
	if no, lacks := c.missing("email"); lacks {
		return no
	}
	s.did(c)
	return done(http.StatusOK, map[string]any{"subscribed": true, "email": c.body["email"]})
}

func pageview(_ *Server, c call) answer {
	if no, lacks := c.missing("page"); lacks {
		return no
	}
	return done(http.StatusAccepted, map[string]any{"recorded": true})
}

func contact(s *Server, c call) answer {
	if no, lacks := c.missing("email", "message"); lacks {
		return no
	}
	s.did(c, eventSent)
	return done(http.StatusCreated, map[string]any{"ticket": fmt.Sprintf("SD-%d", s.tickets.Add(1))})
}

// elevate only starts the elevation: the telephone is not called, and the key
// keeps its tier.
func elevate(s *Server, c call) answer {
	if c.tier >= T2 {
		return done(http.StatusOK, map[string]any{"tier": c.tier.String(), "status": "verified"})
	}
	s.did(c, eventElevated)
	return done(http.StatusAccepted, map[string]any{"tier": c.tier.String(), "target": T2.String(), "status": "verification_pending"})
}
