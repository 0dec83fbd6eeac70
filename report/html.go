package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
)

var htmlFormat = Format{
	Name:   "html",
	Doc:    "one page for people, with pictures; needs no network and no script",
	File:   "report.html",
	Always: true,
	Write:  writeHTML,
}

//go:embed page/style.css
var styleSheet string

//go:embed page/script.js
var script string

//go:embed page/page.tmpl
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// policy lets the page use its own style and its own script, and nothing else:
// no image, no font, no address. The page can be read in full without the script.
func policy() string {
	return "default-src 'none'; style-src " + hashed(styleSheet) + "; script-src " + hashed(script) + "; base-uri 'none'; form-action 'none'"
}

func hashed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// mostBytes is how large a page may be, so that it can be sent by mail.
const mostBytes = 1_450_000

// writeHTML writes the words first, to see how much room they leave for
// pictures.
func writeHTML(w io.Writer, r Report) error {
	p, err := pageOf(r)
	if err != nil {
		return fmt.Errorf("report.html: %w", err)
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return fmt.Errorf("report.html: %w", err)
	}
	if err := p.draw(r.Findings.Groups, mostBytes-b.Len()); err != nil {
		return fmt.Errorf("report.html: %w", err)
	}
	b.Reset()
	if err := pageTemplate.Execute(&b, p); err != nil {
		return fmt.Errorf("report.html: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}
