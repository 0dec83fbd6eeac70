package probe

import (
	"fmt"
	"math"
	"slices"
	"time"

	"duckload/limiter"
)

// queueExplains: a queue admits what a bucket admits, and serves one every
// token: the turns of those that were admitted lie between sending and answer,
// no two closer than that.
func queueExplains(t *track, b *box) bool {
	if !bucketExplains(false)(t, b) {
		return false
	}
	turn := math.Inf(-1)
	for i, from := range t.admitted.from {
		if turn = max(from, turn+b[token].lo); turn > t.served[i] {
			return false
		}
	}
	return true
}

func queueModel(at point) limiter.Limiter {
	return model("leaky-queue", limiter.Limit{Limit: 1, Window: ns(at[token]), Burst: int64(at[burst])})
}

// promptly returns how soon a limiter decides that answers some of what came at
// once one after the other, evenly, and has refused the others before: what was
// admitted must have been, too, and was then held back for so many turns. 0: nothing of the kind
// shows. A server that does one thing at a time refuses last what came last.
func promptly(lump []Answer) (decided, turn time.Duration) {
	var took, refused []time.Duration
	for _, a := range lump {
		switch a.Outcome {
		case limiter.Admitted:
			took = append(took, a.Answered-a.Sent)
		case limiter.Rejected:
			refused = append(refused, a.Answered-a.Sent)
		}
	}
	turn, even := ladder(took)
	if len(refused) == 0 || !even {
		return 0, 0
	}
	decided = max(4*slices.Max(refused), turn/4)
	if slices.Max(refused) > slices.Max(took)/4 {
		return 0, 0
	}
	return decided, turn
}

// ladder reports whether answers came one after the other, evenly, and how far
// apart: it sorts how long they took.
func ladder(took []time.Duration) (step time.Duration, even bool) {
	n := len(took)
	if n < 2 {
		return 0, false
	}
	slices.Sort(took)
	step = (took[n-1] - took[0]) / time.Duration(n-1)
	for i, t := range took {
		if off := t - took[0] - time.Duration(i)*step; max(off, -off) > step/2 {
			return 0, false
		}
	}
	return step, step > 5*time.Millisecond
}

// queue looks whether a queue explains everything, with the turns that were
// seen: what answers so evenly, and refuses at once, is called one. It fills
// the queue and asks on while it is full: whoever waits for answers first finds
// it empty. A place in it comes free every turn.
func (l *loop) queue() bool {
	all := l.belief
	l.suppose("leaky-queue", box{{1, float64(l.capacity + 1)}, {0.9 * float64(l.turn), 1.1 * float64(l.turn)}})
	for l.learn(); l.over == "" && !l.done(); l.learn() {
		start := l.asker.Now() + 2*l.turn
		var shots []Shot
		ask := func(turns float64, n int) {
			for range n {
				shots = append(shots, Shot{At: start + time.Duration(turns*float64(l.turn)), Key: l.key})
			}
		}
		ask(0, l.capacity+2)
		late := 0.2 + 0.5*float64(l.refined%5)/5
		for turns := range 4 {
			ask(float64(turns+1)+late, 2)
		}
		ask(5+late+float64(l.capacity)/2, l.capacity+1)
		l.say(fmt.Sprintf("fill the queue, then ask for two every %s, and for %d after %s", l.turn.Round(time.Millisecond), l.capacity+1, (shots[len(shots)-1].At - start).Round(time.Millisecond)))
		l.send(shots)
	}
	if len(l.belief.alive) == 0 {
		l.belief, l.prompt = all, 0
		return false
	}
	return true
}

// queued settles between a bucket and a queue, where both are left. Whatever a
// queue does, a bucket with a slow server behind it may do, too, and so may a
// server that does one thing at a time and has only so many wait; but where
// requests that came at once were answered one every token, it is called a
// queue. Where the queue is too short or too quick for that to show, nothing
// was held back, and it is called a bucket.
func (r *Result) queued() {
	bucket, queue := r.find("token-bucket"), r.find("leaky-queue")
	if bucket < 0 || queue < 0 {
		return
	}
	gone := []string{"leaky-queue"}
	v := r.Answers[queue].Values
	others := slices.ContainsFunc(r.Answers, func(f Found) bool { return f.RejectsConsume || !slices.Contains(held, f.Family) })
	switch {
	case v["burst"].High > 1 && others:
		return // too early to settle anything
	case (v["burst"].Low-1)*v["token"].Low > float64(3*r.Trip+20*time.Millisecond):
		gone = []string{"token-bucket", "concurrency"}
	}
	r.Answers = slices.DeleteFunc(r.Answers, func(f Found) bool { return !f.RejectsConsume && slices.Contains(gone, f.Family) })
}

// held are families that a server which answers late may look like.
var held = []string{"token-bucket", "leaky-queue", "concurrency"}

// find returns the index of an answer in which refused requests do not count;
// -1: it is not among them.
func (r *Result) find(family string) int {
	for i, f := range r.Answers {
		if f.Family == family && !f.RejectsConsume {
			return i
		}
	}
	return -1
}
