package draft

import (
	"html"
	"regexp"
	"slices"
	"strings"
)

// A table is a table of a document, its cells as plain text.
type table struct {
	line int // of its heading
	head []string
	rows []row
}

type row struct {
	line  int
	cells []string
}

// cell returns a cell of a row; what is not there is empty.
func (r row) cell(i int) string {
	if i < 0 || i >= len(r.cells) {
		return ""
	}
	return r.cells[i]
}

// text is the row as a comment quotes it.
func (r row) text() string { return "| " + strings.Join(r.cells, " | ") + " |" }

// Bounds of a table, so that a small document cannot cost much.
const (
	maxColumns = 64
	maxRows    = 5000
)

// tables returns every table of a document, in Markdown or in HTML, in the
// order of their lines.
func tables(text string) []table {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	all := append(markdownTables(text), htmlTables(text)...)
	slices.SortStableFunc(all, func(a, b table) int { return a.line - b.line })
	return all
}

// delimiter is the line below the heading of a Markdown table.
var delimiter = regexp.MustCompile(`^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$`)

// markdownTables reads tables as GitHub does: a heading, a line of dashes with
// as many columns, rows until a line without a bar.
func markdownTables(text string) []table {
	var all []table
	lines := strings.Split(text, "\n")
	for i := 0; i+1 < len(lines); i++ {
		if !strings.Contains(lines[i], "|") || !strings.Contains(lines[i+1], "-") || !delimiter.MatchString(lines[i+1]) {
			continue
		}
		head := markdownCells(lines[i])
		if len(head) != len(markdownCells(lines[i+1])) {
			continue
		}
		t := table{line: i + 1, head: head}
		for i += 2; i < len(lines) && strings.Contains(lines[i], "|"); i++ {
			if len(t.rows) < maxRows {
				t.rows = append(t.rows, row{line: i + 1, cells: markdownCells(lines[i])})
			}
		}
		i--
		all = append(all, t)
	}
	return all
}

// markdownCells splits a line at its bars; a bar behind a backslash is text.
func markdownCells(line string) []string {
	const bar = "\x00"
	line = strings.TrimSpace(strings.ReplaceAll(line, `\|`, bar))
	line = strings.TrimSuffix(strings.TrimPrefix(line, "|"), "|")
	cells := strings.SplitN(line, "|", maxColumns+1)
	for i, c := range cells {
		cells[i] = unmarked(strings.ReplaceAll(c, bar, "|"))
	}
	return cells
}

var (
	link     = regexp.MustCompile(`!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])`)
	footnote = regexp.MustCompile(`\[\^[^\]]*\]|<sup>[^<]*</sup>`)
	lineEnd  = regexp.MustCompile(`(?i)<br\s*/?>`)
	tag      = regexp.MustCompile(`(?i)</?(a|abbr|b|br|code|div|em|i|img|kbd|li|nobr|p|small|span|strong|sub|sup|tt|u|ul)(\s[^>]*)?/?>`)
	emphasis = regexp.MustCompile("[*`]+")
)

// unmarked returns the text of a Markdown cell without its markup. An underscore
// and a star behind a slash are parts of paths.
func unmarked(text string) string {
	text = footnote.ReplaceAllString(text, "")
	text = lineEnd.ReplaceAllString(text, " ; ")
	text = link.ReplaceAllString(text, "$1")
	text = tag.ReplaceAllString(text, "")
	const star = "\x00"
	text = strings.ReplaceAll(text, "/*", "/"+star)
	text = emphasis.ReplaceAllString(text, "")
	text = strings.ReplaceAll(text, star, "*")
	return strings.TrimSpace(html.UnescapeString(text))
}
