package limiter

import "testing"

func TestAwkwardModelsInAStory(t *testing.T) {
	three := Limit{Limit: 3, Window: 10 * s}
	make := func(m Model) Limiter {
		l, err := m.New(three)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	for _, story := range []struct {
		name  string
		start Limiter
		beats []beat
	}{
		{"a count ends with silence only", make(idleWindow), []beat{
			{0, true}, {9 * s, true}, {18 * s, true}, {19 * s, false}, {27 * s, false}, {28 * s, true}, {28 * s, true}, {28 * s, true}, {29 * s, false}}},
		{"an elastic window is kept shut by asking", make(elasticWindow), []beat{
			{0, true}, {0, true}, {0, true}, {9 * s, false}, {18 * s, false}, {28 * s, true}}},
		{"a ban outlasts the window", Blocking(make(anchoredWindow), 30*s, false), []beat{
			{0, true}, {0, true}, {0, true}, {5 * s, false}, {15 * s, false}, {35*s - 1, false}, {35 * s, true}, {35 * s, true}, {35 * s, true}, {36 * s, false}}},
		{"a ban that is extended needs silence", Blocking(make(anchoredWindow), 30*s, true), []beat{
			{0, true}, {0, true}, {0, true}, {5 * s, false}, {15 * s, false}, {35 * s, false}, {65 * s, true}}},
		{"below the limit there is no ban", Blocking(make(anchoredWindow), 30*s, false), []beat{
			{0, true}, {5 * s, true}, {9 * s, true}, {10 * s, true}, {11 * s, true}, {12 * s, true}, {13 * s, false}, {42 * s, false}, {43 * s, true}}},
	} {
		t.Run(story.name, func(t *testing.T) { play(t, story.start, story.beats) })
	}
}
