package emulator

import (
	"errors"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"testing"
	"time"

	"duckload/limiter"
)

// symptoms say of a server whether it shows the defect. Each must be false of
// the honest server and true of the broken one.
var symptoms = map[string]func(c client) bool{
	"burst+1": func(c client) bool { return c.holds("signup", 6) },
	"burst-1": func(c client) bool { return !c.holds("signup", 5) },

	// After n tokens a rate that is off by x is off by n·x/(1+x) tokens' time.
	"rate+1%":  func(c client) bool { return c.tokenCame(100, 0.9901) },
	"rate-1%":  func(c client) bool { return !c.tokenCame(100, 1.0099) },
	"rate+10%": func(c client) bool { return c.tokenCame(10, 0.9091) },
	"rate-10%": func(c client) bool { return !c.tokenCame(10, 1.1110) },

	"fixed-window": func(c client) bool { return c.holds("signup", 10) && !c.holds("metrics", 101) },
	"rejects-consume": func(c client) bool {
		c.burst("signup", 5)
		time.Sleep(3 * time.Second)
		c.ask("signup")
		time.Sleep(3 * time.Second)
		return c.ask("signup").status == 429
	},
	"never-enforced": func(c client) bool { return c.holds("newsletter", 50) },
	"replicas-2":     func(c client) bool { return c.holds("signup", 10) && !c.holds("signup", 11) },

	"scope-global": func(c client) bool { return c.holds("signup", 5) && c.from(bob).ask("signup").status == 429 },
	"scope-key": func(c client) bool {
		c.burst("signup", 5)
		return c.from(bob).ask("signup").status == 429 && c.with("other").ask("signup").status == 201
	},
	"scope-ip": func(c client) bool { return c.holds("metrics", 200) && c.from(bob).ask("metrics").status == 200 },
	"per-path-counter": func(c client) bool {
		c.burst("metrics", 200)
		c.stage = Stage
		return c.ask("metrics").status == 200
	},
	"spoofable": func(c client) bool {
		c.burst("signup", 5)
		return c.forging("X-Forwarded-For", "198.51.100.7, 10.0.0.1").ask("signup").status == 201
	},

	"status-503":         func(c client) bool { r := c.refused(); return r.status == 503 && r.code == "E4004" },
	"status-403":         func(c client) bool { r := c.refused(); return r.status == 403 && r.code == "E4004" },
	"error-code-missing": func(c client) bool { r := c.refused(); return r.status == 429 && r.code == "" },
	"error-code-wrong":   func(c client) bool { r := c.refused(); return r.status == 429 && r.code == "E5001" },
	"rejects-have-effects": func(c client) bool {
		c.refused()
		body := `{"email":"late@example.com","password":"x"}`
		c.do("POST", "/beak/signup", body)
		time.Sleep(6 * time.Second)
		return c.do("POST", "/beak/signup", body).code == "E4003"
	},

	// A refusal in these comes with 5.75 s to wait, at 00:00:00.25 + 10 min.
	"retry-after-missing":      func(c client) bool { return len(c.waits()) == 0 },
	"retry-after-negative":     func(c client) bool { return c.waited(`^-6$`) },
	"retry-after-fractional":   func(c client) bool { return c.waited(`^5\.750$`) },
	"retry-after-milliseconds": func(c client) bool { return c.waited(`^5750$`) },
	"retry-after-epoch":        func(c client) bool { return c.waited(`^946685406$`) },
	"retry-after-past-date":    func(c client) bool { return c.waited(`^Fri, 31 Dec 1999 23:10:00 GMT$`) },
	"retry-after-wrong-zone":   func(c client) bool { return c.waited(`^Sat, 01 Jan 2000 00:10:06 UTC$`) },
	"retry-after-twice":        func(c client) bool { w := c.waits(); return len(w) == 2 && w[0] == "6" && w[1] == "6" },
	"retry-after-zero":         func(c client) bool { return c.waited(`^0$`) },
	"retry-after-early":        func(c client) bool { return c.waited(`^5$`) },
	"retry-after-late":         func(c client) bool { return c.waited(`^8$`) },
	"retry-after-constant":     func(c client) bool { return c.waited(`^60$`) },

	"headers-lie-remaining": func(c client) bool {
		r := c.refused().header
		return r.Get("RateLimit") == `"default";r=5` && r.Get("X-RateLimit-Remaining") == "5"
	},
	"headers-lie-limit": func(c client) bool {
		r := c.refused().header
		return r.Get("RateLimit-Policy") == `"default";q=11;w=60;burst=6` && r.Get("X-RateLimit-Limit") == "6"
	},
	"headers-reset-wrong": func(c client) bool {
		r := c.refused().header
		return r.Get("RateLimit") == `"default";r=0;t=1` && r.Get("X-RateLimit-Reset") == "1"
	},

	"slow": func(c client) bool {
		return c.share(func(r response, took time.Duration) bool { return took == 2500*time.Millisecond }) == 10
	},
	"errors": func(c client) bool {
		return c.share(func(r response, _ time.Duration) bool { return r.code == "E5001" }) == 6
	},
	"closes": func(c client) bool {
		return c.share(func(r response, _ time.Duration) bool { return errors.Is(r.err, io.EOF) }) == 6
	},
}

