package emulator

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"testing"
)

// Whatever is asked, the answer is a JSON object, its code fits its status, and
// nothing panics.
func FuzzServeHTTP(f *testing.F) {
	for _, e := range endpoints {
		f.Add(e.method, e.path, "", "Bearer "+DemoKey, []byte(`{"email":"a@example.com","password":"x","page":"/","message":"m"}`))
	}
	f.Add("GET", "/prod", "beak_key=demo", "", []byte("null"))
	f.Add("POST", "/beak/newsletter/../signup", "%;=", "Bearer", []byte(`{"email":[{}]}`))
	s, err := New(SpaceDuck())
	if err != nil {
		f.Fatal(err)
	}
	statuses := map[string]int{"E4001": 401, "E4002": 403, "E4003": 409, "E4004": 429}
	f.Fuzz(func(t *testing.T, method, path, query, auth string, body []byte) {
		r := &http.Request{
			Method: method, URL: &url.URL{Path: path, RawQuery: query}, Header: http.Header{"Authorization": {auth}},
			Body: io.NopCloser(bytes.NewReader(body)), RemoteAddr: auth,
		}
		kept := s.record(r)
		var got struct {
			Error *struct{ Code, Message string }
		}
		if err := json.Unmarshal(kept.body.Bytes(), &got); err != nil {
			t.Fatalf("%d with body %q: %v", kept.status, kept.body.Bytes(), err)
		}
		if failed := kept.status >= 400; failed != (got.Error != nil) || failed && got.Error.Message == "" {
			t.Fatalf("%d with body %q; want an error with a message if it failed", kept.status, kept.body.Bytes())
		}
		if got.Error == nil || got.Error.Code == "" {
			return
		}
		if want := statuses[got.Error.Code]; kept.status != want {
			t.Fatalf("%s has status %d, want %d", got.Error.Code, kept.status, want)
		}
	})
}
