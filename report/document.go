package report

import (
	"encoding/json"
	"io"
)

// A DocumentFormat is one way to write documents about a value, such as a
// [Sizing] or a [CompareReport].
type DocumentFormat[V any] struct {
	Name  string
	Doc   string
	Write func(io.Writer, V) error
}

// onSheet writes what is laid out as a sheet, in one of its formats.
func onSheet[V any](lay func(V) (sheet, error), format func(sheet, io.Writer) error) func(io.Writer, V) error {
	return func(w io.Writer, v V) error {
		laid, err := lay(v)
		if err != nil {
			return err
		}
		return format(laid, w)
	}
}

// writeIndented writes JSON for people and programs.
func writeIndented(w io.Writer, v any) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	return out.Encode(v)
}
