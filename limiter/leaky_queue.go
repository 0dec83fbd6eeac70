package limiter

import "time"

var leakyQueue = Model{
	Name:    "leaky-queue",
	Doc:     "A queue of Burst requests, the one being let through included, that lets one through every Window/Limit; a request that finds it full is rejected, every other one waits for its turn.",
	Reading: LeakyQueue,
	New: func(l Limit) (Limiter, error) {
		l.RejectsConsume = false // what is not queued takes no place
		admits, err := tokenBucket.New(l)
		if err != nil {
			return nil, err
		}
		return shaper{admits.(bucket)}, nil
	},
}

// A shaper admits what a bucket admits (the leaky bucket as a queue and the one
// as a meter reject the same requests), and holds each request back until its
// theoretical arrival time: the moment at which the bucket was going to be full
// when the request came.
type shaper struct{ bucket }

func (s shaper) Take(at time.Duration) (Decision, Limiter) {
	latest := now(at, s.latest)
	turn := s.full.up()
	d, after := s.bucket.Take(at)
	if d.OK {
		d.Delay = max(0, turn-latest)
	}
	return d, shaper{after.(bucket)}
}
