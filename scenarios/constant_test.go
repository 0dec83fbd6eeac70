package scenarios

import (
	"reflect"
	"testing"
)

// A request that is called constant is made once and sent a million times: it
// must be the same each time. One that is not must differ, or time is wasted.
func TestAConstantRequestIsTheSameEachTime(t *testing.T) {
	for _, request := range []string{
		`GET /x`,
		`"GET /x?a=${env:TOKEN}"`,
		`{POST: /x, json: {a: "${file:keys/one.txt}"}, headers: {X-B: c}, query: {d: e}}`,
		`"GET /x/${seq}"`,
		`{GET: /x, headers: {X-B: "${unique.id}"}}`,
		`{GET: /x, query: {b: "${unique.uuid}"}}`,
		`{POST: /x, json: {a: [{b: "${unique.email}"}]}}`,
		`{POST: /x, form: {a: "${seq}"}}`,
	} {
		plan, _ := message(t, request, 0)
		for _, trick := range []string{"", TrickPath, TrickForwarded} {
			plan.Lanes[0].Trick = trick
			first := plan.Message(0, 0)
			same := reflect.DeepEqual(first, plan.Message(0, 1)) && reflect.DeepEqual(first, plan.Message(0, 253))
			if got := plan.Constant(0, 0); got != same {
				t.Errorf("%s, trick %q: got constant: %v, want %v", request, trick, got, same)
			}
		}
	}
}
