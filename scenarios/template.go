package scenarios

// A Template is text with interpolations: ${env:NAME}, ${env:NAME:-default},
// ${file:path}, ${unique.kind} and ${seq}. Environment and files are read when
// the scenario is loaded; what came from them is a secret and is masked
// wherever the template is shown.
type Template struct {
	parts []part
}

type part struct {
	text   string // literal text, or the value read from the environment or a file
	secret bool   // came from the environment or a file
	kind   string // "": text; else "seq", "unique.email", …
	raw    string // as written, for showing
}
