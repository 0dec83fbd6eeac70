package draft

import _ "embed"

//go:embed starter.yaml
var starter []byte

// Starter returns a scenario to begin with when there is nothing to read: it
// runs against the built-in emulator as it is, and says what to change.
func Starter() []byte { return append([]byte(nil), starter...) }
