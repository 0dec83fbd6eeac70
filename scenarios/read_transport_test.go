package scenarios

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

// certified is an environment with a certificate, its key, and a file that is
// neither.
func certified(t *testing.T) (env Env, cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	key = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
	files := map[string][]byte{"cert.pem": cert, "key.pem": key, "text": []byte("hello")}
	return Env{ReadFile: func(name string) ([]byte, error) {
		text, ok := files[name]
		if !ok {
			return nil, os.ErrNotExist
		}
		return text, nil
	}}, cert, key
}

const plainGroup = "promise: {limit: 10/s, burst: 5},\nrequests: [GET /x],\n"

func TestATransportIsRead(t *testing.T) {
	env, cert, key := certified(t)
	for _, tc := range []struct {
		text string
		want Transport
	}{
		{"transport: standard, http: 1.1, reuse: true", Transport{}},
		{"transport: fast, connections: 64", Transport{Fast: true, Connections: 64}},
		{"timeout: 250ms", Transport{Timeout: 250 * time.Millisecond}},
		{"http: 2", Transport{HTTP: 2}},
		{"reuse: false", Transport{OneShot: true}},
		{"host: 'api.example.com:8443', resolve: '::1'", Transport{Host: "api.example.com:8443", Resolve: netip.IPv6Loopback()}},
		{"tls: {ca: cert.pem, cert: cert.pem, key: key.pem}", Transport{TLS: TLS{Roots: cert, Cert: cert, Key: key}}},
		{"tls: {dangerously_accept_any_certificate: true}", Transport{TLS: TLS{Anyone: true}}},
	} {
		s, err := Load("f", []byte(around(plainGroup+tc.text)), env)
		if err != nil {
			t.Errorf("%s: %v", tc.text, err)
			continue
		}
		if got := s.Groups[0].Transport; !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s: got %+v, want %+v", tc.text, got, tc.want)
		}
	}
}

func TestTheKeyOfACertificateIsASecret(t *testing.T) {
	env, _, key := certified(t)
	s, err := Load("f", []byte(around(plainGroup+"tls: {cert: cert.pem, key: key.pem}")), env)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(s.Secrets(), ""), string(key)) {
		t.Error("got secrets without the key of the certificate")
	}
}

func TestEveryMistakeOfATransportIsNamed(t *testing.T) {
	env, _, _ := certified(t)
	for _, tc := range []struct{ text, want string }{
		{"transport: fasd", `f:6:12: groups.g.transport: unknown value "fasd" (did you mean "fast"?) (have standard, fast)`},
		{"http: 3", `f:6:7: groups.g.http: unknown value "3" (did you mean "2"?) (have 1.1, 2)`},
		{"http: 2, transport: fast", `f:6:7: groups.g.http: transport: fast speaks HTTP/1.1 alone (leave one of them out)`},
		{"reuse: never", `f:6:8: groups.g.reuse: must be true or false, got "never"`},
		{"connections: 0", `f:6:14: groups.g.connections: must be from 1 to 1024, got 0`},
		{"timeout: 0s", `f:6:10: groups.g.timeout: must be above 0, got "0s"`},
		{"timeout: 1h", `f:6:10: groups.g.timeout: must be at most 10m0s, got 1h0m0s`},
		{"host: 'http://x'", `f:6:7: groups.g.host: must be a host, or a host and a port, got "http://x" (write api.example.com)`},
		{"host: \"x\\r\\ny\"", "f:6:7: groups.g.host: must be a host, or a host and a port, got \"x\\r\\ny\" (write api.example.com)"},
		{"resolve: localhost", `f:6:10: groups.g.resolve: must be an IP address, got "localhost" (write 127.0.0.1 or ::1)`},
		{"tls: {ca: text}", `f:6:11: groups.g.tls.ca: holds no certificate in PEM`},
		{"tls: {ca: none}", `f:6:11: groups.g.tls.ca: file "none": file does not exist`},
		{"tls: {ca: ../x}", `f:6:11: groups.g.tls.ca: file "../x" is not below the folder of the scenario (write a relative path without ..)`},
		{"tls: {cert: cert.pem}", `f:6:13: groups.g.tls.cert: needs its key (write key: client.key)`},
		{"tls: {key: key.pem}", `f:6:12: groups.g.tls.key: needs its certificate (write cert: client.pem)`},
		{"tls: {cert: cert.pem, key: cert.pem}", `f:6:13: groups.g.tls.cert: does not work with its key: tls: found a certificate rather than a key in the PEM for the private key`},
		{"tls: {ca: cert.pem, dangerously_accept_any_certificate: true}", `f:6:6: groups.g.tls: ca means nothing where any certificate is accepted (leave one of them out)`},
		{"tls: {insecure: true}", `f:6:7: groups.g.tls.insecure: unknown key (have ca, cert, key, dangerously_accept_any_certificate)`},
	} {
		_, err := Load("f", []byte(around(plainGroup+tc.text)), env)
		if fmt.Sprint(err) != tc.want {
			t.Errorf("%s:\ngot  %v\nwant %s", tc.text, err, tc.want)
		}
	}
}

func TestHTTP2NeedsAHandshakeToAgreeOnIt(t *testing.T) {
	s, err := Load("f", []byte(around(plainGroup+"http: 2")), Env{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Compile(s, CompileOptions{Run: "r", Target: "http://127.0.0.1:1"})
	if want := "f:3:10: groups.g: http: 2 needs a target that begins with https (the two sides agree on it in the TLS handshake)"; fmt.Sprint(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err = Compile(s, CompileOptions{Run: "r", Target: "https://127.0.0.1:1"}); err != nil {
		t.Errorf("got %v over https, want no mistake", err)
	}
}
