package analyze

import (
	"testing"

	"pgregory.net/rapid"
)

func TestMarksAreASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m marks
		added := map[uint32]bool{}
		for _, ordinal := range rapid.SliceOf(rapid.Uint32Range(0, 300)).Draw(t, "added") {
			m.add(ordinal)
			added[ordinal] = true
		}
		for ordinal := range uint32(400) {
			if m.has(ordinal) != added[ordinal] {
				t.Fatalf("%d: got %t, want %t", ordinal, m.has(ordinal), added[ordinal])
			}
		}
	})
}
