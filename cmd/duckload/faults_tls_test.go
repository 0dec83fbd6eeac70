package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"
)

// An authority certifies servers, rightly and wrongly.
type authority struct {
	root                             []byte // its own certificate, in PEM
	valid, expired, future, stranger tls.Certificate
	other                            tls.Certificate // of another host
}

var theAuthority = sync.OnceValues(func() (a authority, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return a, err
	}
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tests"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, root, root, &key.PublicKey, key)
	if err != nil {
		return a, err
	}
	a.root = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	leaf := func(host string, from, to time.Duration, parent *x509.Certificate) tls.Certificate {
		c := &x509.Certificate{
			SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(to),
			KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		}
		if ip := net.ParseIP(host); ip != nil {
			c.IPAddresses = []net.IP{ip}
		} else {
			c.DNSNames = []string{host}
		}
		if parent == nil {
			parent = c
		}
		der, wrong := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, key)
		if wrong != nil {
			err = wrong
		}
		return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	}
	const day = 24 * time.Hour
	a.valid = leaf("127.0.0.1", -day, day, root)
	a.expired = leaf("127.0.0.1", -day, -time.Hour, root)
	a.future = leaf("127.0.0.1", time.Hour, day, root)
	a.other = leaf("example.org", -day, day, root)
	a.stranger = leaf("127.0.0.1", -day, day, nil)
	return a, err
})

func certificates(t *testing.T) authority {
	a, err := theAuthority()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// offering speaks TLS with a valid certificate.
func offering(protocols ...string) func(*faulty) *tls.Config {
	return with(func(a authority) tls.Certificate { return a.valid }, protocols...)
}

func with(which func(authority) tls.Certificate, protocols ...string) func(*faulty) *tls.Config {
	return func(*faulty) *tls.Config {
		a, _ := theAuthority()
		return &tls.Config{Certificates: []tls.Certificate{which(a)}, NextProtos: protocols}
	}
}

// Whatever keeps a connection from being trusted, or breaks it. Where nobody
// can be trusted from the start, nothing is sent.
var faultsOfTLS = []fault{
	{
		name: "a certificate that has expired", exit: []int{exitUnusable}, says: []string{"cannot be reached", "has expired"},
		tls: with(func(a authority) tls.Certificate { return a.expired }),
	},
	{
		name: "a certificate of tomorrow", exit: []int{exitUnusable}, says: []string{"cannot be reached", "not yet valid"},
		tls: with(func(a authority) tls.Certificate { return a.future }),
	},
	{
		name: "a certificate of another host", exit: []int{exitUnusable}, says: []string{"cannot be reached", "127.0.0.1"},
		tls: with(func(a authority) tls.Certificate { return a.other }),
	},
	{
		name: "a certificate by nobody known", exit: []int{exitUnusable}, says: []string{"cannot be reached", "unknown authority"},
		tls: with(func(a authority) tls.Certificate { return a.stranger }),
	},
	{
		name: "a certificate that expires during the run", class: "tls", keys: "reuse: false", says: []string{"tls (TLS handshake: ", "has expired"},
		tls: func(s *faulty) *tls.Config {
			a, _ := theAuthority()
			return &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
				if s.wellBegun() {
					return &a.expired, nil
				}
				return &a.valid, nil
			}}
		},
	},
	{
		name: "a handshake that is none", exit: []int{exitUnusable}, says: []string{"cannot be reached", "TLS handshake"},
		tls: offering(),
		greet: func(_ *faulty, c net.Conn) net.Conn {
			c.Write([]byte("220 mail.example.org ESMTP\r\n"))
			c.Read(make([]byte, 1024))
			return nil
		},
	},
	{
		name: "plain HTTP on the port of TLS", exit: []int{exitUnusable}, says: []string{"cannot be reached", "the target speaks plain HTTP on this port"},
		tls: offering(),
		greet: func(_ *faulty, c net.Conn) net.Conn {
			c.Read(make([]byte, 4096))
			c.Write([]byte("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"))
			return nil
		},
	},
	{
		name: "a handshake that never ends", exit: []int{exitUnusable}, says: []string{"cannot be reached", "TLS handshake"}, timeout: impatient,
		tls: offering(),
		greet: func(_ *faulty, c net.Conn) net.Conn {
			c.Read(make([]byte, 4096))
			time.Sleep(2 * impatient)
			return nil
		},
	},
	{
		name: "handshakes that are cut now and then", class: "tls", other: "reset", keys: "reuse: false", says: []string{"tls (TLS handshake: "},
		tls: offering(),
		greet: func(s *faulty, c net.Conn) net.Conn {
			if s.nth() {
				c.Read(make([]byte, 1024))
				return nil
			}
			return c
		},
	},
	{
		name: "TLS of the last century", exit: []int{exitUnusable}, says: []string{"cannot be reached", "protocol version"},
		tls: func(s *faulty) *tls.Config {
			config := offering()(s)
			config.MinVersion, config.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
			return config
		},
	},
	{
		name: "TLS that is cut in an answer, without a farewell", class: "eof", status: honestly, says: []string{"eof ("},
		tls: offering(),
		strike: func(x *exchange) {
			x.say("%sContent-Length: 100\r\n\r\nhalf", x.head())
			x.Conn.(*tls.Conn).NetConn().Close()
		},
	},
	{
		name: "TLS that turns to noise", class: "tls", says: []string{"tls ("}, request: `"POST /x?seq=${seq}"`,
		tls: offering(),
		strike: func(x *exchange) {
			x.decide()
			x.Conn.(*tls.Conn).NetConn().Write([]byte("\x17\x03\x03\x00\x20this is not what was encrypted!!"))
			x.hang()
		},
	},
	{
		name: "HTTP/2 from a target that has only HTTP/1.1", by: []string{"h2"}, exit: []int{exitUnusable}, says: []string{"cannot be reached", "HTTP/2"},
		tls: offering("http/1.1"),
	},
}
