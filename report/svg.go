package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"html/template"
	"io"
	"strconv"
	"strings"
)

// classes are what a colour in a picture stands for. The drawing marks the
// n-th with the colour #0n0000.
var classes = []string{"text", "grid", "admitted", "rejected", "unknown", "limit", "fault", "band", "region", "tide", "told", "fall", "panel"}

// A picture is an SVG that fits its page: it takes its colours and its letters
// from the style sheet, and says in words what it shows.
type picture struct {
	id, class     string
	title, desc   string
	width, height int
	over          *stretch // of a run, where the horizontal axis is time
}

// styled rewrites a drawing. Only paths, groups and text come through, with
// the attributes that are known here: style attributes are what the page's
// policy forbids.
func (p picture) styled(d drawing) (template.HTML, error) {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="chart %s" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-labelledby="%s-t %s-d"%s><title id="%s-t">%s</title><desc id="%s-d">%s</desc>`,
		p.class, p.width, p.height, p.width, p.height, p.id, p.id, p.place(d),
		p.id, html.EscapeString(printable(p.title)), p.id, html.EscapeString(printable(p.desc)))
	open := "" // the innermost element, if nothing has ended since
	dec := xml.NewDecoder(bytes.NewReader(d.svg))
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", fmt.Errorf("the drawing is no XML: %w", err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			open = t.Name.Local
			writeElement(&b, t)
		case xml.EndElement:
			open = ""
			if isDrawn(t.Name.Local) {
				b.WriteString("</" + t.Name.Local + ">")
			}
		case xml.CharData:
			if open == "text" {
				writeWords(&b, string(t))
			}
		}
	}
	b.WriteString("</svg>")
	return template.HTML(b.String()), nil
}

// place says which moments lie where, for the page's script.
func (p picture) place(d drawing) string {
	if p.over == nil {
		return ""
	}
	return fmt.Sprintf(` data-from="%.3f" data-to="%.3f" data-area="%.1f %.1f %.1f %.1f"`,
		p.over.From.Seconds(), p.over.To.Seconds(), d.left, d.right, d.top, d.bottom)
}

func isDrawn(name string) bool { return name == "g" || name == "path" || name == "text" }

func writeElement(b *strings.Builder, t xml.StartElement) {
	if !isDrawn(t.Name.Local) {
		return
	}
	b.WriteString("<" + t.Name.Local)
	for _, a := range t.Attr {
		switch a.Name.Local {
		case "d", "x", "y", "transform":
			attribute(b, a.Name.Local, a.Value)
		case "style":
			writeStyle(b, a.Value)
		}
	}
	if t.Name.Local != "text" { // its words say how it is anchored
		b.WriteString(">")
	}
}

// Runes that begin a text and say which end of it is placed.
const (
	anchorStart  = '\ue000'
	anchorMiddle = '\ue001'
	anchorEnd    = '\ue002'
)

func writeWords(b *strings.Builder, text string) {
	anchor := "start"
	for r, name := range map[rune]string{anchorStart: "start", anchorMiddle: "middle", anchorEnd: "end"} {
		if rest, ok := strings.CutPrefix(text, string(r)); ok {
			anchor, text = name, rest
		}
	}
	attribute(b, "text-anchor", anchor)
	b.WriteString(">" + html.EscapeString(text))
}

// writeStyle turns a style into a class and attributes of presentation. What a
// colour stands for is the class; the style sheet says how it is painted.
func writeStyle(b *strings.Builder, style string) {
	var class []string
	for declaration := range strings.SplitSeq(style, ";") {
		name, value, _ := strings.Cut(declaration, ":")
		switch name {
		case "fill", "stroke":
			if value == "none" {
				class = append(class, "hollow")
			} else if c, ok := classOf(value); ok {
				class = append(class, name+"-"+c)
			}
		case "stroke-width", "stroke-dasharray":
			attribute(b, name, value)
		}
	}
	if len(class) > 0 {
		attribute(b, "class", strings.Join(class, " "))
	}
}

func classOf(value string) (string, bool) {
	n, err := strconv.ParseUint(strings.TrimPrefix(value, "#"), 16, 32)
	if i := int(n>>16) - 1; err == nil && n&0xffff == 0 && i >= 0 && i < len(classes) {
		return classes[i], true
	}
	return "", false
}

func attribute(b *strings.Builder, name, value string) {
	fmt.Fprintf(b, ` %s="%s"`, name, html.EscapeString(value))
}
