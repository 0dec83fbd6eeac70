package attack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"duckload/limiter"
)

// Bounds of what is kept of an answer's headers. What is longer is cut: no
// value that means anything to a client is.
const (
	maxValue  = 1 << 10
	maxFields = 32
)

// isEvidence reports whether a header, under its canonical name, says
// something about limits.
func isEvidence(name string) bool {
	switch name {
	case "Retry-After", "Date", "X-Duckload-Source":
		return true
	}
	for _, prefix := range []string{"Ratelimit", "X-Ratelimit", "X-Rate-Limit"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// evidence keeps the rate-limit headers of an answer in the order of their
// names, and the values of its body that the promise speaks of.
func evidence(h http.Header, body []byte, wanted []string) limiter.Fields {
	var names []string
	for name := range h {
		if isEvidence(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var kept limiter.Fields
	for _, name := range names {
		for _, value := range h[name] {
			if len(kept) < maxFields {
				kept = append(kept, limiter.Field{Name: name, Value: value[:min(len(value), maxValue)]})
			}
		}
	}
	if len(body) == 0 {
		return kept
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var tree any
	if decoder.Decode(&tree) != nil {
		return kept
	}
	for _, path := range wanted {
		if value, ok := at(tree, path); ok {
			kept = append(kept, limiter.Field{Name: limiter.JSONField + path, Value: value[:min(len(value), maxValue)]})
		}
	}
	return kept
}

// at returns the scalar at a dotted path of a JSON value. An element of a list
// is named by its number.
func at(tree any, path string) (string, bool) {
	for name := range strings.SplitSeq(path, ".") {
		switch node := tree.(type) {
		case map[string]any:
			next, ok := node[name]
			if !ok {
				return "", false
			}
			tree = next
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(node) {
				return "", false
			}
			tree = node[i]
		default:
			return "", false
		}
	}
	switch tree.(type) {
	case map[string]any, []any:
		return "", false
	case nil:
		return "null", true
	}
	return fmt.Sprint(tree), true
}

// maxWait is what longer waits are taken for: nobody obeys either.
const maxWait = 50 * 365 * 24 * time.Hour

// retryAfter returns what an answer tells its client to wait, for paces that
// obey it; negative if it says nothing that can be read. Whether it says it
// rightly is for package analyze to judge.
func retryAfter(e limiter.Fields) time.Duration {
	values := e.Values("Retry-After")
	if len(values) != 1 {
		return -1
	}
	if v := values[0]; v != "" && strings.Trim(v, "0123456789") == "" {
		seconds, err := strconv.ParseInt(v, 10, 64)
		if most := int64(maxWait / time.Second); err != nil || seconds > most {
			seconds = most
		}
		return time.Duration(seconds) * time.Second
	}
	until, err := http.ParseTime(values[0])
	dates := e.Values("Date")
	if err != nil || len(dates) != 1 {
		return -1
	}
	now, err := http.ParseTime(dates[0])
	if err != nil {
		return -1
	}
	// Both are whole seconds of the server's clock; one more is surely enough.
	return max(0, min(until.Sub(now), maxWait-time.Second)+time.Second)
}
