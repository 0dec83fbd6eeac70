// Package probe closes the loop: send, judge, decide what to send next. It
// identifies a rate limiter from outside.
//
// Nothing here estimates. Each family of limiters is a space of parameters,
// and what was seen throws out the parts of it that explain it under no
// placement of the limiter's decisions between sending and answer. What is
// left is the version space: the truth is in it as long as the limiter is one
// of the families. Which request comes next is chosen by simulation; a bad
// choice costs requests, never soundness.
package probe
