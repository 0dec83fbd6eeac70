package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"duckload/scenarios"
)

// The documentation is run. Of README.md and every docs/*.md, in a folder of
// its own for each document and in the order of the page:
//
//   - a block below <!-- file: NAME --> is written to that file;
//   - each line of a console block that begins with "$ " is run by sh, and the
//     lines below it must be what it says; without any, nothing is compared;
//   - "…" stands for anything in a line, a line of nothing else for any lines;
//   - below <!-- numbers vary --> numbers, their units and blanks are not
//     compared;
//   - there, too, a run that the page shows to PASS may be undecided: a machine
//     can be too busy to measure well, and that nothing fails is compared then;
//   - a block below <!-- not run: WHY --> is not run;
//   - a command that ends with " &" runs until the page ends, and is waited
//     for until it listens;
//   - a failing command must be followed by "$ echo $?";
//   - YAML that begins with "version:" is a scenario without mistakes.
//
// Ports 8080 to 8082 of 127.0.0.1 become free ones, and what a developer
// builds or runs by go is the command under test.

// documents returns the pages, by their paths below the root of the
// repository.
func documents(t *testing.T) []string {
	t.Helper()
	pages, err := filepath.Glob(filepath.Join("..", "..", "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	all := []string{"README.md"}
	for _, p := range pages {
		all = append(all, "docs/"+filepath.Base(p))
	}
	return all
}

// A block is a fenced part of a page.
type block struct {
	line int // of its first line
	lang string
	text string
	note string // of the comment above it
}

var aside = regexp.MustCompile(`^\s*<!-- (.*) -->$`)

func blocks(page string) []block {
	var all []block
	note, inside := "", false
	var b block
	for i, line := range strings.Split(page, "\n") {
		fence, isFence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case inside && isFence && fence == "":
			all, inside, note = append(all, b), false, ""
		case inside:
			b.text += line + "\n"
		case isFence:
			b, inside = block{line: i + 2, lang: fence, note: note}, true
		case aside.MatchString(line):
			note = aside.FindStringSubmatch(line)[1]
		case strings.TrimSpace(line) != "":
			note = ""
		}
	}
	return all
}

func TestTheDocumentationIsRun(t *testing.T) {
	t.Parallel() // it waits more than it works
	for _, name := range documents(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(name)))
			if err != nil {
				t.Fatal(err)
			}
			newReader(t, name).read(blocks(string(text)))
		})
	}
}

// A pageReader does what a page says, as a person who reads it would.
type pageReader struct {
	*testing.T
	name, folder string
	ports        *strings.Replacer // of the page, by free ones
	back         *strings.Replacer
	status       int // of the last command
	failed       int // line of a command whose failure nobody mentioned yet
}

