package limiter_test

import (
	"fmt"
	"time"

	"duckload/limiter"
)

func ExampleModel() {
	model, err := limiter.ModelNamed("token-bucket")
	if err != nil {
		panic(err) // the name is right
	}
	bucket, err := model.New(limiter.Limit{Limit: 5, Window: time.Minute, Burst: 2})
	if err != nil {
		panic(err) // the limit can be held
	}
	for _, at := range []time.Duration{0, time.Second, 2 * time.Second, 12 * time.Second} {
		var d limiter.Decision
		d, bucket = bucket.Take(at)
		fmt.Printf("%-4s admitted %-5v remaining %d, next in %s\n", at, d.OK, d.Remaining, d.Wait)
	}
	// Output:
	// 0s   admitted true  remaining 1, next in 0s
	// 1s   admitted true  remaining 0, next in 11s
	// 2s   admitted false remaining 0, next in 10s
	// 12s  admitted true  remaining 0, next in 12s
}
