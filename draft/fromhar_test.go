package draft_test

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"duckload/draft"
)

func TestRecordings(t *testing.T) {
	for _, path := range sources(t, "har") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			d, err := draft.FromHAR(filepath.Base(path), read(t, path))
			if err != nil {
				t.Fatal(err)
			}
			golden(t, path, d)
			for _, secret := range []string{"s3ss10n", "csrf-9f8e", "tok_4kfj", "eyJ", "YW5uOm", "hunter2", "482913", "ann@", "dGhpcy1", "blue"} {
				if strings.Contains(string(d.Text()), secret) {
					t.Errorf("%q of the recording stands in the draft:\n%s", secret, d.Text())
				}
			}
		})
	}
}

// Wherever a credential travels, it is not copied: raw, escaped or in base64.
func TestNoCredentialIsCopied(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringMatching(`[A-Za-z0-9_+/=.-]{10,40}[0-9]`).Draw(t, "secret")
		places := rapid.SliceOfN(rapid.IntRange(0, 8), 1, 4).Draw(t, "places")
		request := map[string]any{"method": "POST", "url": "https://api.example/v1/things"}
		address, _ := url.Parse("https://api.example/v1/things")
		query, headers := url.Values{}, []map[string]string{}
		header := func(name, value string) {
			headers = append(headers, map[string]string{"name": name, "value": value})
		}
		for _, place := range places {
			switch place {
			case 0:
				header("Authorization", "Bearer "+secret)
			case 1:
				header("authorization", secret)
			case 2:
				header("Cookie", "a=b; session="+secret+"; c=d")
			case 3:
				header("X-Api-Key", secret)
			case 4:
				query.Set("api_key", secret)
			case 5:
				header("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("me:"+secret)))
			case 6:
				text, _ := json.Marshal(map[string]any{"password": secret, "nested": []string{secret}})
				request["postData"] = map[string]any{"mimeType": "application/json", "text": string(text)}
			case 7:
				request["postData"] = map[string]any{"mimeType": "application/x-www-form-urlencoded", "text": url.Values{"pw": {secret}}.Encode()}
			case 8:
				header("X-Api-Key", secret)
				address.Path = "/v1/" + secret + "/things"
			}
		}
		address.RawQuery = query.Encode()
		request["url"], request["headers"] = address.String(), headers
		text, err := json.Marshal(map[string]any{"log": map[string]any{"entries": []any{map[string]any{"request": request}}}})
		if err != nil {
			t.Fatal(err)
		}
		d, err := draft.FromHAR("x.har", text)
		if err != nil {
			return // refused, and nothing copied
		}
		got := string(d.Text())
		for _, form := range []string{secret, url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret))} {
			if strings.Contains(got, form) {
				t.Fatalf("%q stands in the draft:\n%s", form, got)
			}
		}
		if _, err := loaded(d.Text()); err != nil {
			t.Fatalf("the draft is no scenario: %v\n%s", err, got)
		}
	})
}

func TestWhatIsNoRecordingIsRefused(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"empty":      {"", "x.har: is empty"},
		"not JSON":   {"{\n\"log\": nonsense", "x.har:2: is no HAR: invalid character"},
		"other JSON": {"{}", "x.har:1: has no requests: log.entries is missing or empty"},
		"wrong kind": {"{\"log\":\n{\"entries\": 5}}", "x.har:2: is no HAR: json:"},
		"no API":     {`{"log": {"entries": [{"request": {"method": "GET", "url": "https://a.example/x.png"}}]}}`, "x.har: has no request to an API"},
		"bad URLs":   {`{"log": {"entries": [{"request": {"method": "GET", "url": "http://[1"}}, {"request": {"method": "GET", "url": "http://a b"}}]}}`, "x.har: log.entries[0].request.url is no URL: http://[1\nx.har: log.entries[1]"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := draft.FromHAR("x.har", []byte(test.text))
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %v, want %s…", err, test.want)
			}
		})
	}
}

func FuzzHAR(f *testing.F) {
	text, err := os.ReadFile(filepath.Join("testdata", "har", "shop.har"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"log":{"entries":[{"request":{"method":"POST","url":"http://h/${env:A}/b?c=${file:d}","headers":[{"name":"cookie","value":"${"}],"postData":{"mimeType":"application/json","text":"{\"${x\":[1,{}]}"}}}]}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := draft.FromHAR("fuzz", text)
		if err != nil {
			return
		}
		if _, err := loaded(d.Text()); err != nil {
			t.Errorf("the draft is no scenario: %v\n%s", err, d.Text())
		}
	})
}
