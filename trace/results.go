package trace

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// The encodings of vegeta's results.
const (
	gobs      = "gob"
	jsonLines = "JSON"
	csvLines  = "CSV"
)

// isResult reports whether a line is one of vegeta's results as CSV, which has
// no header: nanoseconds, a status, a latency, and nine more.
func isResult(line string) bool {
	fields := strings.Split(line, ",")
	if len(fields) != 12 && !(len(fields) > 6 && len(line) > sniffed/2) { // a long body may be cut
		return false
	}
	for _, f := range fields[:5] {
		if _, err := strconv.ParseInt(f, 10, 64); err != nil {
			return false
		}
	}
	return len(fields[0]) > 16
}

// results reads vegeta's results, which are in the order of their ends.
func (c *collector) results(in *bufio.Reader, encoding string) {
	c.format, c.disorder = "vegeta results", anyDisorder
	if !c.gapless {
		c.disorder = maxGap // an answer takes less
	}
	if c.options.Key != "" && c.options.Key != NoKey {
		c.bad(0, "vegeta's results have no key %q (have none)", shortened(c.options.Key))
		return
	}
	var decode vegeta.Decoder
	switch encoding {
	case gobs:
		decode = vegeta.NewDecoder(in)
	case jsonLines:
		decode = vegeta.NewJSONDecoder(&shortLines{from: in})
	default:
		decode = vegeta.NewCSVDecoder(&shortLines{from: in})
	}
	for n := 1; ; n++ {
		var result vegeta.Result
		err := decode.Decode(&result)
		switch {
		case err == io.EOF:
			return
		case errors.Is(err, errTooLong):
			c.bad(n, "longer than %d MiB", maxResult>>20)
			return
		case err != nil:
			c.bad(n, "not a result of vegeta's (%s): %s", encoding, shortened(fmt.Sprintf("%q", err.Error())))
			return
		}
		if !c.matches(result.Method + " " + result.URL) {
			continue
		}
		nanos, wrong := sinceEpoch(result.Timestamp)
		if result.Timestamp.IsZero() {
			wrong = "has no timestamp"
		}
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

// silences finds gaps once all times are known and in order.
func (c *collector) silences(times []int64) {
	moments := offsets(times)
	for i := 1; i < len(moments) && len(c.mistakes) < maxMistakes; i++ {
		if gap := moments[i] - moments[i-1]; gap > maxGap {
			c.bad(0, "nothing for %s after its first %s (at most %s; cut the recording there)", gap, moments[i-1].Round(time.Second), maxGap)
		}
	}
}

// shortLines fails where a line has no end within the bound, since a decoder
// reads a line as a whole, and ends the last one if nobody did: vegeta's JSON
// decoder would leave it out.
type shortLines struct {
	from   io.Reader
	length int // of the line that is being read
}

func (s *shortLines) Read(p []byte) (int, error) {
	n, err := s.from.Read(p)
	for _, c := range p[:n] {
		if s.length++; c == '\n' {
			s.length = 0
		}
	}
	switch {
	case s.length > maxResult:
		return 0, errTooLong
	case err == io.EOF && n == 0 && s.length > 0 && len(p) > 0:
		p[0], s.length = '\n', 0
		return 1, nil
	}
	return n, err
}
