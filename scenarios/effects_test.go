package scenarios

import (
	"slices"
	"strings"
	"testing"
	"time"

	"duckload/limiter"
)

const watched = `version: 1
target: emulator
groups:
  g:
    promise: {limit: 5/min, burst: 2, scope: ip}
    requests:
      - {POST: /x, json: {email: "${unique.email}"}, effect: {again: {json: {error.code: E4003}}}}
      - {POST: /y, json: {id: "${unique.id}"}, effect: {look: {GET: "/y/${unique.id}?q=${unique.id}"}, happened: {status: 200}, absent: {status: 404}}}
      - GET /z
  h:
    promise: {limit: 5/min}
    requests: [GET /h]
`

func TestMistakesInEffects(t *testing.T) {
	for _, c := range []struct{ change, to, want string }{
		{"{again: {json: {error.code: E4003}}}", "{}", "needs one way to see it"},
		{"{again: {json: {error.code: E4003}}}", "{again: {}}", "names neither a status nor a value"},
		{"{again: {json: {error.code: E4003}}}", "{again: {status: 409}, count: n}", "count has no meaning for again"},
		{"${unique.email}", "a@example.com", "write a ${unique.…} value into it"},
		{`"/y/${unique.id}?q=${unique.id}"`, "/y", "a look needs the unique value"},
		{", absent: {status: 404}", "", "must say how a look tells"},
		{`"/y/${unique.id}?q=${unique.id}"`, `"/h?q=${unique.id}"`, "counts on the limit of h"},
	} {
		_, err := Load("x.yaml", []byte(strings.Replace(watched, c.change, c.to, 1)), Env{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v\nwant …%s…", c.to, err, c.want)
		}
	}
}

// A look has the values of the request that it is for.
func TestALookHasTheValuesOfItsRequest(t *testing.T) {
	s, err := Load("x.yaml", []byte(watched), Env{})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := Compile(s, CompileOptions{Run: "r"})
	if err != nil {
		t.Fatal(err)
	}
	first, second := plan.Message(0, 0), plan.Message(0, 1)
	if again := plan.Looked(0, limiter.LookAgain, 0, nil); again.Body != first.Body || again.Method != "POST" {
		t.Errorf("got %+v, want %+v again", again, first)
	}
	after := plan.Looked(0, limiter.LookAfter, 1, nil)
	id := strings.TrimSuffix(strings.TrimPrefix(second.Body, `{"id":"`), `"}`)
	if want := "/y/" + id + "?q=" + id; after.Method != "GET" || after.Path != want || after.Request != 3 {
		t.Errorf("got %+v, want GET %s as request 3", after, want)
	}
	if phases := plan.Tracks[0].Phases; phases[len(phases)-1].Pace != "effects" {
		t.Errorf("got %s as the last phase, want looks", phases[len(phases)-1].Pace)
	}
}

// Rejected requests are looked at first, then admitted ones and those without a
// clear answer; a look that is rejected comes back as told, and only so often.
func TestWhoIsLookedAt(t *testing.T) {
	p := Phase{Pace: "effects", Lanes: []int{0}, Count: 2, For: 20 * time.Second, Effects: []limiter.Effect{{Again: true}},
		Limit: limiter.Limit{Limit: 5, Window: time.Minute, Burst: 2, Reading: limiter.TokenBucket}}
	v := View{Phase: 1, Now: time.Minute}
	for i, o := range []limiter.Outcome{limiter.Admitted, limiter.Rejected, limiter.Rejected, limiter.Rejected, limiter.Unknown} {
		at := time.Duration(i) * time.Second
		v.Seen = append(v.Seen, Seen{Seq: uint64(i), Sent: at, Answered: at + time.Millisecond, Outcome: o, RetryAfter: time.Second})
	}
	v.Seen = append(v.Seen, Seen{Lane: 1, Seq: 9, Outcome: limiter.Rejected}, Seen{Seq: 8, Request: 1, Outcome: limiter.Rejected})
	answers := map[uint64][]limiter.Outcome{3: {limiter.Rejected, limiter.Admitted}, 2: {limiter.Rejected, limiter.Rejected, limiter.Rejected}}
	var looked []uint64
	for range mostLooks(p) + 1 {
		m := nextEffect(p, v)
		if m.Done {
			break
		}
		s := m.Shots[0]
		if s.Look != limiter.LookAgain {
			t.Fatalf("got %+v, want the identical request", s)
		}
		outcome := limiter.Admitted
		if left := answers[s.Of]; len(left) > 0 {
			outcome, answers[s.Of] = left[0], left[1:]
		}
		looked = append(looked, s.Of)
		v.Now = s.At + time.Millisecond
		v.Seen = append(v.Seen, Seen{Phase: 1, Seq: 100 + uint64(len(looked)), Sent: s.At, Answered: v.Now, Outcome: outcome, RetryAfter: time.Second, Look: s.Look, Of: s.Of})
	}
	if want := []uint64{3, 3, 2, 2, 2, 0, 4}; !slices.Equal(looked, want) {
		t.Errorf("got looks at %v, want %v", looked, want)
	}
}
