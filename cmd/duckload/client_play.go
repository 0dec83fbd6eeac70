package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"duckload/clients"
	"duckload/emulator"
	"duckload/scenarios"
)

// A clientJob is what client-check does for each script.
type clientJob struct {
	argv    []string
	clients int
	limit   time.Duration
	spill   *spill // of what clients say; nil: nowhere
}

// play plays a script to the clients of a job, and returns what was seen of
// them. It leaves nothing running.
func (j clientJob) play(ctx context.Context, script scenarios.Script) (clients.Run, error) {
	api := emulator.SpaceDuck()
	if !script.Published {
		api.Groups = nil // the answers of the script alone say no
	}
	server, err := emulator.New(api)
	if err != nil {
		return clients.Run{}, err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	seen := &witnesses{budget: script.Budget, over: func() { stop(errOverBudget) }, lanes: map[string]int{}}
	scene := &emulator.Scene{API: server, Turns: turnsOf(script.Turns), Paths: script.Paths, Seen: seen.add}
	if script.Then != nil {
		scene.Then = &turnsOf([]scenarios.Turn{*script.Then})[0]
	}
	if j.clients > 1 {
		scene.Together, scene.Patience = j.clients, 20*time.Second
	}
	scene.Begin()

	// The server outlives the clients: what is under way is still answered.
	serving, close := context.WithCancel(context.WithoutCancel(ctx))
	defer close()
	var served sync.WaitGroup
	urls := make([]string, j.clients)
	for i := range urls {
		l, err := emulator.Listen(ctx, "127.0.0.1:0")
		if err != nil {
			return clients.Run{}, failure{status: exitUnusable, err: fmt.Errorf("emulator: %w", err)}
		}
		urls[i] = "http://" + l.Addr().String()
		served.Go(func() { _ = scene.Serve(serving, l, i) })
	}
	run := clients.Run{Script: script, Limit: j.limit}
	run.Processes, run.Stop, err = j.start(ctx, urls, script.Name, scene.Now)
	close()
	served.Wait()
	run.Exchanges = seen.inOrder()
	return run, err
}

// start runs all clients at once until they have ended, or are ended, which has
// a reason.
func (j clientJob) start(ctx context.Context, urls []string, script string, now func() time.Duration) ([]clients.Process, clients.Stop, error) {
	ctx, stop := context.WithTimeoutCause(ctx, j.limit, errTimeOut)
	defer stop()
	ended := make([]clients.Process, len(urls))
	wrong := make([]error, len(urls))
	var all sync.WaitGroup
	for i, url := range urls {
		all.Go(func() {
			replaced := strings.NewReplacer("{url}", url, "{key}", emulator.DemoKeyT2)
			var argv []string
			for _, word := range j.argv {
				argv = append(argv, replaced.Replace(word))
			}
			c, err := startClient(argv, clientEnv(url, script, i), &tail{clone: j.spill}, now)
			if err != nil {
				wrong[i] = err
				return
			}
			ended[i] = c.wait(ctx)
		})
	}
	all.Wait()
	for _, p := range ended {
		if !p.Alone {
			return ended, stopOf(ctx), errors.Join(wrong...)
		}
	}
	return ended, "", errors.Join(wrong...)
}

// clientEnv is what a client finds in its environment beside ours. A proxy
// would send to the emulator what is meant for others.
func clientEnv(url, script string, client int) []string {
	env := []string{
		"DUCKLOAD_BASE_URL=" + url,
		"DUCKLOAD_KEY=" + emulator.DemoKeyT2,
		"DUCKLOAD_SCRIPT=" + script,
		fmt.Sprintf("DUCKLOAD_CLIENT=%d", client+1),
	}
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		env = append(env, name+"="+strings.TrimPrefix(os.Getenv(name)+",127.0.0.1", ","))
	}
	return env
}

var (
	errTimeOut    = errors.New("time-out")
	errOverBudget = errors.New("over budget")
)

// stopOf says why clients were ended.
func stopOf(ctx context.Context) clients.Stop {
	switch {
	case errors.Is(context.Cause(ctx), errOverBudget):
		return clients.OverBudget
	case errors.Is(context.Cause(ctx), errTimeOut):
		return clients.TimeOut
	}
	return clients.Interrupted
}

func turnsOf(turns []scenarios.Turn) []emulator.Turn {
	var all []emulator.Turn
	for _, t := range turns {
		turn := emulator.Turn{Times: t.Times, Status: t.Status, Close: t.Close, After: t.After, Wait: t.Wait, Code: t.Code, Body: t.Body}
		switch {
		case t.Wait > 0 && t.Date:
			turn.RetryAfter = emulator.RetryAfterDate
		case t.Wait > 0:
			turn.RetryAfter = emulator.RetryAfterSeconds
		}
		all = append(all, turn)
	}
	return all
}

// witnesses collect what the server saw, and say when a client is over budget.
type witnesses struct {
	budget int
	over   func()

	mu    sync.Mutex
	all   []clients.Exchange
	lanes map[string]int // requests of a client to a method and path since it succeeded
}

func (w *witnesses) add(s emulator.Seen) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, clients.Exchange{
		Client: s.Client, Conn: s.Conn, Method: s.Method, Path: s.Path, Call: s.Call, Scripted: s.Scripted,
		Arrived: s.Arrived, Answered: s.Answered, Status: s.Status, Left: s.Left, Code: s.Code,
		RetryAfter: s.RetryAfter, Until: s.Until, Date: s.Date,
	})
	lane := fmt.Sprint(s.Client, " ", s.Method, " ", s.Path)
	if w.lanes[lane]++; s.Status >= http.StatusOK && s.Status < http.StatusMultipleChoices && !s.Left {
		w.lanes[lane] = 0
	}
	// One more than proves it, so that what comes after the last is seen, too. A
	// client that floods other paths is no better.
	if w.lanes[lane] > w.budget+1 || len(w.all) > mostExchanges {
		w.over()
	}
}

// mostExchanges ends a run that no budget of a lane ends.
const mostExchanges = 20_000

func (w *witnesses) inOrder() []clients.Exchange {
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.SortFunc(w.all, func(a, b clients.Exchange) int { return cmp.Compare(a.Arrived, b.Arrived) })
	for i := range w.all {
		w.all[i].Number = i + 1
	}
	return w.all
}
