package scenarios

import (
	"crypto/tls"
	"crypto/x509"
	"net/netip"
	"strings"
	"time"
)

// A Transport is how a group's requests travel. The zero value is HTTP/1.1 to
// where the target's name leads, over connections that are used again.
type Transport struct {
	Fast        bool          // a lean client, for load: HTTP/1.1 alone
	HTTP        int           // 2, or 0 for HTTP/1.1
	OneShot     bool          // a connection for each request
	Timeout     time.Duration // of a request, its connection and its answer; 0: 30 s
	Connections int           // the most requests under way at once in a lane; 0: as many as its plan may need
	Host        string        // in the Host header; empty: the target's
	Resolve     netip.Addr    // where the target's name leads; zero: as the resolver says
	TLS         TLS
}

// TLS is what a group's handshakes start from. The zero value trusts the roots
// of this machine and shows no certificate.
type TLS struct {
	Roots     []byte // PEM; nil: those of this machine
	Cert, Key []byte // PEM, of the client; nil: none

	// Anyone accepts whoever answers: what is measured may be somebody else's.
	Anyone bool
}

// maxConnections bounds the requests of a lane that are under way at once.
const maxConnections = 1024

// maxTimeout bounds how long an answer is waited for.
const maxTimeout = 10 * time.Minute

// transport are the keys of a group that say how its requests travel.
func (r *reader) transport(t *Transport) []key {
	return []key{
		{"transport", func(n node) { t.Fast = r.oneOf(n, "standard", "fast") == "fast" }},
		{"http", func(n node) {
			if r.oneOf(n, "1.1", "2") == "2" {
				t.HTTP = 2
			}
			if t.HTTP == 2 && t.Fast {
				r.bad(n, "transport: fast speaks HTTP/1.1 alone (leave one of them out)")
			}
		}},
		{"reuse", func(n node) { t.OneShot = !r.boolean(n) }},
		{"timeout", func(n node) {
			if t.Timeout = r.duration(n); t.Timeout > maxTimeout {
				r.bad(n, "must be at most %s, got %s", maxTimeout, t.Timeout)
			}
		}},
		{"connections", func(n node) { t.Connections = int(r.whole(n, 1, maxConnections)) }},
		{"host", func(n node) { t.Host = r.authority(n) }},
		{"resolve", func(n node) { t.Resolve = r.address(n) }},
		{"tls", func(n node) { t.TLS = r.tls(n) }},
	}
}

// authority reads what may stand in a Host header.
func (r *reader) authority(n node) string {
	text, ok := r.text(n)
	name, port, found := strings.Cut(text, ":")
	wrong := ""
	if found {
		_, wrong = parseWhole(port, 1, 65535)
	}
	if ok && (wrong != "" || !hostName.MatchString(name)) {
		r.bad(n, "must be a host, or a host and a port, got %q (write api.example.com)", shortened(text))
	}
	return text
}

func (r *reader) address(n node) netip.Addr {
	text, ok := r.text(n)
	addr, err := netip.ParseAddr(text)
	if ok && err != nil {
		r.bad(n, "must be an IP address, got %q (write 127.0.0.1 or ::1)", shortened(text))
	}
	return addr
}

// tls reads the files that a handshake starts from.
func (r *reader) tls(n node) TLS {
	var t TLS
	var certAt, keyAt node
	found := r.mapping(n, []key{
		{"ca", func(n node) {
			t.Roots = r.pem(n)
			if t.Roots != nil && !x509.NewCertPool().AppendCertsFromPEM(t.Roots) {
				r.bad(n, "holds no certificate in PEM")
			}
		}},
		{"cert", func(n node) { t.Cert, certAt = r.pem(n), n }},
		{"key", func(n node) {
			if t.Key, keyAt = r.pem(n), n; t.Key != nil {
				r.secrets = append(r.secrets, string(t.Key))
			}
		}},
		{"dangerously_accept_any_certificate", func(n node) { t.Anyone = r.boolean(n) }},
	})
	switch {
	case found["cert"] && !found["key"]:
		r.bad(certAt, "needs its key (write key: client.key)")
	case found["key"] && !found["cert"]:
		r.bad(keyAt, "needs its certificate (write cert: client.pem)")
	case t.Cert != nil && t.Key != nil:
		if _, err := tls.X509KeyPair(t.Cert, t.Key); err != nil {
			r.bad(certAt, "does not work with its key: %v", err)
		}
	}
	if t.Anyone && t.Roots != nil {
		r.bad(n, "ca means nothing where any certificate is accepted (leave one of them out)")
	}
	return t
}

// pem reads a file whose path is the value. nil: it could not be read, and the
// mistake is noted.
func (r *reader) pem(n node) []byte {
	name, ok := r.text(n)
	if !ok {
		return nil
	}
	p, wrong := r.fileText(part{}, name)
	if wrong != "" {
		r.bad(n, "%s", wrong)
		return nil
	}
	return []byte(p.text + "\n")
}
