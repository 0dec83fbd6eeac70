package attack

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// shownEach is how many exchanges of each group are shown, and maxShown how
// much of a body.
const (
	shownEach = 5
	maxShown  = 2 << 10
)

// visible makes control characters visible, so that what a server sent cannot
// move a terminal's cursor. Line ends stay.
func visible(text string) string {
	var b strings.Builder
	for _, c := range text {
		if c == '\n' || strconv.IsPrint(c) {
			b.WriteRune(c)
			continue
		}
		quoted := strconv.QuoteRune(c)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

// shows reports whether an exchange of the lane is to be shown, and counts it.
func (l *lane) shows() bool {
	if l.options.Debug == nil {
		return false
	}
	l.mask.mu.Lock()
	defer l.mask.mu.Unlock()
	if l.mask.shown == nil {
		l.mask.shown = map[string]int{}
	}
	l.mask.shown[l.group.Name]++
	return l.mask.shown[l.group.Name] <= shownEach
}

// show writes an exchange as curl -v would, secrets masked.
func (l *lane) show(request *http.Request, response *http.Response, body []byte, err error) {
	var b strings.Builder
	fmt.Fprintf(&b, "* %s, %s\n> %s %s\n", l.group.Name, l.plan.Lanes[l.index], request.Method, request.URL.RequestURI())
	fields(&b, "> ", request.Header)
	if request.GetBody != nil {
		if sent, failed := request.GetBody(); failed == nil {
			text, _ := io.ReadAll(sent)
			fmt.Fprintf(&b, "> \n> %s\n", cut(l.masked(string(text)), maxShown))
		}
	}
	if response != nil {
		fmt.Fprintf(&b, "< %d %s\n", response.StatusCode, http.StatusText(response.StatusCode))
		fields(&b, "< ", response.Header)
		fmt.Fprintf(&b, "< \n< %s\n", cut(l.masked(string(body)), maxShown))
	}
	if err != nil {
		fmt.Fprintf(&b, "! %v\n", err)
	}
	text := visible(l.masked(b.String()))
	l.mask.mu.Lock()
	defer l.mask.mu.Unlock()
	_, _ = io.WriteString(l.options.Debug, text) // nothing depends on it
}

// cut returns the beginning of a text that was masked before: half a secret is
// none that a mask finds.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

func fields(b *strings.Builder, mark string, h http.Header) {
	var names []string
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range h[name] {
			fmt.Fprintf(b, "%s%s: %s\n", mark, name, value)
		}
	}
}
