package emulator

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"duckload/limiter"
)

func TestEveryEndpointAnswersAsDocumented(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serving(t, SpaceDuck())
		for _, call := range []struct {
			key, method, path, body string
			status                  int
			has                     string // a name that the body must have
		}{
			{"", "GET", "/beak/metrics", "", 200, "galaxy_version"},
			{"", "POST", "/beak/signup", `{"email":"a@example.com","password":"x"}`, 201, "birth_certificate"},
			{"", "GET", "/beak/system/status", "", 200, "status"},
			{DemoKey, "POST", "/beak/newsletter/subscribe", `{"email":"a@example.com"}`, 200, "subscribed"},
			{DemoKey, "POST", "/beak/pageview", `{"page":"/","referrer":""}`, 202, "recorded"},
			{DemoKey, "POST", "/beak/support/contact", `{"email":"a@example.com","message":"hi"}`, 201, "ticket"},
			{DemoKey, "PUT", "/beak/trust/elevate", "", 202, "target"},
			{DemoKeyT0, "PUT", "/beak/trust/elevate", "", 202, "target"},
			{DemoKeyT2, "PUT", "/beak/trust/elevate", "", 200, "tier"},
		} {
			for _, stage := range []string{"", Stage} {
				c.stage = stage
				body := strings.ReplaceAll(call.body, "a@", "a"+strings.Trim(stage, "/")+"@")
				got := c.with(call.key).do(call.method, call.path, body)
				if got.status != call.status || got.body[call.has] == nil {
					t.Errorf("%s %s%s: %d %v, want %d and %q", call.method, stage, call.path, got.status, got.body, call.status, call.has)
				}
				if got.header.Get("Date") == "" || got.header.Get("Content-Type") != "application/json" || got.header.Get(SourceHeader) != ann {
					t.Errorf("%s %s: headers %v, want Date, JSON and the source %s", call.method, call.path, got.header, ann)
				}
			}
			time.Sleep(time.Minute)
		}
	})
}

func TestEveryErrorHasItsStatusAndCode(t *testing.T) {
	bubble(t, func(t *testing.T) {
		broken := SpaceDuck()
		broken.Faults.ErrorEvery = 1
		c := serving(t, SpaceDuck())
		c.do("POST", "/beak/signup", `{"email":"A@example.com","password":"x"}`)
		for _, call := range []struct {
			name   string
			got    response
			status int
			code   string
		}{
			{"no key", c.with("").do("POST", "/beak/pageview", `{"page":"/"}`), 401, "E4001"},
			{"wrong key", c.with("nobody").do("PUT", "/beak/trust/elevate", ""), 401, "E4001"},
			{"wrong key in the query", c.with("").do("POST", "/beak/pageview?beak_key=nobody", `{"page":"/"}`), 401, "E4001"},
			{"low tier", c.with(DemoKeyT0).do("POST", "/beak/pageview", `{"page":"/"}`), 403, "E4002"},
			{"known e-mail", c.do("POST", "/beak/signup", `{"email":"a@example.com","password":"y"}`), 409, "E4003"},
			{"a fault", serving(t, broken).do("GET", "/beak/metrics", ""), 500, "E5001"},
			{"no such path", c.do("GET", "/beak", ""), 404, ""},
			{"wrong method", c.do("GET", "/beak/signup", ""), 405, ""},
			{"no body", c.do("POST", "/beak/pageview", ""), 400, ""},
			{"no field", c.do("POST", "/beak/support/contact", `{"email":"a@example.com"}`), 400, ""},
			{"no e-mail", c.do("POST", "/beak/newsletter/subscribe", `{"email":"a"}`), 400, ""},
			{"a long body", c.do("POST", "/beak/pageview", `{"page":"`+strings.Repeat("x", 1<<17)+`"}`), 400, ""},
		} {
			if call.got.status != call.status || call.got.code != call.code {
				t.Errorf("%s: %d %q, want %d %q", call.name, call.got.status, call.got.code, call.status, call.code)
			}
		}
		if _, last := c.burst("newsletter", 3); last.status != 429 || last.code != "E4004" {
			t.Errorf("beyond the limit: %d %q, want 429 E4004", last.status, last.code)
		}
	})
}

func TestAKeyMayStandInTheQuery(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serving(t, SpaceDuck()).with("")
		if got := c.do("POST", "/beak/pageview?beak_key="+DemoKey, `{"page":"/"}`); got.status != 202 {
			t.Errorf("got %d, want 202", got.status)
		}
	})
}

