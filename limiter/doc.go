// Package limiter holds promises about rate limits, and rate limiters as
// arithmetic on time: what a correct server may do.
//
// Moments are arguments, counted from an arbitrary start. Nothing here reads a
// clock, waits, or talks.
package limiter
