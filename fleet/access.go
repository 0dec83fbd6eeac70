package fleet

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// Access says where the bus is and who we are. Secrets come from files or the
// environment.
type Access struct {
	URL   string // nats://host:port or tls://host:port; several, separated by commas
	Name  string // of this client, for the people who run the server
	Token string // empty: none
	Nkey  string // file with the seed of an nkey; empty: none
	Creds string // file of credentials (JWT and nkey); empty: none

	CA   string // file of roots that certify the server; empty: this machine's
	Cert string // file of our own certificate, and
	Key  string // of its key; empty: none

	Plain bool // a bus elsewhere may be spoken to without TLS
}

// options are all mistakes at once, or what they come to.
func (a Access) options() ([]nats.Option, error) {
	mistakes := a.mistakes()
	options := []nats.Option{
		nats.Name(a.Name), nats.MaxReconnects(-1), nats.ReconnectWait(reconnectWait),
		nats.PingInterval(5 * time.Second), nats.MaxPingsOutstanding(2), nats.ReconnectBufSize(-1),
		nats.CustomReconnectDelay(func(int) time.Duration { return reconnectWait }),
	}
	if a.Token != "" {
		options = append(options, nats.Token(a.Token))
	}
	if a.Nkey != "" {
		nkey, err := nats.NkeyOptionFromSeed(a.Nkey)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("nkey: %s: %w", a.Nkey, err))
		}
		options = append(options, nkey)
	}
	if a.Creds != "" {
		if _, err := os.Stat(a.Creds); err != nil {
			mistakes = append(mistakes, fmt.Errorf("creds: %w", err))
		}
		options = append(options, nats.UserCredentials(a.Creds))
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if a.CA != "" {
		pem, err := os.ReadFile(a.CA)
		config.RootCAs = x509.NewCertPool()
		if err == nil && !config.RootCAs.AppendCertsFromPEM(pem) {
			err = fmt.Errorf("%s: no certificate in it", a.CA)
		}
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("ca: %w", err))
		}
	}
	if a.Cert != "" {
		own, err := tls.LoadX509KeyPair(a.Cert, a.Key)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("certificate: %w", err))
		}
		config.Certificates = []tls.Certificate{own}
	}
	if a.secure() {
		options = append(options, nats.Secure(config))
	}
	return options, errors.Join(mistakes...)
}

// Check returns every mistake in how a bus is to be reached.
func (a Access) Check() error { return errors.Join(a.mistakes()...) }

func (a Access) mistakes() []error {
	var wrong []error
	for _, at := range a.urls() {
		u, err := url.Parse(at)
		switch {
		case err != nil || u.Host == "" || u.Scheme != "nats" && u.Scheme != "tls":
			wrong = append(wrong, fmt.Errorf("%q is not the address of a bus (write nats://host:4222 or tls://host:4222)", at))
		case u.User != nil:
			wrong = append(wrong, fmt.Errorf("%s: an address holds no secret (give the token in the environment, or name a file)", u.Redacted()))
		case !a.secure() && !a.Plain && !Loopback(u.Hostname()):
			wrong = append(wrong, fmt.Errorf("%s: a bus on another machine needs TLS (write tls://%s, or give --nats-plaintext)", at, u.Host))
		}
	}
	if (a.Cert == "") != (a.Key == "") {
		wrong = append(wrong, errors.New("a certificate needs its key, and a key its certificate"))
	}
	return wrong
}

func (a Access) urls() []string { return strings.Split(a.URL, ",") }

// secure reports whether TLS is asked for.
func (a Access) secure() bool {
	return a.CA != "" || a.Cert != "" || slices.ContainsFunc(a.urls(), func(u string) bool { return strings.HasPrefix(u, "tls://") })
}

// Private reports whether nobody on the way reads what is told: all of it is
// under TLS, or stays on this machine.
func (a Access) Private() bool {
	return a.secure() || !slices.ContainsFunc(a.urls(), func(at string) bool {
		u, err := url.Parse(at)
		return err != nil || !Loopback(u.Hostname())
	})
}

// Loopback reports whether a host is this machine.
func Loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.Unmap().IsLoopback()
}
