package report

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser starts Chromium, without which these tests fail: a page that nobody
// has looked at is not tested.
func browser(t *testing.T) context.Context {
	t.Helper()
	// Leave out what a browser does by itself: only the page may ask for things.
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()))
	for _, flag := range []string{"disable-quic", "no-first-run", "disable-background-networking", "disable-component-update", "disable-sync"} {
		options = append(options, chromedp.Flag(flag, true))
	}
	ctx, stopAll := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stopAll)
	ctx, stop := chromedp.NewContext(ctx)
	t.Cleanup(stop)
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("these tests need Chromium (apt-get install chromium): %v", err)
	}
	return ctx
}

// events collects what must not happen while a page is open.
type events struct {
	mu  sync.Mutex
	bad []string
}

func (e *events) add(s string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.bad = append(e.bad, s)
}

func (e *events) take() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	bad := e.bad
	e.bad = nil
	return bad
}

// watch listens for requests, script errors, and anything the browser logs: a
// breach of the page's own policy is logged.
func watch(t *testing.T, ctx context.Context, allowed string) *events {
	t.Helper()
	e := &events{}
	err := chromedp.Listen(ctx, func(event any) {
		switch event := event.(type) {
		case *network.EventRequestWillBeSent:
			if !strings.HasPrefix(event.Request.URL, allowed) && event.Request.URL != "about:blank" {
				e.add("request for " + event.Request.URL)
			}
		case *runtime.EventExceptionThrown:
			e.add("script error: " + event.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			e.add("log: " + event.Entry.Text)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, enable := range []func() error{
		func() error { _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); return err },
		func() error { _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); return err },
		func() error { _, err := chromedp.Call(ctx, runtime.Enable, cdp.Empty{}); return err },
	} {
		if err := enable(); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

// measure is what a page tells about its layout.
const measure = `(() => {
  const small = [], visible = e => e.checkVisibility({visibilityProperty: true});
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n = walk.nextNode(); n; n = walk.nextNode()) {
    const e = n.parentElement;
    if (!n.data.trim() || !visible(e) || e.closest("title, desc")) continue;
    let size = parseFloat(getComputedStyle(e).fontSize);
    const svg = e.closest("svg");
    if (svg) size *= svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
    if (size < 12) small.push(size.toFixed(1) + " px: " + n.data.trim().slice(0, 40));
  }
  const pictures = [...document.querySelectorAll("svg")].filter(visible);
  return {
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    small: [...new Set(small)].slice(0, 5),
    pictures: pictures.length,
    figures: document.querySelectorAll("figure").length,
    background: getComputedStyle(document.body).backgroundColor,
    clipped: pictures.filter(s => [...s.querySelectorAll("text")].some(t => {
      const a = t.getBoundingClientRect(), b = s.getBoundingClientRect();
      return a.left < b.left - 1 || a.right > b.right + 1 || a.top < b.top - 1 || a.bottom > b.bottom + 1;
    })).map(s => s.querySelector("title").textContent),
  };
})()`

type layout struct {
	Wide       float64  `json:"wide"`
	Small      []string `json:"small"`
	Pictures   int      `json:"pictures"`
	Figures    int      `json:"figures"`
	Background string   `json:"background"`
	Clipped    []string `json:"clipped"`
}

func show(t *testing.T, ctx context.Context, width int64, scheme, media string) {
	t.Helper()
	_, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 844, DeviceScaleFactor: 1, Mobile: width < 500})
	if err != nil {
		t.Fatal(err)
	}
	_, err = chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: media, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPagesInABrowser(t *testing.T) {
	ctx := browser(t)
	dir := t.TempDir()
	watched := watch(t, ctx, "file://"+dir)
	for _, s := range append(slices.Clone(samples), sample{"evil", evilReport}) {
		path := filepath.Join(dir, s.name+".html")
		if err := os.WriteFile(path, pageBytes(t, s.report()), 0o644); err != nil {
			t.Fatal(err)
		}
		backgrounds := map[string]bool{}
		for _, v := range []struct {
			width         int64
			scheme, media string
		}{{1440, "light", ""}, {1024, "light", ""}, {768, "dark", ""}, {390, "light", ""}, {390, "dark", ""}, {800, "light", "print"}} {
			show(t, ctx, v.width, v.scheme, v.media)
			if err := chromedp.Do(ctx, chromedp.Navigate((&url.URL{Scheme: "file", Path: path}).String())); err != nil {
				t.Fatal(err)
			}
			got, err := chromedp.Run(ctx, chromedp.Evaluate[layout](measure))
			if err != nil {
				t.Fatal(err)
			}
			if got.Wide > 0 {
				t.Errorf("%s at %d px %s: the page is %.0f px too wide", s.name, v.width, v.media, got.Wide)
			}
			if len(got.Small) > 0 {
				t.Errorf("%s at %d px %s: text below 12 px: %q", s.name, v.width, v.media, got.Small)
			}
			if got.Pictures != got.Figures || got.Pictures < 12 {
				t.Errorf("%s at %d px %s: got %d pictures for %d figures", s.name, v.width, v.media, got.Pictures, got.Figures)
			}
			if len(got.Clipped) > 0 {
				t.Errorf("%s at %d px %s: letters leave the picture: %q", s.name, v.width, v.media, got.Clipped)
			}
			backgrounds[v.scheme+got.Background] = true
			if bad := watched.take(); len(bad) > 0 {
				t.Errorf("%s at %d px %s: %q", s.name, v.width, v.media, bad)
			}
		}
		if len(backgrounds) != 2 {
			t.Errorf("%s: got the backgrounds %v, want one in light and another in dark", s.name, backgrounds)
		}
	}
}

// contrasts looks at every visible letter of the page: its colour against the
// nearest ground that is painted behind it. WCAG AA asks for 4.5.
const contrasts = `(() => {
  const parse = c => { const m = c.match(/[\d.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m; };
  const bright = c => { const [r, g, b] = c.map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c[3] === 1) return c; } return [255, 255, 255]; };
  const bad = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n = walk.nextNode(); n; n = walk.nextNode()) {
    const e = n.parentElement;
    if (!n.data.trim() || !e.checkVisibility({visibilityProperty: true}) || e.closest("title, desc, script, style, option, select")) continue;
    const style = getComputedStyle(e), svg = e.closest("svg");
    const back = svg ? ground(svg) : ground(e), front = parse(svg ? style.fill : style.color);
    const [a, b] = [bright(front.slice(0, 3)), bright(back.slice(0, 3))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) bad.push(ratio.toFixed(2) + ": " + n.data.trim().slice(0, 40));
  }
  return [...new Set(bad)].slice(0, 5);
})()`

func TestEveryLetterCanBeRead(t *testing.T) {
	ctx := browser(t)
	dir := t.TempDir()
	for _, s := range samples {
		path := filepath.Join(dir, s.name+".html")
		if err := os.WriteFile(path, pageBytes(t, s.report()), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, scheme := range []string{"light", "dark"} {
			show(t, ctx, 1440, scheme, "")
			if err := chromedp.Do(ctx, chromedp.Navigate("file://"+path)); err != nil {
				t.Fatal(err)
			}
			bad, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](contrasts))
			if err != nil {
				t.Fatal(err)
			}
			if len(bad) > 0 {
				t.Errorf("%s, %s: too little contrast: %q", s.name, scheme, bad)
			}
		}
	}
}

// Whoever forbids scripts reads the same page: only the tools of the script are
// not there.
func TestThePageIsCompleteWithoutScripts(t *testing.T) {
	ctx := browser(t)
	path := filepath.Join(t.TempDir(), "fail.html")
	if err := os.WriteFile(path, pageBytes(t, failing()), 0o644); err != nil {
		t.Fatal(err)
	}
	// Scripts that a test evaluates would be forbidden too, so the page is asked
	// afterwards, when they are allowed again.
	read := func(off bool) (text string, tools bool) {
		show(t, ctx, 390, "light", "")
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: off})
		if err == nil {
			err = chromedp.Do(ctx, chromedp.Navigate("file://"+path))
		}
		if err == nil {
			_, err = chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: false})
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err = chromedp.Run(ctx, chromedp.Evaluate[string](`document.querySelector("header").innerText + "\n" + document.querySelector("main").innerText`))
		if err != nil {
			t.Fatal(err)
		}
		tools, err = chromedp.Run(ctx, chromedp.Evaluate[bool](`document.querySelector(".tools").checkVisibility()`))
		if err != nil {
			t.Fatal(err)
		}
		return text, tools
	}
	with, tools := read(false)
	if !tools {
		t.Error("the script does not show its tools")
	}
	without, tools := read(true)
	if tools {
		t.Error("tools that do nothing are shown")
	}
	strip := func(s string) string {
		s = strings.Replace(s, "group allmetricssignupstatusnewslettersupportpageview only what fails", "", 1)
		return strings.Join(strings.Fields(s), "")
	}
	for line := range strings.SplitSeq(without, "\n") {
		if !strings.Contains(strip(with), strip(line)) {
			t.Fatalf("without scripts the page says %q, with them it does not", line)
		}
	}
	if len(strip(without)) < len(strip(with))-200 {
		t.Errorf("without scripts the page says %d letters, with them %d", len(strip(without)), len(strip(with)))
	}
}

