package draft_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"duckload/draft"
	"duckload/scenarios"
)

func files(folder string) draft.Open { return scenarios.Process(folder).ReadFile }

func TestOpenAPIDescriptions(t *testing.T) {
	for _, path := range sources(t, "openapi") {
		if info, err := os.Stat(path); err != nil || info.IsDir() {
			continue
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			d, err := draft.FromOpenAPI(filepath.Base(path), read(t, path), files(filepath.Dir(path)))
			if err != nil {
				t.Fatal(err)
			}
			golden(t, path, d)
		})
	}
}

func TestWhatIsNoOpenAPIIsRefused(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"empty":        {"", "api: is empty"},
		"not YAML":     {"a: [b\nc: d", "api:"},
		"no version":   {"info: {}", "api:1: is no OpenAPI description: openapi is missing (write openapi: 3.1.0)"},
		"Swagger":      {"info: {}\nswagger: '2.0'", "api:2: is Swagger 2.0 (need OpenAPI 3.0 or 3.1"},
		"version 4":    {"openapi: 4.0.0", `api:1: is OpenAPI "4.0.0" (need 3.0 or 3.1)`},
		"paths a list": {"openapi: 3.0.0\npaths:\n  - /a", "api:3: paths must be a map of paths, got a list"},
		"no operation": {"openapi: 3.0.0\npaths:\n  /a: {summary: none}", "api:3: describes no operation (need paths with get, post or another method below them)"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := draft.FromOpenAPI("api", []byte(test.text), nil)
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %v, want %s…", err, test.want)
			}
		})
	}
}

// Plans outside the folder are not read, wherever the description points.
func TestPlansElsewhereAreNotRead(t *testing.T) {
	for _, ref := range []string{"/etc/passwd", "../../secret.yaml", "https://example.com/sla.yaml"} {
		text := "openapi: 3.0.0\ninfo: {x-sla: '" + ref + "'}\npaths: {/a: {get: {}}}"
		opened := func(name string) ([]byte, error) { t.Errorf("%s was opened", name); return nil, os.ErrNotExist }
		d, err := draft.FromOpenAPI("api", []byte(text), opened)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(d.Text()), "not below the folder") {
			t.Errorf("%s: the draft does not say that it was not read:\n%s", ref, d.Text())
		}
	}
}

func FuzzOpenAPI(f *testing.F) {
	for _, name := range []string{"ducks.yaml", "petstore.json", "silent.yaml"} {
		text, err := os.ReadFile(filepath.Join("testdata", "openapi", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("openapi: 3.0.0\nx: &a {$ref: '#/x'}\npaths: {/a: {get: *a}, /b: {$ref: '#/paths/~1b'}}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := draft.FromOpenAPI("fuzz", text, files("testdata/openapi"))
		if err != nil {
			return
		}
		if _, err := loaded(d.Text()); err != nil {
			t.Errorf("the draft is no scenario: %v\n%s", err, d.Text())
		}
	})
}