// holds reports whether n requests are admitted at once. The source is one
// that asked nothing yet in this group.
func (c client) holds(group string, n int) bool {
	if limits[group].perIP {
		serial++
		c = c.from("10.9.0." + strconv.Itoa(serial))
	}
	got, _ := c.burst(group, n)
	return got == n
}

// tokenCame empties metrics, asks twenty times a token until so many times n
// tokens' time is over, and reports whether n have come.
func (c client) tokenCame(n int, times float64) bool {
	const token = 600 * time.Millisecond
	c.burst("metrics", 300)
	end := time.Now().Add(time.Duration(float64(n) * float64(token) * times))
	for time.Now().Before(end) {
		time.Sleep(min(token/20, time.Until(end)))
		if c.ask("metrics").status == 200 {
			n--
		}
	}
	return n <= 0
}

// refused returns a rejection of signup with 5.75 s to wait, ten minutes after
// the bubble began, at which time it is midnight.
func (c client) refused() response {
	time.Sleep(10 * time.Minute)
	c.burst("signup", 5)
	time.Sleep(250 * time.Millisecond)
	return c.ask("signup")
}

func (c client) waits() []string { return c.refused().header.Values("Retry-After") }

func (c client) waited(pattern string) bool {
	w := c.waits()
	return len(w) == 1 && regexp.MustCompile(pattern).MatchString(w[0])
}

// share counts of thirty requests those of some kind.
func (c client) share(kind func(response, time.Duration) bool) (n int) {
	for range 30 {
		start := time.Now()
		if r := c.ask("status"); kind(r, time.Since(start)) {
			n++
		}
	}
	return n
}

func TestEachDefectDoesWhatItSays(t *testing.T) {
	for _, d := range Defects {
		t.Run(d.Name, func(t *testing.T) {
			shows, ok := symptoms[d.Name]
			if other, is := otherSymptoms[d.Name]; is {
				shows, ok = other, true
			}
			if !ok {
				t.Fatal("no symptom to look for")
			}
			bubble(t, func(t *testing.T) {
				if shows(mailing(t, SpaceDuck())) {
					t.Errorf("the honest server shows it: %s", d.Doc)
				}
			})
			bubble(t, func(t *testing.T) {
				if !shows(mailing(t, d.Apply(SpaceDuck()))) {
					t.Errorf("the broken server does not show it: %s", d.Doc)
				}
			})
		})
	}
}

func TestADefectLeavesTheConfigurationItWasGiven(t *testing.T) {
	var changes []func(Config) Config
	for _, d := range Defects {
		changes = append(changes, d.Apply)
	}
	for _, v := range Variations {
		changes = append(changes, v.Apply)
	}
	c := SpaceDuck()
	for _, change := range changes {
		change(c)
	}
	bubble(t, func(t *testing.T) {
		if !serving(t, c).holds("signup", 5) || serving(t, c).holds("signup", 6) {
			t.Error("the burst of signup is no longer 5")
		}
		r := serving(t, c).refused()
		if r.status != 429 || r.code != "E4004" || r.header.Get("Retry-After") != "6" || r.header.Get("RateLimit") != "" {
			t.Errorf("a rejection is %d %s %v, want the honest one", r.status, r.code, r.header)
		}
	})
}

