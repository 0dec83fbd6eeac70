package clients

import (
	"fmt"

	"duckload/english"
)

var givesUp = Check{
	ID:       "client.gives_up",
	Question: "does it come to an end by itself, and leave nothing running?",
	Doc: `The command must end before the time that the run has (--max-time). If it still runs then, it is ended with its whole process
group, and fails, unless it waits just then for a time that the server told it. A process that it leaves behind fails, too.

Typical causes of failure: retries without an end; waits that double without a bound; a background thread or a daemon that
keeps the program alive; a shell that starts the client with & and does not wait.`,
	Applies: func(Run) bool { return true },
	Judge:   judgeGivesUp,
}

func judgeGivesUp(r Run) Finding {
	longest := 0.0
	for i, p := range r.Processes {
		longest = max(longest, (p.Ended - p.Began).Seconds())
		if p.Alone && p.Children == 0 {
			continue
		}
		var last *Exchange
		for _, e := range r.Exchanges {
			if e.Client == i {
				last = &e
			}
		}
		w := Witness{Sentence: fmt.Sprintf("client %d started at %s and sent nothing", i+1, secs(p.Began))}
		if last != nil {
			w = Witness{Requests: []int{last.Number}, Sentence: fmt.Sprintf("client %d started at %s; the last of its requests, %d, arrived at %s", i+1, secs(p.Began), last.Number, secs(last.Arrived))}
		}
		switch {
		case p.Alone:
			w.Sentence += fmt.Sprintf("; it ended at %s, and %s went on", secs(p.Ended), english.Count(p.Children, "process"))
			return fail(w, "it ended and left %s running, now ended", english.Count(p.Children, "process"))
		case r.Stop != TimeOut:
			return open("it was ended (%s) before it could show", r.Stop)
		case last != nil && last.Until >= p.Ended:
			return open("after %s it was still waiting as it was told; --max-time gives it longer", secs(r.Limit))
		}
		w.Sentence += fmt.Sprintf("; at %s it was ended", secs(p.Ended))
		return fail(w, "it still ran after %s, and was ended", secs(r.Limit))
	}
	return pass("it ended by itself after %.1f s", longest)
}
