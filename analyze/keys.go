package analyze

import (
	"duckload/history"
	"duckload/limiter"
)

// A keyring says which lanes of a counter may share a limiter's key.
//
// Where several limits have different scopes, or one is not documented, the
// key is not known. Two requests then certainly meet the same key if they come
// from one lane, and possibly if they come from any two.
type keyring struct {
	certain  []int // by lane: lanes with the same number certainly share every key
	possible []int // by lane: lanes with different numbers certainly share none
}

// keys returns the keyring of a promise's limits.
func keys(header *history.Header, limits []limiter.Limit) keyring {
	ring := keyring{certain: make([]int, len(header.Lanes)), possible: make([]int, len(header.Lanes))}
	scope := limiter.ScopeUnknown
	for i, l := range limits {
		if i == 0 {
			scope = l.Scope
		}
		if l.Scope != scope {
			scope = limiter.ScopeUnknown
		}
	}
	names := map[string]int{}
	number := func(name string) int {
		if _, ok := names[name]; !ok {
			names[name] = len(names)
		}
		return names[name]
	}
	for i, lane := range header.Lanes {
		switch scope {
		case limiter.ScopeIP:
			ring.certain[i] = number(sourceOf(header, lane))
			ring.possible[i] = ring.certain[i]
		case limiter.ScopeKey:
			ring.certain[i] = number(lane.Identity)
			ring.possible[i] = ring.certain[i]
		case limiter.ScopeUnknown:
			ring.certain[i] = i
		}
	}
	return ring
}

// sourceOf names the address of a lane among those of the run. Agents have
// addresses of their own, unless it is known that they share one.
func sourceOf(header *history.Header, lane history.Lane) string {
	if len(header.Agents) < 2 {
		return lane.Source
	}
	if at := header.AddressOf(lane); at != "" {
		return at
	}
	return lane.Agent + "/" + lane.Source
}
