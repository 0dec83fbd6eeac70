package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"duckload/history"
	"duckload/report"
)

// guarded is a scenario whose requests carry a secret of each kind.
const guarded = `
version: 1
name: guarded
target: http://127.0.0.1:1
identities:
  me: {headers: {Authorization: "Bearer ${env:BEARER}"}, query: {key: "${env:QUERY}"}}
  users: {file: users.csv, headers: {X-Api-Key: "${identity.key}"}}
defaults: {on_reject: {status: 429, retry_after: optional, json: {error.code: E1}}}
groups:
  standard:
    identity: me
    promise: {limit: 20/s, burst: 5, scope: key}
    setup: [{POST: /login, json: {password: "${env:BODY}"}, capture: {token: {json: token}}}]
    requests: [{POST: "/a?of=${env:QUERY}", json: {field: "${env:BODY}"}, headers: {X-Token: "${capture.token}"}}]
    pacing: [{burst: 8}, {hold: 20/s, for: LONG}]
  fast:
    identity: users
    transport: fast
    promise: {limit: 20/s, burst: 5, scope: key}
    requests: [{GET: "/b/${env:QUERY}", headers: {X-File: "${file:secret.txt}"}}]
    pacing: [{burst: 8}, {hold: 20/s, for: LONG}]
`

// allFormats names every format of a report.
func allFormats() string {
	var names []string
	for _, f := range report.Formats {
		names = append(names, f.Name)
	}
	return strings.Join(names, ",")
}

// A vault is random secrets, of characters that no encoding leaves alone, and
// what holds them.
type vault struct {
	dir     string // where duckload runs, with nothing in it but what was written here
	secrets map[string]string
	inputs  map[string]bool // files that hold secrets because a person put them there
}

func newVault(t *testing.T) vault {
	v := vault{dir: t.TempDir(), secrets: map[string]string{}, inputs: map[string]bool{}}
	for _, kind := range []string{"BEARER", "QUERY", "BODY", "captured", "file", "identity"} {
		v.secrets[kind] = kind[:1] + rand.Text()[:10] + "/+" + rand.Text()[:8] + "~%=" + kind[:1]
	}
	v.put(t, "users.csv", "name,key\nsomebody,"+v.secrets["identity"]+"\n")
	v.put(t, "secret.txt", v.secrets["file"]+"\n")
	for name, long := range map[string]string{"short.yaml": "1s", "long.yaml": "60s"} {
		v.put(t, name, strings.ReplaceAll(guarded, "LONG", long))
	}
	return v
}