// What the script does: one group alone, failures alone, and a line that shows
// one moment in all pictures of a group.
func TestTheScriptFiltersAndPoints(t *testing.T) {
	ctx := browser(t)
	dir := t.TempDir()
	watched := watch(t, ctx, "file://"+dir)
	path := filepath.Join(dir, "fail.html")
	if err := os.WriteFile(path, pageBytes(t, failing()), 0o644); err != nil {
		t.Fatal(err)
	}
	show(t, ctx, 1440, "light", "")
	if err := chromedp.Do(ctx, chromedp.Navigate("file://"+path)); err != nil {
		t.Fatal(err)
	}
	got, err := chromedp.Run(ctx, chromedp.Evaluate[map[string]any](`(() => {
  const seen = what => [...document.querySelectorAll(what)].filter(e => e.checkVisibility()).length;
  const select = document.querySelector(".tools select"), box = document.querySelector(".tools input");
  const change = () => select.dispatchEvent(new Event("change", {bubbles: true}));
  const out = {all: seen("section.group"), proofs: seen("article.proof")};
  select.value = "signup"; change();
  out.one = seen("section.group"); out.oneProof = seen("article.proof"); out.oneRow = seen("[data-group] > [data-label=verdict]");
  select.value = ""; box.checked = true; change();
  out.failed = seen("section.group"); out.checks = seen(".checks tr[data-verdict]"); out.failing = seen(".checks tr[data-verdict=fail]");
  box.checked = false; change();
  out.again = seen("section.group");
  const charts = [...document.querySelectorAll("#group-1")[0].closest("section").querySelectorAll("svg.wide")];
  const area = charts[0].getBoundingClientRect();
  charts[0].dispatchEvent(new PointerEvent("pointermove", {clientX: area.left + area.width / 2, clientY: area.top + 20}));
  out.charts = charts.length; out.hairs = seen(".hair");
  out.reading = charts[0].closest("figure").querySelector(".reading").textContent;
  charts[0].dispatchEvent(new PointerEvent("pointerleave"));
  out.gone = seen(".hair");
  return out;
})()`))
	if err != nil {
		t.Fatal(err)
	}
	for what, want := range map[string]any{
		"all": 6.0, "proofs": 2.0, "one": 1.0, "oneProof": 1.0, "oneRow": 1.0, "failed": 2.0, "checks": 2.0, "failing": 2.0, "again": 6.0,
		"charts": 3.0, "hairs": 3.0, "gone": 0.0,
	} {
		if got[what] != want {
			t.Errorf("%s: got %v, want %v", what, got[what], want)
		}
	}
	if s, _ := got["reading"].(string); !strings.Contains(s, "sent ") || !strings.Contains(s, " · admitted ") {
		t.Errorf("the line reads %q, want what the table says of that moment", s)
	}
	if bad := watched.take(); len(bad) > 0 {
		t.Errorf("got %q", bad)
	}
}

