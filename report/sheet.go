package report

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"strings"
	"unicode/utf8"
)

// A sheet is a document of paragraphs, tables and pictures in finished words,
// that can be written for a terminal, as Markdown, and as a page.
type sheet struct {
	Title, Sentence string
	Facts           []string
	Parts           []part
	Tool            string
}

// A part of a sheet has a heading, and whatever of the rest there is.
type part struct {
	ID, Heading string
	Text        []string
	Head        []string
	Rows        [][]string
	Figure      *figure
	List        []string
	Code        []string
}

// A template rewrites its trees when it is first executed, so none is shared.
var sheetTemplate = template.Must(template.Must(template.New("sheet").Parse(sheetText)).AddParseTree("figure", pageTemplate.Lookup("figure").Tree.Copy()))

const sheetText = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{{.Policy}}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{{.Title}}</title>
<style>{{.Style}}</style>
</head>
<body>
<header class="top">
<div class="page">
<div class="say">
<h1><span class="name">{{.Title}}</span></h1>
<p class="sentence">{{.Sentence}}</p>
<p class="note">{{range $i, $f := .Facts}}{{if $i}} · {{end}}{{$f}}{{end}}</p>
</div>
</div>
</header>
<main class="page sheet">
{{range .Parts}}<section>
<h2 id="{{.ID}}">{{.Heading}}</h2>
{{range .Text}}<p>{{.}}</p>
{{end}}{{if .List}}<ul>{{range .List}}
<li>{{.}}</li>{{end}}
</ul>
{{end}}{{with .Figure}}{{template "figure" .}}
{{end}}{{if .Rows}}<div class="scroll" tabindex="0" role="region" aria-labelledby="{{.ID}}"><table class="cards">
<thead><tr>{{range .Head}}<th scope="col">{{.}}</th>{{end}}</tr></thead>
<tbody>{{$head := .Head}}{{range .Rows}}
<tr>{{range $i, $cell := .}}<td data-label="{{index $head $i}}">{{$cell}}</td>{{end}}</tr>{{end}}
</tbody></table></div>
{{end}}{{if .Code}}<pre tabindex="0"><code>{{range .Code}}{{.}}
{{end}}</code></pre>
{{end}}</section>
{{end}}</main>
<footer class="page"><p class="note">Written by {{.Tool}}.</p></footer>
</body>
</html>
`

func (s sheet) html(w io.Writer) error {
	var b bytes.Buffer
	err := sheetTemplate.ExecuteTemplate(&b, "sheet", struct {
		sheet
		Policy string
		Style  template.CSS
	}{s, policy(), template.CSS(styleSheet)})
	if err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// text writes a sheet for a terminal. Pictures are left out: their numbers
// stand in the tables.
func (s sheet) text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n", s.Title, strings.Join(s.Facts, " · "))
	fmt.Fprintf(&b, "\n%s\n", s.Sentence)
	for _, p := range s.Parts {
		fmt.Fprintf(&b, "\n%s\n", strings.ToUpper(p.Heading))
		for _, t := range p.Text {
			fmt.Fprintf(&b, "%s\n", t)
		}
		for _, l := range p.List {
			fmt.Fprintf(&b, "- %s\n", l)
		}
		if len(p.Rows) > 0 {
			writeColumns(&b, append([][]string{p.Head}, p.Rows...))
		}
		for _, l := range p.Code {
			fmt.Fprintf(&b, "  %s\n", l)
		}
	}
	_, err := io.WriteString(w, disarmed(b.String()))
	return err
}

func writeColumns(b *strings.Builder, rows [][]string) {
	wide := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			wide[i] = max(wide[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		line := " "
		for i, cell := range row {
			line += " " + cell + strings.Repeat(" ", wide[i]-utf8.RuneCountInString(cell)+1)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

// markdown writes a sheet as GitHub and GitLab show it.
func (s sheet) markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n**%s**\n", plain(s.Title), plain(s.Sentence))
	if len(s.Facts) > 0 {
		fmt.Fprintf(&b, "\n%s\n", plain(strings.Join(s.Facts, " · ")))
	}
	for _, p := range s.Parts {
		fmt.Fprintf(&b, "\n## %s\n", plain(p.Heading))
		for _, t := range p.Text {
			fmt.Fprintf(&b, "\n%s\n", plain(t))
		}
		if len(p.List) > 0 {
			b.WriteString("\n")
		}
		for _, l := range p.List {
			fmt.Fprintf(&b, "- %s\n", plain(l))
		}
		if len(p.Rows) > 0 {
			b.WriteString("\n|")
			for _, h := range p.Head {
				b.WriteString(" " + plain(h) + " |")
			}
			b.WriteString("\n|" + strings.Repeat(" --- |", len(p.Head)) + "\n")
			for _, row := range p.Rows {
				b.WriteString("|")
				for _, cell := range row {
					b.WriteString(" " + plain(cell) + " |")
				}
				b.WriteString("\n")
			}
		}
		if len(p.Code) > 0 {
			b.WriteString("\n" + block(p.Code))
		}
	}
	fmt.Fprintf(&b, "\nWritten by %s.\n", plain(s.Tool))
	_, err := io.WriteString(w, b.String())
	return err
}