func TestEachGroupKeepsItsLimit(t *testing.T) {
	for group, want := range limits {
		t.Run(group, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := serving(t, SpaceDuck())
				if got, last := c.burst(group, want.burst+1); got != want.burst || last.status != 429 {
					t.Fatalf("%d admitted at once, then %d; want %d, then 429", got, last.status, want.burst)
				}
				time.Sleep(want.interval - 1)
				refused := c.ask(group)
				time.Sleep(time.Nanosecond)
				if admitted := c.ask(group); refused.status != 429 || admitted.status >= 300 {
					t.Errorf("%d one nanosecond before a token, %d then; want 429, then 2xx", refused.status, admitted.status)
				}
				if other := c.from(bob).ask(group); (other.status < 300) != want.perIP {
					t.Errorf("from another address: %d, want admitted %v", other.status, want.perIP)
				}
				time.Sleep(want.interval * time.Duration(want.burst))
				if got, _ := c.burst(group, want.burst+1); got != want.burst {
					t.Errorf("%d admitted after a full rest, want %d", got, want.burst)
				}
			})
		})
	}
}

func TestRetryAfterIsHonest(t *testing.T) {
	for group, want := range limits {
		bubble(t, func(t *testing.T) {
			c := serving(t, SpaceDuck())
			c.burst(group, want.burst)
			time.Sleep(want.interval / 4)
			refused := c.ask(group)
			told, err := strconv.Atoi(refused.header.Get("Retry-After"))
			if exact := int((want.interval*3/4 + time.Second - 1) / time.Second); err != nil || told != exact {
				t.Fatalf("%s: Retry-After %q, want %d", group, refused.header.Values("Retry-After"), exact)
			}
			time.Sleep(time.Duration(told) * time.Second)
			if got := c.ask(group); got.status >= 300 {
				t.Errorf("%s: %d after obeying, want 2xx", group, got.status)
			}
		})
	}
}

func TestWhateverReachesAGroupCounts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serving(t, SpaceDuck())
		for i, spend := range []func() response{
			func() response {
				return c.with("").do("POST", "/beak/newsletter/subscribe", `{"email":"a@example.com"}`)
			},
			func() response { return c.do("GET", "/beak/newsletter/unknown", "") },
		} {
			if got := spend(); got.status == 429 {
				t.Errorf("request %d: 429, want it admitted to the group", i+1)
			}
		}
		if got := c.ask("newsletter"); got.status != 429 {
			t.Errorf("third request: %d, want 429", got.status)
		}
	})
}

func TestARejectedRequestHasNoEffect(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serving(t, SpaceDuck())
		c.burst("signup", 5)
		body := `{"email":"late@example.com","password":"x"}`
		if got := c.do("POST", "/beak/signup", body); got.status != 429 {
			t.Fatalf("got %d, want 429", got.status)
		}
		time.Sleep(6 * time.Second)
		if got := c.do("POST", "/beak/signup", body); got.status != 201 {
			t.Errorf("the same again: %d, want 201", got.status)
		}
	})
}

func TestSeveralLimitsHoldAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		config := SpaceDuck()
		config.Groups = []Group{{Name: "status", Paths: []string{"/beak/system/status"}, Limits: []limiter.Limit{
			{Limit: 2, Window: time.Second, Burst: 2, Scope: limiter.ScopeIP, Reading: limiter.TokenBucket},
			{Limit: 3, Window: time.Hour, Reading: limiter.FixedWindow, Scope: limiter.ScopeGlobal},
		}}}
		config.Tell = []func(Standing, http.Header){RateLimitFields, XRateLimit}
		c := serving(t, config)
		if got, _ := c.burst("status", 9); got != 2 {
			t.Errorf("%d admitted at once, want 2", got)
		}
		got := c.from(bob).ask("status")
		if got.status != 200 || got.header.Get("RateLimit") != `"limit-2";r=0;t=3600` || got.header.Get("X-RateLimit-Limit") != "3" {
			t.Errorf("from another address: %d %v, want the last of the hour", got.status, got.header)
		}
		if want := []string{`"limit-1";q=2;w=1;burst=2`, `"limit-2";q=3;w=3600`}; fmt.Sprint(got.header.Values("RateLimit-Policy")) != fmt.Sprint(want) {
			t.Errorf("policies %q, want %q", got.header.Values("RateLimit-Policy"), want)
		}
		if got := c.from(bob).ask("status"); got.header.Get("Retry-After") != "3600" {
			t.Errorf("Retry-After %q, want 3600", got.header.Get("Retry-After"))
		}
	})
}

