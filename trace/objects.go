package trace

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// isVegetaJSON reports whether a line is one of vegeta's results.
func isVegetaJSON(line string) bool {
	return strings.HasPrefix(line, "{") && strings.Contains(line, `"timestamp":`) && strings.Contains(line, `"latency":`) &&
		(strings.Contains(line, `"attack":`) || strings.Contains(line, `"bytes_in":`))
}

// isHAR reports whether a recording begins as the log of a browser does.
func isHAR(text string) bool {
	rest, ok := strings.CutPrefix(text, "{")
	return ok && strings.HasPrefix(strings.TrimLeft(rest, " \t\r\n"), `"log"`) && strings.Contains(rest, `{`)
}

// timeFields are what fields of times are called, where nobody says it: those
// of CSV, and those of nginx, Caddy and Traefik.
var timeFields = append([]string{"msec", "time_iso8601", "time_local", "StartUTC", "startedDateTime"}, timeColumns...)

// objects reads an access log of a JSON object for each line.
func (c *collector) objects(in *bufio.Reader) {
	c.format, c.disorder = "JSON lines", logDisorder
	column, key := c.options.Column, c.options.Key
	if key == NoKey {
		key = ""
	}
	guess := c.options.Key == ""
	var units units
	var clock logTime
	c.lines(in, func(n int, text string) bool {
		if !c.matches(text) {
			return true
		}
		var object map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &object); err != nil {
			return c.bad(n, "not a JSON object: %s", shortened(err.Error()))
		}
		if column == "" {
			if column = named(object, timeFields); column == "" {
				return c.bad(n, "which field holds the time? (have %s; name it as the column)", fieldsOf(object))
			}
		}
		if guess {
			guess, key = false, named(object, usualKeys)
		}
		if key != "" && c.keyed == "" {
			c.keyed = "field " + shortened(key)
		}
		stamp, ok := field(object, column)
		if !ok {
			return c.bad(n, "has no field %q (have %s)", shortened(column), fieldsOf(object))
		}
		nanos, wrong := units.parse(stamp)
		if wrong != "" {
			var local string
			if nanos, local = clock.parse(stamp); local == "" {
				wrong = ""
			}
		}
		if wrong != "" {
			return c.bad(n, "%s", wrong)
		}
		client := ""
		if key != "" {
			if client, ok = field(object, key); !ok && c.options.Key != "" {
				return c.bad(n, "has no field %q (have %s)", shortened(key), fieldsOf(object))
			}
		}
		return c.take(n, nanos, client)
	})
}

// named returns the first of some names that an object has.
func named(object map[string]json.RawMessage, names []string) string {
	for _, name := range names {
		if _, ok := field(object, name); ok {
			return name
		}
	}
	return ""
}

// field returns a value of an object as text; dots lead to fields of fields.
func field(object map[string]json.RawMessage, name string) (string, bool) {
	raw, ok := object[name]
	if !ok {
		first, rest, dotted := strings.Cut(name, ".")
		if !dotted {
			return "", false
		}
		var inner map[string]json.RawMessage
		if err := json.Unmarshal(object[first], &inner); err != nil {
			return "", false
		}
		return field(inner, rest)
	}
	text := string(raw)
	if strings.HasPrefix(text, `"`) {
		unquoted := ""
		if err := json.Unmarshal(raw, &unquoted); err != nil {
			return "", false
		}
		return strings.TrimSpace(unquoted), true
	}
	if strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") || text == "null" {
		return "", false
	}
	if strings.ContainsAny(text, "eE") { // 1.7e9, as some languages write large numbers
		if n, err := strconv.ParseFloat(text, 64); err == nil {
			text = strconv.FormatFloat(n, 'f', -1, 64)
		}
	}
	return text, true
}

func fieldsOf(object map[string]json.RawMessage) string {
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	return shortened(strings.Join(names, ", "))
}

// har reads the log of a browser, one entry at a time.
func (c *collector) har(in io.Reader) {
	c.format, c.disorder = "HAR", anyDisorder
	if c.options.Key != "" && c.options.Key != NoKey {
		c.bad(0, "a HAR file has no key %q (have none: it is what one browser sent)", shortened(c.options.Key))
		return
	}
	decode := json.NewDecoder(in)
	if err := toEntries(decode); err != nil {
		c.bad(0, "not a HAR file: %v", err)
		return
	}
	for n := 1; decode.More(); n++ {
		var entry struct {
			StartedDateTime string
			Request         struct{ Method, URL string }
		}
		if err := decode.Decode(&entry); err != nil {
			var typed *json.UnmarshalTypeError
			if errors.As(err, &typed) && c.bad(n, "not an entry of a HAR file: %s", shortened(err.Error())) {
				continue
			} else if typed == nil {
				c.bad(n, "breaks off, or is no JSON: %s", shortened(err.Error()))
			}
			return
		}
		if !c.matches(entry.Request.Method + " " + entry.Request.URL) {
			continue
		}
		nanos, wrong := parseDate(entry.StartedDateTime)
		if wrong != "" {
			if !c.bad(n, "%s", wrong) {
				return
			}
			continue
		}
		if !c.take(n, nanos, "") {
			return
		}
	}
}

// toEntries reads on to the first of log.entries.
func toEntries(decode *json.Decoder) error {
	for _, name := range []string{"log", "entries"} {
		if token, err := decode.Token(); err != nil || token != json.Delim('{') {
			return fmt.Errorf("expected an object around %q", name)
		}
		for {
			token, err := decode.Token()
			if err != nil {
				return fmt.Errorf("breaks off before %q", name)
			}
			if token == name {
				break
			}
			if token == json.Delim('}') {
				return fmt.Errorf("has no %q", name)
			}
			var skipped json.RawMessage
			if err := decode.Decode(&skipped); err != nil {
				return fmt.Errorf("breaks off before %q", name)
			}
		}
	}
	if token, err := decode.Token(); err != nil || token != json.Delim('[') {
		return errors.New(`"entries" is no list`)
	}
	return nil
}
