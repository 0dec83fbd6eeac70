package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"duckload/history"
	"duckload/limiter"
	"duckload/report"
	"duckload/scenarios"
	"duckload/sizing"
	"duckload/trace"
)

// sizeFlags are the flags of size as they were written.
type sizeFlags struct {
	limit, reading, scope   string
	burst                   int64
	scenario, group         string
	candidates, growth      []string
	column, key, match, ask string
	skipBad                 bool
	formats                 []string
	letters                 []string
}

func (p process) sizeCommand() *cobra.Command {
	var f sizeFlags
	c := &cobra.Command{
		Use:   "size TRACE",
		Short: "Which limit does this traffic need?",
		Long: `Reads a recording of traffic and says what a documented limit would have
rejected of it, and which limits and bursts would have let it through: for each
client and for all together, for buckets and for windows. Nothing is sent.

TRACE is an access log (common, combined, or a JSON object a line), CSV with a
column of times, a HAR file, vegeta's results, the folder of a duckload run, or
- for standard input; gzip and zstd are undone. A recording of any length needs
no more memory than its clients do; a long one is kept in a temporary file.`,
		Example: `  duckload size access.log --limit 500/min --burst 1000
  duckload size access.log --match 'POST /beak/pageview' --scenario scenario.yaml --group pageview --growth 1.5,2,3
  duckload size requests.csv --column time --key user --limit 100/min --burst 200 --request-letter letter.html`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return p.size(args[0], f) },
	}
	flags := c.Flags()
	flags.StringVar(&f.limit, "limit", "", "the documented limit, as 500/min")
	flags.Int64Var(&f.burst, "burst", 0, "its burst; 0: none is documented, and the limit counts in windows")
	flags.StringVar(&f.reading, "reading", "", "what its words mean: "+readingNames())
	flags.StringVar(&f.scope, "scope", "", "who shares it: each (client) or all; usual: each where clients are known")
	flags.StringVar(&f.scenario, "scenario", "", "take the documented limit from this scenario")
	flags.StringVar(&f.group, "group", "", "and from this group of it; of a run, take this group's requests")
	flags.StringArrayVar(&f.candidates, "candidate", nil, "also try this limit, as \"750/min burst 1500\"; may be repeated")
	flags.StringSliceVar(&f.growth, "growth", nil, "also ask what is needed once every client sends so many times as fast: 1.5,2,3")
	flags.StringVar(&f.column, "column", "", "the column or field of the times; usual: time, timestamp, ts …")
	flags.StringVar(&f.key, "key", "", "what tells clients apart: a column or field, ip or user of an access log, or none")
	flags.StringVar(&f.match, "match", "", "only lines that match this regular expression")
	flags.BoolVar(&f.skipBad, "skip-bad", false, "leave out lines that cannot be read, and count them")
	flags.StringSliceVar(&f.formats, "format", []string{"text"}, "`NAME[=FILE]`,…: "+strings.Join(documentNames(report.SizingFormats), ", "))
	flags.StringArrayVar(&f.letters, "request-letter", nil, "write a page to attach to a request for a higher limit: FILE.html or FILE.md")
	flags.StringVar(&f.ask, "ask", "", "what the letter asks for, as \"750/min burst 1500\"; usual: the least that is enough once grown")
	return c
}

func readingNames() string {
	var names []string
	for _, m := range limiter.Models {
		if !slices.Contains(names, string(m.Reading)) {
			names = append(names, string(m.Reading))
		}
	}
	return strings.Join(names, ", ")
}

// A sizeJob is what size was asked for, understood.
type sizeJob struct {
	question   sizing.Question
	options    trace.Options
	promise    string
	ask        *sizing.Ask
	outputs    []document[report.Sizing]
	wantsGroup string
}

func (p process) size(name string, f sizeFlags) error {
	job, err := p.sizeJob(f)
	if err != nil {
		return usage(err)
	}
	spool := trace.NewSpool("")
	defer spool.Close()
	summary, err := p.spool(spool, name, job)
	if err != nil {
		return usage(err)
	}
	job.question.Resolution = summary.Resolution
	answer, err := sizing.Size(spool, job.question)
	if err != nil {
		return usage(fmt.Errorf("%s: %w", name, err))
	}
	for _, m := range summary.Mistakes {
		fmt.Fprintf(p.stderr, "duckload: skipped: %s\n", printable(m.Error()))
	}
	if more := summary.Skipped - len(summary.Mistakes); more > 0 {
		fmt.Fprintf(p.stderr, "duckload: skipped: and %d more\n", more)
	}
	s := report.Sizing{
		Name: shownName(name), Format: summary.Format, Key: summary.Key, Skipped: summary.Skipped, Notes: summary.Notes,
		Documented: job.question.Documented, Promise: job.promise, Answer: answer, Ask: job.ask,
		Command: sizeAgain(shownName(name), f), Tool: "duckload " + version,
	}
	return writeDocuments(p, job.outputs, s)
}

