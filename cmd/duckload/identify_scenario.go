package main

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// scenario writes what is asked for as a scenario file. The second group is
// the same with a connection for each request, the third with the method HEAD;
// both are only there to ask with.
func (s identifying) scenario(name, promise, reject, comment string) (string, error) {
	headers, clients, err := s.clients()
	if err != nil {
		return "", err
	}
	base := url.URL{Scheme: s.url.Scheme, Host: s.url.Host}
	var b strings.Builder
	for line := range strings.SplitSeq(comment, "\n") {
		if line != "" {
			fmt.Fprintf(&b, "# %s\n", strings.TrimSpace(printable(line)))
		}
	}
	fmt.Fprintf(&b, "version: 1\nname: %s\ntarget: %s\n", name, quoted(base.String()))
	if len(s.allow) > 0 {
		fmt.Fprintf(&b, "allow_hosts: [%s]\n", join(s.allow, quoted))
	}
	fmt.Fprintf(&b, "defaults:\n  on_reject: %s\n  admitted: [2xx, 3xx]\n", reject)
	var names []string
	if len(clients) > 0 {
		b.WriteString("identities:\n")
		for i, client := range clients {
			names = append(names, "client-"+strconv.Itoa(i+1))
			fmt.Fprintf(&b, "  %s: {headers: {%s}}\n", names[i], join(client, func(h [2]string) string { return quoted(h[0]) + ": " + quoted(h[1]) }))
		}
	}
	groups := []string{"api"}
	if name == "identify" {
		groups = append(groups, "connections", "methods")
	}
	b.WriteString("groups:\n")
	for i, group := range groups {
		fmt.Fprintf(&b, "  %s:\n    promise: %s\n", group, promise)
		method := s.method
		if group == "methods" {
			method = "HEAD"
		}
		request := method + ": " + quoted(s.url.RequestURI())
		if len(headers) > 0 {
			request += ", headers: {" + join(headers, func(h [2]string) string { return quoted(h[0]) + ": " + quoted(h[1]) }) + "}"
		}
		fmt.Fprintf(&b, "    requests: [{%s}]\n", request)
		if len(names) > 0 {
			fmt.Fprintf(&b, "    identity: [%s]\n", strings.Join(names, ", "))
		}
		if sources, err := s.addresses(); err == nil && s.sources != "" && name != "identify" {
			fmt.Fprintf(&b, "    sources: [%s]\n", join(sources[max(0, len(sources)-2):], func(a netip.Addr) string { return quoted(a.String()) }))
		}
		if i == 1 {
			b.WriteString("    reuse: false\n")
		}
	}
	return b.String(), nil
}

// clients returns the headers of every request, and those of each client.
func (s identifying) clients() (headers [][2]string, clients [][][2]string, err error) {
	var mistakes []error
	for _, h := range s.headers {
		name, value, ok := strings.Cut(h, ":")
		if !ok || strings.TrimSpace(name) == "" {
			mistakes = append(mistakes, fmt.Errorf("--header: %q is no header (write 'Name: value')", name))
			continue
		}
		headers = append(headers, [2]string{strings.TrimSpace(name), strings.TrimSpace(value)})
	}
	for _, h := range s.values {
		name, list, ok := strings.Cut(h, "=")
		if !ok || strings.TrimSpace(name) == "" || list == "" {
			mistakes = append(mistakes, fmt.Errorf("--header-values: %q is no list (write 'Name=a,b,c')", name))
			continue
		}
		for i, value := range strings.Split(list, ",") {
			if i == len(clients) {
				clients = append(clients, nil)
			}
			clients[i] = append(clients[i], [2]string{strings.TrimSpace(name), strings.TrimSpace(value)})
		}
	}
	if s.budget < 1 {
		mistakes = append(mistakes, fmt.Errorf("--budget: must be at least 1, got %d", s.budget))
	}
	if s.hold < 0 {
		mistakes = append(mistakes, fmt.Errorf("--hold: must be 0 or more, got %d", s.hold))
	}
	if s.most <= 0 {
		mistakes = append(mistakes, fmt.Errorf("--max-time: must be above 0, got %s", s.most))
	}
	return headers, clients, errors.Join(mistakes...)
}

// quoted writes a value between quotes that YAML and JSON share.
func quoted(text string) string { return strconv.Quote(text) }

func join[T any](all []T, text func(T) string) string {
	parts := make([]string, len(all))
	for i, one := range all {
		parts[i] = text(one)
	}
	return strings.Join(parts, ", ")
}
