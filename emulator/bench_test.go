package emulator

import (
	"fmt"
	"net/http"
	"testing"
)

func BenchmarkRoundTrip(b *testing.B) {
	s, err := New(SpaceDuck())
	if err != nil {
		b.Fatal(err)
	}
	r, err := http.NewRequest("GET", "http://emulator/beak/metrics", nil)
	if err != nil {
		b.Fatal(err)
	}
	tr := s.Transport(ann)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tr.RoundTrip(r); err != nil {
			b.Fatal(err)
		}
	}
}

// Each sender is a new one, so each pays its share of forgetting the others.
func BenchmarkNewSenders(b *testing.B) {
	c := SpaceDuck()
	c.Groups[1].Limits[0].Window = 1e6 // whole again in 100 µs
	s, err := New(c)
	if err != nil {
		b.Fatal(err)
	}
	r := &http.Request{Method: "GET", Header: http.Header{}}
	g := s.group("/beak/signup")
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r.RemoteAddr = fmt.Sprintf("%d:1", i)
		if _, _, ok := s.decide(g, r); !ok {
			b.Fatal("too many senders")
		}
	}
}