// shownName is what a recording is called in a document for others: folders of
// this machine say nothing to them.
func shownName(name string) string {
	if name == "-" {
		return "standard input"
	}
	return filepath.Base(name)
}

// sizeAgain is the command that makes the same numbers.
func sizeAgain(name string, f sizeFlags) string {
	words := []string{"duckload size", scenarios.ShellWord(name)}
	add := func(flag, value string) {
		if value != "" {
			words = append(words, flag+" "+scenarios.ShellWord(value))
		}
	}
	add("--limit", f.limit)
	if f.burst > 0 {
		add("--burst", strconv.FormatInt(f.burst, 10))
	}
	add("--reading", f.reading)
	add("--scope", f.scope)
	if f.scenario != "" {
		add("--scenario", filepath.Base(f.scenario))
	}
	add("--group", f.group)
	for _, c := range f.candidates {
		add("--candidate", c)
	}
	add("--growth", strings.Join(f.growth, ","))
	add("--column", f.column)
	add("--key", f.key)
	add("--match", f.match)
	if f.skipBad {
		words = append(words, "--skip-bad")
	}
	return strings.Join(words, " ")
}

// sizeJob understands the flags. The error names every mistake.
func (p process) sizeJob(f sizeFlags) (sizeJob, error) {
	job := sizeJob{options: trace.Options{Column: f.column, Key: f.key, SkipBad: f.skipBad}, wantsGroup: f.group}
	var mistakes []error
	bad := func(format string, args ...any) { mistakes = append(mistakes, fmt.Errorf(format, args...)) }

	documented, promise, err := p.documentedLimit(f)
	if err != nil {
		mistakes = append(mistakes, err)
	}
	job.question.Documented, job.promise = documented, promise
	for _, text := range f.candidates {
		l, err := limitOf(text, f.reading)
		if err != nil {
			bad("--candidate: %w", err)
			continue
		}
		job.question.Candidates = append(job.question.Candidates, l)
	}
	for _, text := range f.growth {
		g, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil || !(g >= 0.01 && g <= 1000) {
			bad("--growth: must be from 0.01 to 1000, got %q (write 2 for twice as fast)", text)
			continue
		}
		job.question.Growth = append(job.question.Growth, g)
	}
	if len(f.growth) > 0 && documented == nil && err == nil {
		bad("--growth needs a documented limit (name it with --limit and --burst, or with --scenario)")
	}
	if f.match != "" {
		if job.options.Match, err = regexp.Compile(f.match); err != nil {
			bad("--match: %w", err)
		}
	}
	if f.ask != "" {
		l, err := limitOf(f.ask, "")
		switch {
		case err != nil:
			bad("--ask: %w", err)
		case documented != nil && l.Window != documented.Window:
			bad("--ask: must be per %s as the documented limit is, got %q", limiter.Per(documented.Window), f.ask)
		default:
			job.ask = &sizing.Ask{Limit: l.Limit, Burst: l.Burst}
		}
	}
	outputs, err := sizeOutputs(f)
	if err != nil {
		mistakes = append(mistakes, err)
	}
	job.outputs = outputs
	if len(f.letters) > 0 && documented == nil && len(mistakes) == 0 {
		bad("--request-letter needs the limit of today (name it with --limit and --burst, or with --scenario)")
	}
	return job, errors.Join(mistakes...)
}

// sizeOutputs reads --format and --request-letter.
func sizeOutputs(f sizeFlags) ([]document[report.Sizing], error) {
	all, err := parseDocuments(f.formats, report.SizingFormats)
	mistakes := []error{err}
	for _, path := range f.letters {
		name := map[string]string{".html": "html", ".htm": "html", ".md": "markdown"}[strings.ToLower(filepath.Ext(path))]
		i := slices.IndexFunc(report.LetterFormats, func(s report.DocumentFormat[report.Sizing]) bool { return s.Name == name })
		if i < 0 {
			mistakes = append(mistakes, fmt.Errorf("--request-letter: %q must end in .html or .md", path))
			continue
		}
		all = append(all, document[report.Sizing]{report.LetterFormats[i], path})
	}
	return all, errors.Join(mistakes...)
}

// documentedLimit is the promise that a recording is measured against; nil:
// none was named. promise says who makes it.
func (p process) documentedLimit(f sizeFlags) (l *limiter.Limit, promise string, err error) {
	scope, err := scopeOf(f.scope)
	switch {
	case err != nil:
		return nil, "", err
	case f.scenario != "" && f.limit != "":
		return nil, "", errors.New("--limit and --scenario both name the documented limit: leave one out")
	case f.scenario == "" && f.limit == "":
		if f.burst != 0 || f.reading != "" && len(f.candidates) == 0 {
			return nil, "", errors.New("--burst and --reading need a limit (add --limit 500/min)")
		}
		return nil, "", nil
	case f.limit != "":
		text := f.limit
		if f.burst != 0 {
			text += " burst " + strconv.FormatInt(f.burst, 10)
		}
		found, err := limitOf(text, f.reading)
		if err != nil {
			return nil, "", fmt.Errorf("--limit: %w", err)
		}
		found.Scope = scope
		return &found, "", nil
	}
	s, err := p.load([]string{f.scenario})
	if err != nil {
		return nil, "", err
	}
	var names []string
	for _, g := range s.Groups {
		if g.Name == f.group || f.group == "" && len(s.Groups) == 1 {
			if len(g.Promise.Limits) == 0 {
				return nil, "", fmt.Errorf("--group: %s documents no limit", g.Name)
			}
			found := g.Promise.Limits[0]
			if scope != limiter.ScopeUnknown {
				found.Scope = scope
			}
			return &found, s.Documentation, nil
		}
		names = append(names, g.Name)
	}
	return nil, "", fmt.Errorf("--group: which group of %s? (have %s)", f.scenario, strings.Join(names, ", "))
}

