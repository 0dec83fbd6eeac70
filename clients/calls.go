package clients

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"duckload/english"
)

var calls = Check{
	ID:       "client.calls",
	Question: "does the command call the API at all?",
	Doc: `Each client must send at least one request that the script answers. A client that calls another path, another host, or nothing
tells nothing about itself.

Typical causes of failure: the program does not read DUCKLOAD_BASE_URL, and {url} is not in its arguments; the base URL is
joined to the path in another way; the program ends before it calls.`,
	Applies: func(Run) bool { return true },
	Judge:   judgeCalls,
}

func judgeCalls(r Run) Finding {
	sent := make([]bool, len(r.Processes))
	elsewhere := map[string]int{}
	for _, e := range r.Exchanges {
		if e.Scripted {
			sent[e.Client] = true
		} else {
			elsewhere[fmt.Sprintf("%s %s (%s)", e.Method, e.Path, e.says())]++
		}
	}
	silent := slices.Index(sent, false)
	if silent < 0 {
		return pass("%s of %s", english.Count(len(r.Exchanges), "request"), english.Count(len(sent), "client"))
	}
	if r.Stop == Interrupted {
		return open("interrupted before it called")
	}
	p := r.Processes[silent]
	how := fmt.Sprintf("ended after %s with status %d", secs(p.Ended-p.Began), p.Status)
	if !p.Alone {
		how = fmt.Sprintf("ran for %s until it was ended", secs(p.Ended-p.Began))
	}
	w := Witness{Sentence: fmt.Sprintf("client %d %s, and no request to a path of the script arrived from it", silent+1, how)}
	if len(elsewhere) == 0 {
		return fail(w, "the command never called the API: it %s (it has to use DUCKLOAD_BASE_URL, or {url} in its arguments)", how)
	}
	where := slices.Sorted(maps.Keys(elsewhere))
	for _, e := range r.Exchanges {
		if e.Client == silent {
			w.Requests = append(w.Requests, e.Number)
		}
	}
	return fail(w, "the command called only paths that the script does not answer: %s", strings.Join(where[:min(3, len(where))], ", "))
}
