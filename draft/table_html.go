package draft

import (
	"bytes"
	"strconv"
	"strings"

	"golang.org/x/net/html"
)

// htmlTables reads the tables of an HTML page. A cell that spans several rows
// or columns stands in each of them, as a reader sees it. A table inside a cell
// is text of that cell.
func htmlTables(text string) []table {
	p := page{tokens: html.NewTokenizer(strings.NewReader(text)), line: 1}
	p.tokens.SetMaxBuf(MaxSource)
	for p.next() {
	}
	return p.all
}

// A page is what has been read of an HTML page so far.
type page struct {
	tokens *html.Tokenizer
	line   int // where the next token begins
	depth  int // of tables
	all    []table
	now    *table
	cells  []string
	at     int             // line of the row
	head   bool            // every cell of the row is a heading
	text   strings.Builder // of the cell
	open   bool
	wide   int              // columns that the cell spans
	tall   int              // rows that the cell spans
	below  map[int]reaching // cells that reach into later rows, by column
	skip   string           // an element whose text nobody sees
}

type reaching struct {
	rows int
	text string
}

func (p *page) next() bool {
	kind := p.tokens.Next()
	if kind == html.ErrorToken {
		p.endTable()
		return false
	}
	line := p.line
	p.line += bytes.Count(p.tokens.Raw(), []byte{'\n'})
	switch kind {
	case html.TextToken:
		if p.open && p.skip == "" {
			p.text.WriteString(string(p.tokens.Text()))
		}
	case html.StartTagToken, html.SelfClosingTagToken:
		name, more := p.tokens.TagName()
		p.start(string(name), more, line, kind == html.SelfClosingTagToken)
	case html.EndTagToken:
		name, _ := p.tokens.TagName()
		p.end(string(name))
	}
	return true
}

func (p *page) start(name string, attributes bool, line int, closed bool) {
	switch name {
	case "table":
		if p.depth++; p.depth == 1 {
			p.now, p.below = &table{line: line}, map[int]reaching{}
		}
	case "script", "style", "sup":
		if !closed {
			p.skip = name
		}
	case "br", "p", "li", "div":
		if p.open {
			p.text.WriteString(" ; ")
		}
	case "tr":
		if p.depth == 1 {
			p.endRow()
			p.at, p.head = line, true
		}
	case "td", "th":
		if p.depth == 1 {
			p.endCell()
			p.open, p.wide, p.tall = true, 1, 1
			p.head = p.head && name == "th"
			for attributes {
				var key, value []byte
				key, value, attributes = p.tokens.TagAttr()
				if n, err := strconv.Atoi(string(value)); err == nil && n > 1 && n <= maxColumns {
					switch string(key) {
					case "colspan":
						p.wide = n
					case "rowspan":
						p.tall = n
					}
				}
			}
		}
	}
}

func (p *page) end(name string) {
	if name == p.skip {
		p.skip = ""
	}
	switch name {
	case "td", "th":
		if p.depth == 1 {
			p.endCell()
		}
	case "tr", "thead", "tbody":
		if p.depth == 1 {
			p.endRow()
		}
	case "table":
		if p.depth == 1 {
			p.endTable()
		}
		p.depth = max(p.depth-1, 0)
	}
}

func (p *page) endCell() {
	if !p.open {
		return
	}
	p.open = false
	text := strings.Trim(strings.Join(strings.Fields(p.text.String()), " "), " ;")
	p.text.Reset()
	p.reach()
	for range p.wide {
		if len(p.cells) >= maxColumns {
			break
		}
		if p.tall > 1 {
			p.below[len(p.cells)] = reaching{rows: p.tall - 1, text: text}
		}
		p.cells = append(p.cells, text)
	}
}

// reach adds the cells of earlier rows that reach down to this place.
func (p *page) reach() {
	for {
		s, ok := p.below[len(p.cells)]
		if !ok || s.rows == 0 {
			return
		}
		s.rows--
		p.below[len(p.cells)] = s
		p.cells = append(p.cells, s.text)
	}
}

func (p *page) endRow() {
	p.endCell()
	if p.now == nil || len(p.cells) == 0 {
		p.cells = nil
		return
	}
	p.reach()
	switch {
	case p.now.head == nil:
		p.now.head = p.cells
	case p.head && len(p.now.rows) == 0:
		// A second row of headings says what is below the first.
		for i, c := range p.cells {
			if i < len(p.now.head) && p.now.head[i] != c {
				p.now.head[i] += " " + c
			}
		}
	case len(p.now.rows) < maxRows:
		p.now.rows = append(p.now.rows, row{line: p.at, cells: p.cells})
	}
	p.cells = nil
}

func (p *page) endTable() {
	if p.now == nil {
		return
	}
	p.endRow()
	if p.now.head != nil {
		p.all = append(p.all, *p.now)
	}
	p.now = nil
}
