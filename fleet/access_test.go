package fleet

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"
)

// certified makes a certificate for 127.0.0.1 that certifies itself, and the
// file of it.
func certified(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bus"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, path
}

// guarded starts a server that lets in only who has the nkey, under TLS.
func guarded(t *testing.T) (Access, *server.Server) {
	t.Helper()
	cert, ca := certified(t)
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	public, err := pair.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	seed, err := pair.Seed()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "seed")
	if err := os.WriteFile(file, seed, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir(), SyncAlways: true,
		TLS: true, TLSTimeout: 10, TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}}, Nkeys: []*server.NkeyUser{{Nkey: public}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(upWithin) {
		t.Fatal("the server does not come up")
	}
	return Access{URL: "tls://" + s.Addr().String(), Nkey: file, CA: ca}, s
}

func TestABusUnderTLSLetsInWhoHasTheKey(t *testing.T) {
	t.Parallel()
	access, _ := guarded(t)
	dial := func(a Access) error {
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
		defer cancel()
		bus, err := Dial(ctx, a)
		if err != nil {
			return err
		}
		defer bus.Close()
		if err := bus.Prepare(ctx); err != nil {
			return err
		}
		if err := bus.Keep(ctx, keptSubject("run", "A"), "1", []byte("x")); err != nil {
			return err
		}
		if err := bus.Keep(ctx, keptSubject("run", "A"), "1", []byte("x")); err != nil {
			return err
		}
		enough, got := context.WithTimeout(ctx, 5*time.Second)
		defer got()
		n := 0
		_ = bus.Kept(enough, keptSubject("run", ">"), func([]byte) error {
			n++
			time.AfterFunc(300*time.Millisecond, got) // a second one would come at once
			return nil
		})
		if n != 1 {
			t.Errorf("kept %d messages of one id, want 1", n)
		}
		return nil
	}
	if err := dial(access); err != nil {
		t.Errorf("with the key: %v", err)
	}
	for name, change := range map[string]func(*Access){
		"another key": func(a *Access) {
			pair, _ := nkeys.CreateUser()
			seed, _ := pair.Seed()
			a.Nkey = filepath.Join(t.TempDir(), "seed")
			_ = os.WriteFile(a.Nkey, seed, 0o600)
		},
		"no key":        func(a *Access) { a.Nkey = "" },
		"another root":  func(a *Access) { _, a.CA = certified(t) },
		"roots of ours": func(a *Access) { a.CA = "" },
	} {
		a := access
		change(&a)
		began := time.Now()
		if err := dial(a); err == nil || time.Since(began) > 10*time.Second {
			t.Errorf("%s: got %v after %v, want a refusal at once", name, err, time.Since(began))
		}
	}
}

func TestEveryMistakeInAnAccessIsNamed(t *testing.T) {
	for _, c := range []struct {
		access Access
		want   []string
	}{
		{Access{URL: "nats://127.0.0.1:4222"}, nil},
		{Access{URL: "tls://bus.example.com:4222"}, nil},
		{Access{URL: "nats://bus.example.com:4222", Plain: true}, nil},
		{Access{URL: "nats://bus.example.com:4222"}, []string{"needs TLS"}},
		{Access{URL: "http://127.0.0.1"}, []string{"not the address of a bus"}},
		{Access{URL: "nats://a:b@127.0.0.1:1,ftp://x", Cert: "c"}, []string{"holds no secret", "not the address of a bus", "needs its key"}},
	} {
		err := c.access.Check()
		if (err != nil) != (len(c.want) > 0) {
			t.Errorf("%+v: got %v, want %q", c.access, err, c.want)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) || strings.Contains(err.Error(), "a:b") {
				t.Errorf("%+v: got %v, want %q and no secret", c.access, err, w)
			}
		}
	}
	for url, private := range map[string]bool{
		"nats://127.0.0.1:1": true, "nats://localhost:1": true, "tls://bus.example.com:1": true, "nats://bus.example.com:1": false,
		"nats://127.0.0.1:1,nats://bus.example.com:1": false,
	} {
		if got := (Access{URL: url}).Private(); got != private {
			t.Errorf("%s: private %v, want %v", url, got, private)
		}
	}
}
