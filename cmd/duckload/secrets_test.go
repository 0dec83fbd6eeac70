package main

import (
	"bytes"
	"encoding/base64"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"duckload/report"
)

// echoing is a scenario whose keys a server says back wherever it can.
const echoing = `
version: 1
name: echoing
target: http://127.0.0.1:1
defaults: {on_reject: {status: 429, retry_after: required, json: {error.code: E1}}}
identities: {me: {headers: {Authorization: "Bearer ${env:KEY}", X-Api-Key: in-the-file-itself}, query: {key: "${env:KEY}"}}}
groups:
  standard: {identity: me, promise: {limit: 3/min, burst: 1}, requests: [{POST: "/a?of=${env:KEY}", json: {key: "${env:KEY}"}}], pacing: [{burst: 4}],
    setup: [{POST: /login, capture: {token: {json: token}}}]}
  fast: {identity: me, transport: fast, promise: {limit: 3/min, burst: 1}, requests: [{GET: /b, headers: {X-Token: "${env:TOKEN}"}}], pacing: [{burst: 4}]}
`

// A server that says keys back brings them into nothing that is written or
// shown, in no form in which they travel.
func TestAnEchoingServerBringsNoSecretToTheDisk(t *testing.T) {
	t.Parallel() // it waits more than it works
	const key, token, captured = `s3cret-key/+"x%`, "0123456789abcdef", "captured-token-77"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		all := strings.Join([]string{r.Header.Get("Authorization"), r.Header.Get("X-Api-Key"), r.URL.Query().Get("key"), r.URL.RawQuery, token, captured}, " ")
		w.Header().Set("X-RateLimit-Policy", all)
		w.Header().Set("RateLimit", base64.StdEncoding.EncodeToString([]byte(r.URL.Query().Get("key"))))
		w.Header().Set("X-RateLimit-"+token, "1")
		w.Header().Set("Retry-After", key)
		switch {
		case r.URL.Path == "/login":
			_, _ = w.Write([]byte(`{"token": "` + captured + `"}`))
		case time.Now().UnixNano()%2 == 0:
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = w.Write([]byte(`{"error": {"code": "` + url.QueryEscape(key) + captured + `"}}`))
		}
	}))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	file := filepath.Join(dir, "echoing.yaml")
	if err := os.WriteFile(file, []byte(echoing), 0o644); err != nil {
		t.Fatal(err)
	}
	var formats []string
	for _, f := range report.Formats {
		formats = append(formats, f.Name)
	}
	out, shown := filepath.Join(dir, "out"), bytes.Buffer{}
	p := process{
		stdin: strings.NewReader(""), stdout: &shown, stderr: &shown, now: time.Now,
		width: func() int { return 0 }, columns: func() int { return 0 },
		lookup: func(name string) (string, bool) {
			v, ok := map[string]string{"KEY": key, "TOKEN": token}[name]
			return v, ok
		},
	}
	exit := p.main(t.Context(), []string{"run", file, "--target", server.URL, "--out", out, "--format", strings.Join(formats, ","), "--debug"})
	if exit != exitFail && exit != exitInconclusive {
		t.Fatalf("exit status %d:\n%s", exit, shown.String())
	}
	run, err := filepath.Glob(filepath.Join(out, "*"))
	if err != nil || len(run) != 1 {
		t.Fatalf("got %q, %v", run, err)
	}
	for _, f := range report.Formats { // and later, from the record
		p.main(t.Context(), []string{"report", run[0], "--format", f.Name + "=-"})
	}
	for _, to := range exportFormats {
		p.main(t.Context(), []string{"export", run[0], "--to", to.name})
	}
	texts := map[string][]byte{"the screen": shown.Bytes()}
	err = filepath.WalkDir(out, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			texts[path], err = os.ReadFile(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(texts) < 10 {
		t.Errorf("got %d files, want every format", len(texts))
	}
	for where, text := range texts {
		for _, secret := range []string{key, token, captured, "in-the-file-itself"} {
			for _, form := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret))} {
				if bytes.Contains(text, []byte(form)) {
					t.Errorf("%s holds %q", filepath.Base(where), form)
				}
			}
		}
	}
	if !bytes.Contains(shown.Bytes(), []byte("***")) {
		t.Error("nothing was masked: did the server echo anything?")
	}
}
