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

//go:embed page/page.tmpl
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// policy lets the page show its own style and nothing else: no script, no
// image, no font, no address.
func policy() string {
	sum := sha256.Sum256([]byte(styleSheet))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
}

func writeHTML(w io.Writer, r Report) error {
	p, err := pageOf(r)
	if err != nil {
		return fmt.Errorf("report.html: %w", err)
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return fmt.Errorf("report.html: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}