// The tests above see what they claim to see: each of these pages breaks one
// rule.
func TestTheBrowserSeesBadPages(t *testing.T) {
	ctx := browser(t)
	dir := t.TempDir()
	watched := watch(t, ctx, "file://"+dir)
	show(t, ctx, 390, "light", "")
	good := string(pageBytes(t, passing()))
	for name, c := range map[string]struct {
		doc string
		bad func(layout, []string) bool
	}{
		"wide":    {strings.Replace(good, "<main", `<svg width="500" height="9"></svg><main`, 1), func(l layout, _ []string) bool { return l.Wide > 0 }},
		"small":   {strings.Replace(good, "<main", `<small><small><small>x</small></small></small><main`, 1), func(l layout, _ []string) bool { return len(l.Small) > 0 }},
		"script":  {strings.Replace(good, "<main", `<script>alert(1)</script><main`, 1), func(_ layout, e []string) bool { return len(e) > 0 }},
		"fetched": {"<!doctype html><meta name=viewport content='width=device-width'><img src='http://127.0.0.1:1/x.png'>", func(_ layout, e []string) bool { return len(e) > 0 }},
	} {
		path := filepath.Join(dir, name+".html")
		if err := os.WriteFile(path, []byte(c.doc), 0o644); err != nil {
			t.Fatal(err)
		}
		watched.take()
		if err := chromedp.Do(ctx, chromedp.Navigate("file://"+path)); err != nil {
			t.Fatal(err)
		}
		got, err := chromedp.Run(ctx, chromedp.Evaluate[layout](measure))
		if err != nil {
			t.Fatal(err)
		}
		if e := watched.take(); !c.bad(got, e) {
			t.Errorf("%s: got %+v and %q, which names nothing bad", name, got, e)
		}
	}
}
