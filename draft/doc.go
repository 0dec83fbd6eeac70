// Package draft writes drafts of scenarios from what people already have: a
// published table of rate limits, an OpenAPI description, a recording of a
// browser.
//
// A draft claims nothing that its source does not say. What was read stands
// with the line it was read from, what was guessed says so, and what only a
// person can know is marked "# FILL IN:". No credential of the source is
// copied, and no host is allowed: a run is refused until somebody writes the
// host down.
//
// The package reads text and returns text: no network, no clock, no file
// beyond what its caller opens for it.
package draft
