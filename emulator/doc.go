// Package emulator is the Space Duck API on loopback. It keeps its promise
// unless it is given a named defect.
//
// What counts: a request counts for its group as soon as its path belongs to
// the group, whatever comes of it. The limiter stands before everything else,
// so an answer of 400, 401, 403, 404, 405 or 409 has spent allowance too, and
// a rejected request has no effect.
//
// It knows no TLS and no accounts beyond the e-mail addresses that signed up,
// and it forgets everything when it ends.
package emulator