func scopeOf(text string) (limiter.Scope, error) {
	switch text {
	case "":
		return limiter.ScopeUnknown, nil
	case "each":
		return limiter.ScopeKey, nil
	case "all":
		return limiter.ScopeGlobal, nil
	}
	return "", fmt.Errorf("--scope: must be each or all, got %q", text)
}

// limitOf reads "750/min burst 1500".
func limitOf(text, reading string) (limiter.Limit, error) {
	words := strings.Fields(text)
	if len(words) != 1 && (len(words) != 3 || words[1] != "burst") {
		return limiter.Limit{}, fmt.Errorf("must be a limit, or a limit and its burst, got %q (write 750/min, or 750/min burst 1500)", text)
	}
	count, window, err := scenarios.ParsePerWindow(words[0])
	if err != nil {
		return limiter.Limit{}, err
	}
	l := limiter.Limit{Limit: count, Window: window, Reading: limiter.FixedWindow}
	if len(words) == 3 {
		l.Reading = limiter.TokenBucket
		if l.Burst, err = strconv.ParseInt(words[2], 10, 64); err != nil || l.Burst < 1 || l.Burst > 1e9 {
			return limiter.Limit{}, fmt.Errorf("the burst must be a whole number from 1 to 1000000000, got %q", words[2])
		}
	}
	if reading == "" {
		return l, nil
	}
	l.Reading = limiter.Reading(reading)
	if !slices.Contains(strings.Split(readingNames(), ", "), reading) {
		return limiter.Limit{}, fmt.Errorf("unknown reading %q%s (have %s)", reading, scenarios.DidYouMean(reading, strings.Split(readingNames(), ", ")), readingNames())
	}
	if l.Reading == limiter.TokenBucket && l.Burst == 0 {
		return limiter.Limit{}, errors.New("a token bucket needs a burst (add --burst)")
	}
	if _, err := limiter.ModelOf(l).New(l); err != nil {
		return limiter.Limit{}, err
	}
	return l, nil
}

// spool reads a recording into a spool.
func (p process) spool(s *trace.Spool, name string, job sizeJob) (trace.Summary, error) {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return spoolRun(s, name, job)
	}
	in := io.NopCloser(p.stdin)
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return trace.Summary{}, err
		}
		in = f
	}
	defer in.Close()
	var full error
	summary, err := trace.Scan(shownName(name), in, job.options, func(r trace.Request) bool {
		full = s.Add(r.At, r.Key)
		return full == nil
	})
	if err == nil {
		err = full
	}
	if err == nil {
		err = s.Seal()
	}
	return summary, err
}

// spoolRun takes the requests of a recorded run. Its clients are identities,
// and source addresses where there are several.
func spoolRun(s *trace.Spool, dir string, job sizeJob) (trace.Summary, error) {
	summary := trace.Summary{Format: "duckload run", Key: "identity and source"}
	h, err := openRun(dir)
	if err != nil {
		return summary, err
	}
	if len(h.Missing) > 0 && !job.options.SkipBad {
		return summary, fmt.Errorf("%s: the record is not whole: %s (--skip-bad takes what there is)", dir, strings.Join(h.Missing, "; "))
	}
	summary.Skipped = len(h.Missing)
	wanted := -1
	if job.wantsGroup != "" {
		wanted = slices.IndexFunc(h.Header.Groups, func(g history.Group) bool { return g.Name == job.wantsGroup })
		if wanted < 0 {
			return summary, fmt.Errorf("--group: the run has no group %q", job.wantsGroup)
		}
	}
	all, err := h.Collect()
	if err != nil {
		return summary, err
	}
	started := h.Header.Started.UnixNano()
	for _, o := range all {
		lane := h.Header.Lanes[o.Lane]
		if wanted >= 0 && lane.Group != wanted {
			continue
		}
		summary.Requests++
		if err := s.Add(started+int64(max(o.Sent, 0)), lane.Identity+" from "+lane.Source); err != nil {
			return summary, err
		}
	}
	if summary.Requests == 0 {
		return summary, fmt.Errorf("%s: holds no request", dir)
	}
	return summary, s.Seal()
}