func (v vault) put(t *testing.T, name, text string) {
	if err := os.WriteFile(filepath.Join(v.dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	v.inputs[filepath.Join(v.dir, name)] = true
}

// env is what duckload finds in its environment: its files go nowhere else.
func (v vault) env() []string {
	env := append(os.Environ(), "HOME="+v.dir, "TMPDIR="+v.dir)
	for _, name := range []string{"BEARER", "QUERY", "BODY", tokenVariable} {
		if secret := v.secrets[name]; secret != "" {
			env = append(env, name+"="+secret)
		}
	}
	return env
}

// forms are all ways in which a secret can be recognised: raw, in URLs, and in
// base64, which also is how Basic credentials travel, wherever it begins.
func (v vault) forms(secret string) []string {
	all := []string{secret, url.QueryEscape(secret), url.PathEscape(secret), strings.ToLower(url.QueryEscape(secret)), fmt.Sprintf("%x", secret)}
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for offset := range 3 {
			text := encoding.EncodeToString([]byte("::"[:offset] + secret))
			all = append(all, text[(8*offset+5)/6:8*(offset+len(secret))/6])
		}
	}
	return all
}

// leaks names every text that holds a secret, and what holds it.
func (v vault) leaks(t *testing.T, texts map[string][]byte) {
	t.Helper()
	for where, text := range texts {
		for kind, secret := range v.secrets {
			for _, form := range v.forms(secret) {
				if at := bytes.Index(text, []byte(form)); at >= 0 {
					t.Errorf("%s holds the secret of kind %s as %q: …%.200q…", where, kind, form, text[max(0, at-60):])
					break
				}
			}
		}
	}
}

// files are the contents of everything in a folder, and of what the records in
// it hold once they are unpacked.
func (v vault) files(t *testing.T) map[string][]byte {
	t.Helper()
	texts := map[string][]byte{}
	err := filepath.WalkDir(v.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		texts["the name of "+path] = []byte(path)
		switch {
		case e.IsDir() && (e.Name() == observationsDir || holdsRecord(path)):
			h, err := history.Open(path)
			if err != nil {
				return err
			}
			var b bytes.Buffer
			fmt.Fprintf(&b, "%+v\n%+v\n", h.Header, h.End)
			for o, err := range h.All() {
				fmt.Fprintf(&b, "%+v %v\n", o, err)
			}
			texts["the record "+path] = b.Bytes()
		case e.Type().IsRegular() && !v.inputs[path]:
			texts[path], err = os.ReadFile(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// holdsRecord reports whether a folder holds what one sender recorded.
func holdsRecord(dir string) bool {
	found, _ := filepath.Glob(filepath.Join(dir, "seg-*.dlh"))
	return len(found) > 0
}

// echo is a server that says back whatever it was sent, wherever it can, in
// every form.
func (v vault) echo(t *testing.T, refuse bool) string {
	captured := v.secrets["captured"]
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		parts := []string{r.Header.Get("Authorization"), r.Header.Get("X-Api-Key"), r.Header.Get("X-Token"), r.Header.Get("X-File"), r.URL.Query().Get("key"), r.URL.RequestURI(), string(body), captured}
		var all []string
		for i, part := range parts {
			part = strings.TrimPrefix(part, "Bearer ")
			all = append(all, part, url.QueryEscape(part), strings.ToLower(url.PathEscape(part)),
				base64.StdEncoding.EncodeToString([]byte("user"[:i%4]+":"+part)), base64.URLEncoding.EncodeToString([]byte(part+"xy"[:i%3])))
		}
		for i, said := range all {
			w.Header().Add(fmt.Sprintf("X-RateLimit-Said-%d", i), said)
		}
		w.Header().Set("X-RateLimit-Policy", strings.Join(all[:10], " "))
		w.Header().Set("Retry-After", captured)
		w.Header().Set("Location", "/?key="+strings.Join(all, "&"))
		w.Header().Set("Set-Cookie", "session="+captured)
		switch {
		case r.URL.Path == "/login" && refuse:
			w.WriteHeader(http.StatusForbidden)
			_, _ = fmt.Fprintf(w, "no such password: %s %s", body, strings.Join(all, " "))
		case r.URL.Path == "/login":
			_, _ = fmt.Fprintf(w, `{"token": %q}`, captured)
		case time.Now().UnixNano()/1e6%3 == 0:
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = fmt.Fprintf(w, `{"error": {"code": %q}}`, strings.Join(all, " "))
		default:
			_, _ = fmt.Fprint(w, strings.Join(all, "\n"))
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// A life is duckload as a process of its own.
type life struct {
	*exec.Cmd
	said bytes.Buffer
}

// begin starts duckload, which ends with the test at the latest.
func (v vault) begin(t *testing.T, args ...string) *life {
	t.Helper()
	c := &life{Cmd: exec.Command("duckload", args...)}
	c.Dir, c.Env, c.Stdout, c.Stderr = v.dir, v.env(), &c.said, &c.said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if c.ProcessState == nil {
			_ = c.Process.Kill()
			_ = c.Wait()
		}
	})
	return c
}

// end waits for the end, after a signal if there is one, and returns what was
// said.
func (c *life) end(t *testing.T, by syscall.Signal) map[string][]byte {
	t.Helper()
	if by != 0 {
		if err := c.Process.Signal(by); err != nil {
			t.Fatal(err)
		}
	}
	err := c.Wait()
	var status *exec.ExitError
	if err != nil && !errors.As(err, &status) {
		t.Fatal(err)
	}
	return map[string][]byte{fmt.Sprintf("what %q said", c.Args[1:]): c.said.Bytes()}
}

// run runs duckload and looks at what the system shows of it and of its
// children. After a while it is ended, if it is to be ended.
func (v vault) run(t *testing.T, after time.Duration, by syscall.Signal, args ...string) map[string][]byte {
	t.Helper()
	c := v.begin(t, args...)
	shown := map[string][]byte{}
	if after > 0 {
		time.Sleep(after)
		shown = titles(c.Process.Pid)
	}
	maps.Copy(shown, c.end(t, by))
	return shown
}

// titles are the command lines of a process and of all that it started, where
// the system shows them.
func titles(pid int) map[string][]byte {
	all := map[string][]byte{}
	for _, name := range []string{"cmdline", "comm"} {
		path := fmt.Sprintf("/proc/%d/%s", pid, name)
		if text, err := os.ReadFile(path); err == nil {
			all[path] = text
		}
	}
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, task := range tasks {
		text, _ := os.ReadFile(task)
		for _, child := range strings.Fields(string(text)) {
			var id int
			if _, err := fmt.Sscan(child, &id); err == nil {
				for path, title := range titles(id) {
					all[path] = title
				}
			}
		}
	}
	return all
}

// No secret comes out of a run, however it ends: whole, interrupted, killed,
// crashed with the stacks of everything, or refused before it began.
func TestNoSecretComesOut(t *testing.T) {
	t.Parallel() // it waits more than it works
	v := newVault(t)
	target := v.echo(t, false)
	all := allFormats()
	texts := map[string][]byte{}
	add := func(more map[string][]byte) {
		for where, text := range more {
			texts[where] = append(texts[where], text...)
		}
	}
	add(v.run(t, 0, 0, "run", "short.yaml", "--target", target, "--format", all, "--debug"))
	add(v.run(t, 0, 0, "run", "short.yaml", "--target", v.echo(t, true), "--debug"))
	add(v.run(t, 0, 0, "run", "short.yaml", "--target", "http://127.0.0.1:1"))
	add(v.run(t, 0, 0, "plan", "short.yaml"))
	add(v.run(t, 0, 0, "check", "short.yaml"))
	for _, by := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGKILL} {
		add(v.run(t, 1500*time.Millisecond, by, "run", "long.yaml", "--target", target, "--format", all, "--debug"))
	}
	runs, err := filepath.Glob(filepath.Join(v.dir, "results", "*-guarded*"))
	if err != nil || len(runs) != 6 { // the refused one began, too
		t.Fatalf("got the runs %q (%v), want 6: %s", runs, err, texts)
	}
	for _, run := range runs { // and later, from the record
		add(v.run(t, 0, 0, "report", run, "--format", all))
		for _, f := range exportFormats {
			add(v.run(t, 0, 0, "export", run, "--to", f.name))
		}
		add(v.run(t, 0, 0, "analyze", run, "--format", "text=-"))
		add(v.run(t, 0, 0, "compare", runs[0], run))
	}
	add(v.files(t))
	v.leaks(t, texts)
	masked, proc := 0, 0
	for where, text := range texts {
		masked += bytes.Count(text, []byte("***"))
		if strings.HasPrefix(where, "/proc/") {
			proc++
		}
	}
	if masked < 100 || len(texts) < 100 {
		t.Errorf("got %d places that were masked in %d texts: did the server echo anything?", masked, len(texts))
	}
	if _, err := os.Stat("/proc/self/cmdline"); err == nil && proc == 0 {
		t.Error("no title of a process was looked at")
	}
}

// What a client sends with its calls is nowhere in the judgement on it.
func TestNoSecretOfAClientComesOut(t *testing.T) {
	t.Parallel() // it waits more than it works
	if _, err := exec.LookPath("curl"); err != nil {
		t.Fatal("no curl here: .ci/tools installs it")
	}
	v := newVault(t)
	v.put(t, "head.txt", "Authorization: Bearer "+v.secrets["BEARER"]+"\nCookie: a="+v.secrets["file"]+"\n")
	v.put(t, "body.txt", v.secrets["BODY"])
	v.put(t, "client.sh", `call() { curl -s -o said -d @body.txt -X GET "$@"; }
for path in /beak/metrics /no/such/path; do
	call -H @head.txt "$DUCKLOAD_BASE_URL$path?key=$(printf %s "$QUERY" | sed 's/%/%25/g')"
	call -u "user:$BODY" "$DUCKLOAD_BASE_URL$path"
done`)
	args := []string{"client-check", "--script", "bad-key,limited", "--client-output", "client.txt"}
	for _, f := range report.ClientFormats {
		args = append(args, "--format", f.Name+"=judged."+f.Name)
	}
	texts := v.run(t, 0, 0, append(args, "--", "sh", "client.sh")...)
	maps.Copy(texts, v.files(t))
	v.leaks(t, texts)
	if said := texts[filepath.Join(v.dir, "judged.json")]; !bytes.Contains(said, []byte("/no/such/path")) {
		t.Errorf("the calls are not in what was judged: %s %s", said, texts)
	}
}

// A leak is found in every form, or the test above proves nothing.
func TestLeaksAreFound(t *testing.T) {
	v := vault{secrets: map[string]string{"X": "x/secret+1~%=x"}}
	s := v.secrets["X"]
	for _, text := range []string{s, url.QueryEscape(s), url.PathEscape(s), base64.StdEncoding.EncodeToString([]byte("user:" + s)), base64.URLEncoding.EncodeToString([]byte("ab" + s + "cd")), base64.StdEncoding.EncodeToString([]byte("a" + s))} {
		found := false
		for _, form := range v.forms(s) {
			found = found || strings.Contains(text, form)
		}
		if !found {
			t.Errorf("%q would not be found", text)
		}
	}
}
