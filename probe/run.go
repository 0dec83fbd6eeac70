package probe

import "time"

// A running is an experiment under way.
type running struct {
	experiment
	stage int
	lump  int // of a drain: how many were asked for at once last; of a sweep: how many were tried
	spent int // of a drain: how many were asked for
}

// run makes experiments side by side, each on a key of its own: whichever has
// the next step due makes it. It returns early when one of them has told what
// it can and the next step of the others is far off: there may be something
// better to wait for by then.
func (l *loop) run(all []experiment) {
	start := l.asker.Now()
	under := make([]running, len(all))
	for i, e := range all {
		under[i] = running{experiment: e}
	}
	for finished := false; ; {
		next, at := -1, time.Duration(0)
		for i := range under {
			under[i].skip(l.asker.Now() - start)
			if under[i].stage == len(under[i].steps) {
				finished = true
				continue
			}
			if next < 0 || under[i].due() < at {
				next, at = i, under[i].due()
			}
		}
		now := l.asker.Now() - start
		if next < 0 || finished && at > now+now/3+time.Second {
			break
		}
		r := &under[next]
		l.key = r.key
		n := r.count()
		admitted, rejected := l.ask(max(start+at, l.asker.Now()), n)
		if l.over != "" {
			break
		}
		r.took(n, admitted, rejected)
	}
	l.key = all[0].key
}

// skip leaves out the moments of a sweep that are past, save the last.
func (r *running) skip(now time.Duration) {
	if r.stage == len(r.steps) {
		return
	}
	for s := r.steps[r.stage].sweep; r.lump+1 < len(s) && s[r.lump] < now; {
		r.lump++
	}
}

// due returns when the next step is to be made.
func (r *running) due() time.Duration {
	s := r.steps[r.stage]
	if len(s.sweep) > 0 {
		return s.sweep[r.lump]
	}
	return s.after
}

// count returns how many requests the next step asks with.
func (r *running) count() int {
	s := r.steps[r.stage]
	switch {
	case len(s.sweep) > 0:
		return 1
	case s.drain:
		return min(max(1, 2*r.lump), s.count-r.spent, mostAtOnce)
	}
	return s.count
}

// took notes what came of a step of n requests.
func (r *running) took(n, admitted, rejected int) {
	s := r.steps[r.stage]
	over := true
	switch {
	case len(s.sweep) > 0:
		r.lump++
		over = admitted > 0 || r.lump == len(s.sweep)
	case s.drain:
		r.lump = max(1, 2*r.lump)
		r.spent += n
		over = rejected > 0 || r.spent >= s.count
	}
	if over {
		r.stage, r.lump, r.spent = r.stage+1, 0, 0
	}
}