func TestOneCounterDecidesOneRequestAtATime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serving(t, SpaceDuck())
		var admitted atomic.Int64
		var all sync.WaitGroup
		for range 300 {
			all.Go(func() {
				r, _ := http.NewRequest("GET", "http://emulator/beak/metrics", nil)
				resp, err := c.server.Transport(ann).RoundTrip(r)
				if err == nil && resp.StatusCode == 200 {
					admitted.Add(1)
				}
			})
		}
		all.Wait()
		if got := admitted.Load(); got != 200 {
			t.Errorf("%d admitted of 300 at once, want 200", got)
		}
	})
}

func TestCountersThatAreFullAgainAreForgotten(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serving(t, SpaceDuck())
		most := 0
		for i := range 5000 {
			c.from(fmt.Sprintf("10.0.%d.%d", i/256, i%256)).ask("signup")
			time.Sleep(50 * time.Millisecond)
			most = max(most, len(c.server.groups[1].counters[0].of))
		}
		// A counter is as good as new 6 s after its request: 120 are in use.
		if most > 300 {
			t.Errorf("%d counters at one time, want at most 300", most)
		}
		c.burst("signup", 5)
		for i := range 1000 {
			c.from(fmt.Sprintf("10.1.%d.%d", i/256, i%256)).ask("signup")
		}
		if got := c.ask("signup"); got.status != 429 {
			t.Errorf("after many others: %d, want 429 still", got.status)
		}
	})
}

func TestTooManySendersAreAnErrorAndNoFreeRide(t *testing.T) {
	bubble(t, func(t *testing.T) {
		config := SpaceDuck()
		config.Senders = 3
		c := serving(t, config)
		for i := range 3 {
			c.from(fmt.Sprintf("10.0.0.%d", i)).ask("signup")
		}
		if got := c.from(bob).ask("signup"); got.status != 500 || got.code != "E5001" {
			t.Errorf("a fourth sender: %d %s, want 500 E5001", got.status, got.code)
		}
		time.Sleep(6 * time.Second)
		if got := c.from(bob).ask("signup"); got.status != 201 {
			t.Errorf("after the others rested: %d, want 201", got.status)
		}
	})
}

func TestOnlyTheNewestAccountsAreRemembered(t *testing.T) {
	a := newAccounts(3)
	for _, email := range []string{"1", "2", "3", "4"} {
		if _, fresh := a.add(email); !fresh {
			t.Errorf("%s: not fresh", email)
		}
	}
	if _, fresh := a.add("2"); fresh {
		t.Error("2 was forgotten, want it remembered")
	}
	if n, fresh := a.add("1"); !fresh || n != 5 || len(a.known) != 3 {
		t.Errorf("1: fresh %v, number %d, %d known; want true, 5, 3", fresh, n, len(a.known))
	}
}

func TestEveryMistakeIsNamed(t *testing.T) {
	c := SpaceDuck()
	c.Model = "leaky"
	c.Rejection.Status = 200
	c.Groups = append(c.Groups, Group{Name: "x", Paths: []string{"/beak/metrics", "y"}}, Group{Name: "z"})
	c.Keys[""] = T1
	c.Faults.Replicas, c.Accounts = -1, -1
	_, err := New(c)
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range []string{`"leaky"`, "got 200", `already belongs to group "metrics"`, `"y" must begin`, `group "z"`, "empty key", "faults", "accounts"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error lacks %q:\n%v", part, err)
		}
	}
	d := SpaceDuck()
	d.Groups[0].Limits[0].Burst = 0
	if _, err := New(d); err == nil || !strings.Contains(err.Error(), `group "metrics": limit 1: burst`) {
		t.Errorf("error %v, want the group and the burst", err)
	}
}

// Every model keeps a scenario's words in its own way.
func TestEveryModelServes(t *testing.T) {
	for _, m := range limiter.Models {
		bubble(t, func(t *testing.T) {
			config := SpaceDuck()
			config.Model = m.Name
			config.Service = time.Millisecond
			want := 10 // the limit of a window, or of what is under way
			if m.Reading == limiter.TokenBucket || m.Reading == limiter.SteppedBucket || m.Reading == limiter.LeakyQueue {
				want = 5
			}
			if took, got := serving(t, config).atOnce("signup", 20); got != want {
				t.Errorf("%s: %d of 20 admitted at once, after %v; want %d", m.Name, got, took, want)
			}
		})
	}
}

func TestScaledKeepsLimitsAndBursts(t *testing.T) {
	c := SpaceDuck()
	for i, g := range c.Scaled(2 * time.Second).Groups {
		was := c.Groups[i].Limits[0]
		if l := g.Limits[0]; l.Window != 2*time.Second || l.Limit != was.Limit || l.Burst != was.Burst || was.Window != time.Minute {
			t.Errorf("%s: %+v of %+v", g.Name, l, was)
		}
	}
}
