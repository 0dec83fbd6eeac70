package scenarios

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// spots are all places of a scenario where a file may be named.
var spots = map[string]string{
	"a value":     "requests: [{GET: /, headers: {X-A: '${file:%s}'}}]\n    pacing: [{burst: 1}]",
	"a body":      "requests: [{POST: /, file: '%s'}]\n    pacing: [{burst: 1}]",
	"a recording": "requests: [GET /]\n    pacing: [{replay: '%s'}]",
	"a root":      "requests: [GET /]\n    tls: {ca: '%s'}\n    pacing: [{burst: 1}]",
	"identities":  "identity: users\n    requests: [GET /]\n    pacing: [{burst: 1}]\nidentities:\n  users: {file: '%s', headers: {X-A: '${identity.key}'}}",
}

// loadBelow loads a scenario in a folder that names a file, and gives up after
// a while: reading a pipe would wait for ever.
func loadBelow(dir, spot, name string) error {
	text := fmt.Sprintf("version: 1\nname: n\ntarget: http://127.0.0.1:1\ngroups:\n  g:\n    promise: {limit: 1/s, scope: global}\n    "+spot+"\n", name)
	done := make(chan error, 1)
	go func() {
		_, err := Load("f", []byte(text), Process(dir))
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(20 * time.Second):
		return errors.New("loading does not come to an end")
	}
}

// Nothing above the folder of a scenario is read, whatever way is tried.
func TestNoFileLeadsOutOfTheFolder(t *testing.T) {
	above := t.TempDir()
	dir := filepath.Join(above, "below")
	outside := filepath.Join(above, "secret")
	for _, err := range []error{
		os.MkdirAll(filepath.Join(dir, "sub"), 0o755),
		os.WriteFile(outside, []byte("name,key\nowned,owned\n"), 0o644),
		os.Symlink(outside, filepath.Join(dir, "link")),
		os.Symlink("../secret", filepath.Join(dir, "near")),
		os.Symlink(above, filepath.Join(dir, "up")),
		os.Symlink("link", filepath.Join(dir, "chain")),
	} {
		if err != nil {
			t.Skip(err) // links need a privilege on some systems
		}
	}
	for what, spot := range spots {
		for _, name := range []string{
			"../secret", "./../secret", "sub/../../secret", "sub//..//..//secret", outside, "//" + outside, "..", ".", "sub", "", "/etc/passwd",
			`..\secret`, `sub\..\..\secret`, `C:\secret`, "C:secret", `\\host\share\secret`, "file:///etc/passwd",
			"link", "near", "up/secret", "chain", "sub/../up/secret",
		} {
			err := loadBelow(dir, spot, name)
			if err == nil {
				t.Errorf("%s %q was read", what, name)
			} else if strings.Contains(err.Error(), "owned") {
				t.Errorf("%s %q: %v shows what was read", what, name, err)
			} else if !strings.Contains(err.Error(), "file \"") {
				t.Errorf("%s %q: %v, want which file", what, name, err)
			}
		}
	}
}

// What is below the folder is read, also by way of a link that stays there.
func TestFilesBelowTheFolderAreRead(t *testing.T) {
	dir := t.TempDir()
	for _, err := range []error{
		os.MkdirAll(filepath.Join(dir, "sub", "deep"), 0o755),
		os.WriteFile(filepath.Join(dir, "sub", "a..b"), []byte("text"), 0o644),
		os.Symlink("../a..b", filepath.Join(dir, "sub", "deep", "link")),
	} {
		if err != nil {
			t.Skip(err)
		}
	}
	for _, name := range []string{"sub/a..b", "./sub/a..b", "sub/deep/../a..b", "sub/deep/link"} {
		if err := loadBelow(dir, spots["a value"], name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}
