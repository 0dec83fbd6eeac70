package analyze_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"duckload/analyze"
	"duckload/history"
	"duckload/limiter"
)

// Each file in testdata/stories tells what a client saw, and what is to be
// said about it. Lines beginning with # are for people.
//
//	promise 10/1m burst 5 token-bucket scope ip
//	lane b beak 127.0.0.3 forged X-Forwarded-For    (a is there; - is nobody)
//	phase hold 0.5                                  (what follows belongs to it)
//	a 0s 3ms 200 x5 /1 Retry-After=6                (lane, sent, answered, status or "unsent"; five of them, of request 1)
//	want limit.ceiling fail some words of the message
//
// "shared" means that others use the keys, "used" that they were used before,
// "lost" that records are missing, "within 20ms" how soon a request is decided.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/stories/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("got no stories: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := tale{t: t, group: history.Group{Name: "g", Counter: "g", Exclusive: true, Fresh: true}}
			s.group.Promise.Reject = limiter.Rejection{Status: []int{429}, RetryAfter: limiter.RetryAfterNone}
			s.group.Promise.Admitted = []limiter.Statuses{{From: 200, To: 299}}
			s.lanes = []history.Lane{{Source: "127.0.0.2"}}
			s.names = []string{"a"}
			for line := range strings.Lines(string(text)) {
				if words := strings.Fields(line); len(words) > 0 && !strings.HasPrefix(line, "#") {
					s.line(words)
				}
			}
			s.compare()
		})
	}
}

type tale struct {
	t      *testing.T
	group  history.Group
	lanes  []history.Lane
	names  []string
	phases []history.Phase
	all    []history.Observation
	lost   []string
	wants  [][]string
}

func (s *tale) line(words []string) {
	switch words[0] {
	case "promise":
		s.promise(words[1:])
	case "lane":
		l := history.Lane{Source: words[3], Trick: strings.Join(words[4:], " ")}
		if words[2] != "-" {
			l.Identity = words[2]
		}
		s.lanes, s.names = append(s.lanes, l), append(s.names, words[1])
	case "phase":
		p := history.Phase{Pace: words[1], Label: strings.Join(words[1:], " ")}
		if len(words) > 2 {
			p.Rate = s.number(words[2])
		}
		s.phases = append(s.phases, p)
	case "requests":
		s.group.Requests = strings.Split(strings.Join(words[1:], " "), ", ")
	case "retry-after":
		s.group.Promise.Reject.RetryAfter = limiter.RetryAfterRule(words[1])
	case "shared":
		s.group.Exclusive = false
	case "used":
		s.group.Fresh = false
	case "within":
		s.group.DecidedWithin = s.moment(words[1])
	case "lost":
		s.lost = []string{"one segment is lost"}
	case "want":
		s.wants = append(s.wants, words[1:])
	default:
		s.request(words)
	}
}

func (s *tale) promise(words []string) {
	count, window, timed := strings.Cut(words[0], "/")
	l := limiter.Limit{Limit: int64(s.number(count))}
	if timed {
		l.Window = s.moment(window)
	}
	for i := 1; i < len(words); i++ {
		switch words[i] {
		case "burst":
			i++
			l.Burst = int64(s.number(words[i]))
		case "service":
			i++
			l.ServiceTime = s.moment(words[i])
		case "scope":
			i++
			l.Scope = limiter.Scope(words[i])
		default:
			l.Reading = limiter.Reading(words[i])
		}
	}
	s.group.Promise.Limits = append(s.group.Promise.Limits, l)
}

func (s *tale) request(words []string) {
	if len(s.phases) == 0 {
		s.phases = []history.Phase{{Label: "story"}}
	}
	o := history.Observation{Lane: -1, Phase: len(s.phases) - 1, Sent: s.moment(words[1]), Answered: history.Never}
	if o.Unsent = words[3] == "unsent"; !o.Unsent {
		o.Status = int(s.number(words[3]))
	}
	for i, name := range s.names {
		if name == words[0] {
			o.Lane = i
		}
	}
	if o.Lane < 0 {
		s.t.Fatalf("no lane is called %q", words[0])
	}
	o.Intended, o.Done = o.Sent, o.Sent+30*time.Second
	if words[2] != "-" {
		o.Answered = s.moment(words[2])
		o.Done = o.Answered
	}
	times := 1
	for _, w := range words[4:] {
		switch name, value, is := strings.Cut(w, "="); {
		case is:
			o.Evidence = append(o.Evidence, limiter.Field{Name: name, Value: value})
		case w[0] == 'x':
			times = int(s.number(w[1:]))
		default:
			o.Request = int(s.number(strings.TrimPrefix(w, "/")))
		}
	}
	for range times {
		s.all = append(s.all, o)
	}
}

func (s *tale) compare() {
	header := history.Header{
		Started: time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC),
		Groups:  []history.Group{s.group}, Lanes: s.lanes, Phases: s.phases,
	}
	h := history.Of(header, s.all, &history.End{Complete: true})
	h.Missing = s.lost
	f := judged(s.t, h)
	for _, want := range s.wants {
		check, outcome, words := want[0], want[1], strings.Join(want[2:], " ")
		var got []string
		met := outcome == "none"
		for _, x := range f.Groups[0].Findings {
			if x.Check != check {
				continue
			}
			got = append(got, string(x.Outcome)+": "+x.Message)
			met = x.Outcome == analyze.Verdict(outcome) && strings.Contains(x.Message, words)
			if (x.Outcome == analyze.Fail) != (x.Witness != nil && len(x.Witness.Requests) > 0 && x.Witness.Sentence != "") {
				s.t.Errorf("%s: got %s with witness %+v; a failure has one and nothing else has", check, x.Outcome, x.Witness)
			}
		}
		if !met {
			s.t.Errorf("%s: got %q, want %s: …%s…", check, got, outcome, words)
		}
		s.t.Log(got)
	}
}

func (s *tale) number(text string) float64 {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func (s *tale) moment(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		s.t.Fatal(err)
	}
	return d
}
