package analyze

// A fenwick counts at places, and sums the counts before one.
type fenwick []int32

func (f fenwick) add(place int) {
	for i := place + 1; i < len(f); i += i & -i {
		f[i]++
	}
}

// sum counts what was added at places below one.
func (f fenwick) sum(place int) int {
	n := 0
	for i := place; i > 0; i -= i & -i {
		n += int(f[i])
	}
	return n
}

// Marks are a set of ordinals, in a bit for each.
type marks struct{ words []uint64 }

func (m *marks) add(ordinal uint32) {
	word := int(ordinal / 64)
	for len(m.words) <= word {
		m.words = append(m.words, make([]uint64, word+1-len(m.words))...)
	}
	m.words[word] |= 1 << (ordinal % 64)
}

func (m *marks) has(ordinal uint32) bool {
	word := int(ordinal / 64)
	return word < len(m.words) && m.words[word]&(1<<(ordinal%64)) != 0
}