func newReader(t *testing.T, name string) *pageReader {
	r := &pageReader{T: t, name: name, folder: t.TempDir()}
	var there, back []string
	for port := 8080; port <= 8082; port++ {
		mine, theirs := fmt.Sprintf("127.0.0.1:%d", freePort(t)), fmt.Sprintf("127.0.0.1:%d", port)
		there, back = append(there, theirs, mine), append(back, mine, theirs)
	}
	r.ports, r.back = strings.NewReplacer(there...), strings.NewReplacer(back...)
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"examples", "docs"} {
		if err := os.Symlink(filepath.Join(root, dir), filepath.Join(r.folder, dir)); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func (r *pageReader) read(all []block) {
	for _, b := range all {
		file, isFile := strings.CutPrefix(b.note, "file: ")
		why, skipped := strings.CutPrefix(b.note, "not run: ")
		switch {
		case isFile:
			path := filepath.Join(r.folder, filepath.FromSlash(file))
			if err := os.WriteFile(path, []byte(r.ports.Replace(b.text)), 0o644); err != nil {
				r.Fatal(err)
			}
		case skipped && strings.TrimSpace(why) == "":
			r.Errorf("%s:%d: not run, and nobody says why", r.name, b.line)
		case skipped:
		case b.lang == "console":
			r.console(b)
		case commandOf.MatchString(b.text):
			r.Errorf("%s:%d: a command that nobody runs (begin the block with ```console and the command with \"$ \")", r.name, b.line)
		}
		if b.lang == "yaml" && strings.HasPrefix(b.text, "version:") {
			r.scenario(b)
		}
	}
	if r.failed > 0 {
		r.Errorf("%s:%d: the command fails (status %d) and the page does not say so (write $ echo $?)", r.name, r.failed, r.status)
	}
}

// commandOf finds commands in blocks that are not run.
var commandOf = regexp.MustCompile(`(?m)^(\$ .*|duckload [a-z].*)$`)

func (r *pageReader) scenario(b block) {
	set := func(string) (string, bool) { return "set", true }
	env := scenarios.Process(r.folder)
	env.Lookup = set
	if _, err := scenarios.Load(fmt.Sprintf("%s:%d", r.name, b.line), []byte(b.text), env); err != nil {
		r.Error(err)
	}
}

// console runs the commands of a block.
func (r *pageReader) console(b block) {
	lines := strings.Split(strings.TrimSuffix(b.text, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		command, isCommand := strings.CutPrefix(lines[i], "$ ")
		if !isCommand {
			r.Errorf("%s:%d: a console block begins with a command, behind \"$ \"", r.name, b.line+i)
			return
		}
		at := b.line + i
		for strings.HasSuffix(command, `\`) && i+1 < len(lines) {
			i++
			command = strings.TrimSuffix(command, `\`) + lines[i]
		}
		var want []string
		for i+1 < len(lines) && !strings.HasPrefix(lines[i+1], "$ ") {
			i++
			want = append(want, lines[i])
		}
		got := r.command(at, command)
		if b.note == "numbers vary" && r.undecided(want, got) {
			r.Logf("%s:%d: $ %s: this machine is too busy to decide it:\n%s", r.name, at, command, got)
			r.status, r.failed = exitPass, 0
			continue
		}
		if len(want) > 0 && !saysLike(want, got, b.note == "numbers vary") {
			r.Errorf("%s:%d: $ %s\ngot\n%swant\n%s\n", r.name, at, command, got, strings.Join(want, "\n"))
		}
	}
}

var (
	passes    = regexp.MustCompile(`(?m)^PASS\b`)
	fails     = regexp.MustCompile(`(?m)^FAIL\b`)
	undecided = regexp.MustCompile(`(?m)^INCONCLUSIVE\b`)
)

// undecided reports whether a run ended without a verdict where the page shows
// that it passes.
func (r *pageReader) undecided(want []string, got string) bool {
	return r.status == exitInconclusive && passes.MatchString(strings.Join(want, "\n")) && undecided.MatchString(got) && !fails.MatchString(got)
}

// byGo are the ways in which a developer starts the command.
var byGo = regexp.MustCompile(`go run \./cmd/duckload|\bbin/duckload`)

// comment is what stands behind a command for the reader.
var comment = regexp.MustCompile(`\s+# .*$`)

// command runs one command and returns what a terminal would show.
func (r *pageReader) command(at int, command string) string {
	command = comment.ReplaceAllString(command, "")
	if strings.HasPrefix(command, "go build ") || strings.HasPrefix(command, "go install ") {
		return ""
	}
	said := strings.Contains(command, "$?")
	if r.failed > 0 && !said {
		r.Errorf("%s:%d: the command fails (status %d) and the page does not say so (write $ echo $?)", r.name, r.failed, r.status)
	}
	r.failed = 0
	command, background := strings.CutSuffix(command, " &")
	command = byGo.ReplaceAllString(r.ports.Replace(command), "duckload")
	if background {
		r.start(at, command)
		return ""
	}
	ctx, cancel := context.WithTimeout(r.Context(), 4*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "sh", "-c", fmt.Sprintf("(exit %d)\n%s", r.status, command))
	c.Dir, c.Env = r.folder, r.environ()
	c.WaitDelay = 5 * time.Second // what sh started may outlive it
	out, err := c.CombinedOutput()
	r.status = c.ProcessState.ExitCode()
	if ctx.Err() != nil || err != nil && r.status < 0 {
		r.Fatalf("%s:%d: $ %s: %v\n%s", r.name, at, command, cmp.Or(ctx.Err(), err), out)
	}
	if r.status != 0 && !said {
		r.failed = at
	}
	return r.back.Replace(string(out))
}

func (r *pageReader) environ() []string {
	var env []string
	for _, e := range os.Environ() {
		if name, _, _ := strings.Cut(e, "="); !slices.Contains([]string{"GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "CI"}, name) {
			env = append(env, e)
		}
	}
	return append(env, "NO_COLOR=1", "API_KEY=demo", "HOME="+r.folder)
}

// start runs a server until the page ends.
func (r *pageReader) start(at int, command string) {
	address := regexp.MustCompile(`127\.0\.0\.1:[0-9]+`).FindString(command)
	if address == "" {
		r.Fatalf("%s:%d: a command in the background must name the address that it listens on", r.name, at)
	}
	c := exec.Command("sh", "-c", "exec "+command)
	c.Dir, c.Env = r.folder, r.environ()
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	for range 400 {
		if conn, err := net.DialTimeout("tcp", address, time.Second); err == nil {
			conn.Close()
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	r.Fatalf("%s:%d: nobody listens on %s", r.name, at, address)
}

var (
	digitsOf = regexp.MustCompile(`[0-9]+(?:[.,:–-][0-9]+)*`)
	lengths  = regexp.MustCompile(`0(?:h0)?(?:m0)?\s?(?:ns|µs|ms|s)\b|0m0s|0h0m0s`)
	gaps     = regexp.MustCompile(`[ \t]+`)
)

// unnumbered makes two lines alike that differ in numbers, their units and
// the blanks that align them.
func unnumbered(line string) string {
	line = digitsOf.ReplaceAllString(line, "0")
	line = lengths.ReplaceAllString(line, "0s")
	return gaps.ReplaceAllString(line, " ")
}

// saysLike reports whether a command said what a page shows.
func saysLike(want []string, got string, vary bool) bool {
	var pattern strings.Builder
	for _, line := range want {
		if line = strings.TrimRight(line, " "); line == "…" {
			pattern.WriteString(`(?:.*\n)*?`)
			continue
		}
		if vary {
			line = unnumbered(line)
		}
		pattern.WriteString(strings.ReplaceAll(regexp.QuoteMeta(line), "…", ".*") + "\n")
	}
	var said strings.Builder
	for _, line := range strings.Split(strings.TrimRight(got, "\n"), "\n") {
		if line = strings.TrimRight(line, " \r"); vary {
			line = unnumbered(line)
		}
		said.WriteString(line + "\n")
	}
	return regexp.MustCompile(`\A` + pattern.String() + `\z`).MatchString(said.String())
}

func TestWhatAPageShowsIsCompared(t *testing.T) {
	for _, test := range []struct {
		want, got string
		vary, is  bool
	}{
		{"a\nb", "a\nb\n", false, true},
		{"a\nb", "a\nc\n", false, false},
		{"a\n…\nz", "a\n1\n2\nz\n", false, true},
		{"…\nz", "z", false, true},
		{"results/…/report.html", "results/2026/report.html", false, true},
		{"sent 66 in 1m06s", "sent 70 in 59.9s", false, false},
		{"sent 66 in 1m06s", "sent  70 in 59.9s", true, true},
		{"p99 2.3 ms", "p99 699 µs", true, true},
		{"2,380 requests, 99.89–100.09", "12 requests, 9.9–10", true, true},
		{"PASS 6 groups", "FAIL 6 groups", true, false},
		{"a", "a\nb", false, false},
	} {
		if got := saysLike(strings.Split(test.want, "\n"), test.got, test.vary); got != test.is {
			t.Errorf("%q for %q (numbers vary: %v): got %v, want %v", test.got, test.want, test.vary, got, test.is)
		}
	}
}

var mdLink = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// What a page refers to is there: files of the repository, and headings.
func TestLinksLeadSomewhere(t *testing.T) {
	root := filepath.Join("..", "..")
	for _, name := range documents(t) {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range mdLink.FindAllStringSubmatch(string(text), -1) {
			u, err := url.Parse(found[1])
			if err != nil || u.IsAbs() {
				continue
			}
			target := filepath.Join(root, filepath.Dir(filepath.FromSlash(name)), filepath.FromSlash(u.Path))
			if u.Path == "" {
				target = filepath.Join(root, filepath.FromSlash(name))
			}
			info, err := os.Stat(target)
			if err != nil {
				t.Errorf("%s refers to %s, which is not there", name, found[1])
				continue
			}
			if u.Fragment != "" && !info.IsDir() && !hasHeading(t, target, u.Fragment) {
				t.Errorf("%s refers to %s, and no heading is called so", name, found[1])
			}
		}
	}
}

var notAnchor = regexp.MustCompile(`[^a-z0-9 _-]+`)

func hasHeading(t *testing.T, path, fragment string) bool {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, line := range strings.Split(string(text), "\n") {
		if !strings.HasPrefix(line, "#") {
			continue
		}
		anchor := strings.ReplaceAll(notAnchor.ReplaceAllString(strings.ToLower(strings.TrimSpace(strings.TrimLeft(line, "#"))), ""), " ", "-")
		if n := seen[anchor]; n > 0 {
			anchor += "-" + strconv.Itoa(n)
		}
		seen[anchor]++
		if anchor == fragment {
			return true
		}
	}
	return false
}

// The code on the pages compiles, as a file of the package it is shown for.
func TestCodeOnPagesCompiles(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	overlay := map[string]map[string]string{"Replace": {}}
	packages := map[string]bool{}
	for _, name := range documents(t) {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range blocks(string(text)) {
			if b.lang != "go" {
				continue
			}
			path, ok := strings.CutPrefix(b.note, "go: ")
			if !ok {
				t.Errorf("%s:%d: code that belongs to no file (write <!-- go: package/file.go --> above it)", name, b.line)
				continue
			}
			file := filepath.Join(t.TempDir(), filepath.Base(path))
			if err := os.WriteFile(file, []byte(b.text), 0o644); err != nil {
				t.Fatal(err)
			}
			overlay["Replace"][filepath.Join(root, filepath.FromSlash(path))] = file
			packages["duckload/"+filepath.ToSlash(filepath.Dir(path))] = true
		}
	}
	replace, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(file, replace, 0o644); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"build", "-overlay", file}, slices.Sorted(maps.Keys(packages))...)
	c := exec.CommandContext(t.Context(), "go", args...)
	c.Dir = root
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}
