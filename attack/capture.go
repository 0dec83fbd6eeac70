package attack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"duckload/scenarios"
)

// maxCaptured bounds a captured value; servers allow no longer headers.
const maxCaptured = 8 << 10

// capture finds a value in an answer, or says why it cannot be used. It never
// repeats one.
func capture(c scenarios.Capture, h http.Header, body []byte) (value, wrong string) {
	from := "header " + c.Header
	if c.Header != "" {
		value = h.Get(c.Header)
	} else {
		from = "JSON value " + c.JSON
		value = pick(body, c.JSON)
	}
	switch {
	case value == "":
		return "", fmt.Sprintf("the answer has no %s, which is captured as %s", from, c.Name)
	case len(value) > maxCaptured:
		return "", fmt.Sprintf("%s is longer than %d bytes", from, maxCaptured)
	case strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c == 0x7f }):
		return "", fmt.Sprintf("%s holds control characters", from)
	}
	return value, ""
}

// pick returns the text, number or boolean at a path of a JSON body; empty:
// there is none.
func pick(body []byte, path string) string {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var tree any
	if decoder.Decode(&tree) != nil {
		return ""
	}
	if value, ok := at(tree, path); ok && value != "null" {
		return value
	}
	return ""
}
