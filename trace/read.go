package trace

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"
)

// sniffed is how much of a recording is looked at to find its format.
const sniffed = 4 << 10

// errTooLong says that a line does not end where it should have.
var errTooLong = errors.New("too long")

// errTooMuch says that a recording is larger than anyone replays.
var errTooMuch = fmt.Errorf("more than %d GiB", maxBytes>>30)

// read finds the format of a recording and reads it.
func (c *collector) read(r io.Reader) {
	limit := int64(maxBytes)
	if !c.gapless {
		limit = math.MaxInt64
	}
	in := bufio.NewReaderSize(&bounded{from: r, left: limit}, maxLine)
	head, err := in.Peek(sniffed)
	if err != nil && err != io.EOF {
		c.bad(0, "cannot be read: %v", err)
		return
	}
	if unzip := compression(head); unzip != nil {
		unzipped, err := unzip(in)
		if err != nil {
			c.bad(0, "cannot be decompressed: %v", err)
			return
		}
		in = bufio.NewReaderSize(&bounded{from: unzipped, left: limit}, maxLine)
		if head, err = in.Peek(sniffed); err != nil && err != io.EOF {
			c.bad(0, "cannot be decompressed: %v", err)
			return
		}
	}
	text := strings.TrimLeft(string(bytes.TrimPrefix(head, mark)), " \t\r\n")
	first, _, _ := strings.Cut(text, "\n")
	switch {
	case len(head) == 0:
	case isBinary(head):
		c.results(in, gobs)
	case isHAR(text):
		c.har(in)
	case isVegetaJSON(first):
		c.results(in, jsonLines)
	case strings.HasPrefix(first, "{"):
		c.objects(in)
	case isResult(first):
		c.results(in, csvLines)
	case stamp(first) != "":
		c.accessLog(in)
	default:
		c.csv(in)
	}
}

// compression finds what undoes the compression of a recording; nil: it has none.
func compression(head []byte) func(io.Reader) (io.Reader, error) {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return func(r io.Reader) (io.Reader, error) {
			return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxWindow), zstd.WithDecoderMaxWindow(maxWindow))
		}
	}
	return nil
}

// maxWindow is the memory that a compressed recording may ask for.
const maxWindow = 128 << 20

// mark is what some editors write before text in UTF-8.
var mark = []byte("\uFEFF")

// isBinary reports whether a recording is no text. A rune may be cut at the end.
func isBinary(head []byte) bool {
	if bytes.ContainsFunc(head, func(c rune) bool { return c < ' ' && c != '\t' && c != '\n' && c != '\r' }) {
		return true
	}
	return !utf8.Valid(head[:max(0, len(head)-utf8.UTFMax)])
}

// lines calls a function with each line that says something, until it returns
// false. Only one line is held at a time.
func (c *collector) lines(in *bufio.Reader, take func(n int, text string) bool) {
	for n := 1; ; n++ {
		line, err := in.ReadSlice('\n')
		if n == 1 {
			line = bytes.TrimPrefix(line, mark)
		}
		text := strings.TrimRight(string(line), "\r\n")
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			c.bad(n, "longer than %d KiB", maxLine>>10)
			return
		case err != nil && err != io.EOF:
			c.bad(n, "cannot be read: %v", err)
			return
		case strings.TrimSpace(text) != "" && !strings.HasPrefix(text, "#") && !take(n, text):
			return
		}
		if err == io.EOF {
			return
		}
	}
}

// A bounded reader fails where a recording is larger than anyone replays.
type bounded struct {
	from io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooMuch
	}
	n, err := b.from.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

func shortened(text string) string {
	if runes := []rune(text); len(runes) > 60 {
		return string(runes[:60]) + "…"
	}
	return text
}
