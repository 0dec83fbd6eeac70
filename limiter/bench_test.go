package limiter

import (
	"testing"
	"time"
)

func BenchmarkTake(b *testing.B) {
	for _, m := range Models {
		b.Run(m.Name, func(b *testing.B) {
			l, err := m.New(Limit{Limit: 1000, Window: time.Second, Burst: 2000})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			var at time.Duration
			for b.Loop() {
				at += 700 * time.Microsecond
				_, l = l.Take(at)
			}
		})
	}
}
