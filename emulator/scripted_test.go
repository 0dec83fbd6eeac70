package emulator

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// played serves a scene to some clients over real sockets, and returns their
// base URLs and what was seen, once the test asks.
func played(t *testing.T, s *Scene, clients int) (urls []string, seen func() []Seen) {
	t.Helper()
	api := SpaceDuck()
	api.Groups = nil
	server, err := New(api)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var all []Seen
	s.API = server
	s.Seen = func(one Seen) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, one)
	}
	ctx, stop := context.WithCancel(t.Context())
	var done sync.WaitGroup
	s.Begin()
	for i := range clients {
		l, err := Listen(ctx, "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		urls = append(urls, "http://"+l.Addr().String())
		done.Go(func() { _ = s.Serve(ctx, l, i) })
	}
	t.Cleanup(func() { stop(); done.Wait() })
	return urls, func() []Seen {
		stop()
		done.Wait()
		slices.SortFunc(all, func(a, b Seen) int { return int(a.Arrived - b.Arrived) })
		return all
	}
}

// fetch sends one request on a connection of its own; status 0: no answer came.
func fetch(t *testing.T, url string) (status int, header http.Header, body string) {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	r, err := (&http.Client{Transport: transport}).Get(url)
	if err != nil {
		return 0, nil, ""
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, r.Header, string(text)
}

func TestAScenePlaysItsTurns(t *testing.T) {
	t.Parallel()
	urls, seen := played(t, &Scene{Turns: []Turn{
		{Times: 1, Status: 429, Code: "E4004", Wait: 2 * time.Second, RetryAfter: RetryAfterSeconds},
		{Times: 1, Status: 503, Wait: 2 * time.Second, RetryAfter: RetryAfterDate},
		{Times: 1, Close: true},
		{Times: 2, Status: 500, Code: "E5001"},
		{Times: 1, Status: 500, Body: "oops"},
	}}, 1)
	began := time.Now()
	var got []int
	for range 7 {
		status, header, body := fetch(t, urls[0]+"/beak/metrics")
		got = append(got, status)
		switch len(got) {
		case 1:
			if header.Get("Retry-After") != "2" || !strings.Contains(body, `"E4004"`) {
				t.Errorf("429: got %v %s", header, body)
			}
		case 2:
			if end, err := http.ParseTime(header.Get("Retry-After")); err != nil || end.Before(began.Add(2*time.Second).Truncate(time.Second)) {
				t.Errorf("503: got Retry-After %q, want a date two seconds from now", header.Get("Retry-After"))
			}
		case 6:
			if body != "oops" {
				t.Errorf("the sixth: got %q", body)
			}
		}
	}
	if want := []int{429, 503, 0, 500, 500, 500, 200}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if status, _, _ := fetch(t, urls[0]+"/beak/system/status"); status != 429 {
		t.Errorf("another path: got %d, want its own first turn", status)
	}
	if status, _, _ := fetch(t, urls[0]+"/nothing"); status != 404 {
		t.Errorf("a path that the API does not have: got %d", status)
	}
	all := seen()
	if len(all) != 9 {
		t.Fatalf("saw %d requests, want 9", len(all))
	}
	for i, s := range all {
		if s.Answered < s.Arrived || s.Conn == 0 || s.Method != "GET" {
			t.Errorf("request %d: %+v", i+1, s)
		}
	}
	if s := all[0]; s.Until < s.Answered+2*time.Second-time.Second/2 || s.Until > s.Answered+2*time.Second || s.Date {
		t.Errorf("429: may come back at %s, answered at %s", s.Until, s.Answered)
	}
	if s := all[1]; s.Until < s.Answered+time.Second || s.Until > s.Answered+3*time.Second+time.Second/2 || !s.Date {
		t.Errorf("503: may come back at %s, answered at %s", s.Until, s.Answered)
	}
	if all[2].Status != 0 || all[8].Scripted || !all[7].Scripted || all[0].Call != all[1].Call || all[0].Call == all[7].Call {
		t.Errorf("got %+v", all)
	}
}

func TestCallsAreTold(t *testing.T) {
	t.Parallel()
	urls, seen := played(t, &Scene{Paths: []string{"/v1/*"}, Turns: []Turn{{Times: 1, Status: 500}}, Then: &Turn{Status: 201, Body: `{"id": 7}`}}, 1)
	send := func(body, key string) {
		r, err := http.NewRequest("POST", urls[0]+"/v1/orders", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+key)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
	}
	send("a", "k")
	send("a", "k")
	send("b", "k")
	send("a", "other")
	all := seen()
	if len(all) != 4 || all[0].Status != 500 || all[1].Status != 201 || all[0].Call != all[1].Call || all[0].Call == all[2].Call || all[0].Call == all[3].Call {
		t.Errorf("got %+v, want one failure, and calls told apart by body and key", all)
	}
}

// All first requests are answered in the same moment, and no other waits.
func TestFirstRequestsAreHeldTogether(t *testing.T) {
	t.Parallel()
	urls, seen := played(t, &Scene{Turns: []Turn{{Status: 500}}, Together: 3, Patience: time.Minute}, 3)
	var done sync.WaitGroup
	for i, url := range urls {
		done.Go(func() {
			time.Sleep(time.Duration(i) * 50 * time.Millisecond)
			fetch(t, url+"/beak/metrics")
		})
	}
	done.Wait()
	fetch(t, urls[0]+"/beak/metrics")
	all := seen()
	if len(all) != 4 {
		t.Fatalf("saw %d requests, want 4", len(all))
	}
	for _, s := range all[:3] {
		if s.Answered < all[2].Arrived {
			t.Errorf("client %d was answered at %s, before the last was there at %s", s.Client, s.Answered, all[2].Arrived)
		}
	}
}

func TestWhoLeavesIsSeenToLeave(t *testing.T) {
	t.Parallel()
	urls, seen := played(t, &Scene{Turns: []Turn{{Times: 1, Status: 200, After: time.Minute}}}, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", urls[0]+"/beak/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := http.DefaultClient.Do(r); err == nil {
		answer.Body.Close()
		t.Fatal("got an answer, want none")
	}
	time.Sleep(50 * time.Millisecond)
	if all := seen(); len(all) != 1 || !all[0].Left {
		t.Errorf("got %+v, want one request whose client left", all)
	}
}