func TestDefectsAreNamedOnceAndSayWhatCatchesThem(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range Defects {
		if d.Name == "" || d.Doc == "" || d.Check == "" || seen[d.Name] {
			t.Errorf("%+v: want a name of its own, a sentence and a check", d)
		}
		seen[d.Name] = true
	}
	for _, all := range []map[string]func(client) bool{symptoms, otherSymptoms} {
		for name := range all {
			if !seen[name] {
				t.Errorf("symptom of %q, which is no defect", name)
			}
		}
	}
}

// The rate defects are exact for buckets, and shorten or stretch a window.
func TestRatesAreOffByTheRatioThatIsNamed(t *testing.T) {
	c := SpaceDuck()
	if l := pace(101, 100)(c).Groups[0].Limits[0]; l.Limit != 10100 || l.Window != 100*time.Minute || l.Burst != 200 {
		t.Errorf("bucket: %+v, want 10100 in 100 min", l)
	}
	c.Model = "sliding-log"
	if l := pace(90, 100)(c).Groups[0].Limits[0]; l.Limit != 100 || l.Window != time.Minute*10/9 {
		t.Errorf("window: %+v, want 100 in 66.7 s", l)
	}
	if l := burst(+1)(c).Groups[0].Limits[0]; l.Limit != 101 || l.Burst != 200 {
		t.Errorf("window: %+v, want a limit of 101", l)
	}
}

func TestVariationsAreHonest(t *testing.T) {
	for _, v := range Variations {
		bubble(t, func(t *testing.T) {
			c := serving(t, v.Apply(SpaceDuck()))
			first := c.ask("signup")
			r := c.refused()
			switch v.Name {
			case "retry-after-date":
				end, err := http.ParseTime(r.header.Get("Retry-After"))
				now, _ := http.ParseTime(r.header.Get("Date"))
				if err != nil || end.Sub(now) != 6*time.Second {
					t.Errorf("Retry-After %q at %q, want 6 s later", r.header.Get("Retry-After"), r.header.Get("Date"))
				}
			case "ratelimit-fields":
				if got := first.header.Get("RateLimit-Policy") + " " + first.header.Get("RateLimit"); got != `"default";q=10;w=60;burst=5 "default";r=4` {
					t.Errorf("first: %s", got)
				}
				if got := r.header.Get("RateLimit"); got != `"default";r=0;t=6` {
					t.Errorf("refused: %s", got)
				}
			case "x-ratelimit":
				if h := first.header; h.Get("X-RateLimit-Limit") != "5" || h.Get("X-RateLimit-Remaining") != "4" || h.Get("X-RateLimit-Reset") != "6" {
					t.Errorf("first: %v", h)
				}
				if h := r.header; h.Get("X-RateLimit-Remaining") != "0" || h.Get("X-RateLimit-Reset") != "30" {
					t.Errorf("refused: %v", h)
				}
			default:
				t.Errorf("%s is not looked at", v.Name)
			}
		})
	}
}

func TestHeadersTellTheModelInForce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := SpaceDuck()
		c.Model, c.Tell = "fixed-window", []func(Standing, http.Header){XRateLimit, RateLimitFields}
		h := serving(t, c).ask("metrics").header
		if h.Get("X-RateLimit-Limit") != "100" || h.Get("RateLimit-Policy") != `"default";q=100;w=60` {
			t.Errorf("%v, want a window of 100", h)
		}
		c.Groups[0].Limits = []limiter.Limit{{Limit: 3, Window: 1500 * time.Millisecond}}
		if got := serving(t, c).ask("metrics").header.Get("RateLimit-Policy"); got != `"default";q=3` {
			t.Errorf("policy %s, want no window, as it is no whole number of seconds", got)
		}
	})
}
