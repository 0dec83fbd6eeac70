package main

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// A stream is one request over HTTP/2 on its way through the fault.
type stream struct {
	*http2.Framer
	conn   net.Conn
	faulty *faulty
	id     uint32
	seq    string // number of the request
	over   bool   // the connection ends
}

// serveStreams speaks HTTP/2, one frame after the other.
func (s *faulty) serveStreams(c net.Conn) {
	if _, err := io.ReadFull(c, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	f := http2.NewFramer(c, c)
	f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if f.WriteSettings() != nil {
		return
	}
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			return
		}
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				err = f.WriteSettingsAck()
			}
		case *http2.PingFrame:
			if !frame.IsAck() {
				err = f.WritePing(true, frame.Data)
			}
		case *http2.MetaHeadersFrame:
			_, seq, _ := strings.Cut(frame.PseudoValue("path"), "seq=")
			x := &stream{Framer: f, conn: c, faulty: s, id: frame.StreamID, seq: seq}
			if s.meet(seq) && s.stream != nil {
				s.stream(x)
			} else {
				x.answer()
			}
			if x.over {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (x *stream) decide() (status, retryAfter int) { return x.faulty.decide(x.seq) }

// head writes the honest status and fields, more fields, and whether that is
// all. more are names and values.
func (x *stream) head(end bool, more ...string) {
	status, wait := x.decide()
	fields := []string{":status", strconv.Itoa(status)}
	if wait > 0 {
		fields = append(fields, "retry-after", strconv.Itoa(wait))
	}
	x.fields(end, append(fields, more...)...)
}

func (x *stream) fields(end bool, fields ...string) {
	var block bytes.Buffer
	pack := hpack.NewEncoder(&block)
	for i := 0; i < len(fields); i += 2 {
		pack.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	first := true
	for rest := block.Bytes(); first || len(rest) > 0; first = false {
		part := rest[:min(len(rest), 16<<10)]
		rest = rest[len(part):]
		if first {
			x.WriteHeaders(http2.HeadersFrameParam{StreamID: x.id, BlockFragment: part, EndStream: end, EndHeaders: len(rest) == 0})
		} else {
			x.WriteContinuation(x.id, len(rest) == 0, part)
		}
	}
}

// answer is a whole, honest one.
func (x *stream) answer() {
	x.head(false)
	x.WriteData(x.id, true, []byte("ok"))
}

// bytes writes what no framer would.
func (x *stream) bytes(text string) error {
	_, err := io.WriteString(x.conn, text)
	return err
}

// goodbye says that no stream after the last one will be served.
func (x *stream) goodbye(last uint32, code http2.ErrCode) {
	x.WriteGoAway(last, code, []byte("enough"))
}

// resetting gives a stream up with a code.
func resetting(code http2.ErrCode) func(*stream) {
	return func(x *stream) {
		x.decide()
		x.WriteRSTStream(x.id, code)
	}
}

var overHTTP2 = []string{"h2"}

// Whatever a server may do with frames. What ends a connection ends every
// request on it.
var faultsOfHTTP2 = []fault{
	{
		name: "GOAWAY after each third answer", by: overHTTP2, class: "", status: honestly, other: "eof", // of what was under way behind it
		stream: func(x *stream) { x.answer(); x.goodbye(x.id, http2.ErrCodeNo) },
	},
	{
		name: "GOAWAY instead of an answer", by: overHTTP2, class: "eof", other: "reset", says: []string{"GOAWAY"},
		stream: func(x *stream) { x.goodbye(x.id-2, http2.ErrCodeNo); x.over = true },
	},
	{
		name: "GOAWAY with an error", by: overHTTP2, class: "eof", other: "reset", says: []string{"GOAWAY"},
		stream: func(x *stream) { x.decide(); x.goodbye(x.id, http2.ErrCodeEnhanceYourCalm); x.over = true },
	},
	{
		name: "RST_STREAM: refused", by: overHTTP2, class: "reset", says: []string{"reset (", "REFUSED_STREAM"},
		stream: resetting(http2.ErrCodeRefusedStream),
	},
	{
		name: "RST_STREAM: internal error", by: overHTTP2, class: "reset", says: []string{"reset (", "INTERNAL_ERROR"},
		stream: resetting(http2.ErrCodeInternal),
	},
	{
		name: "RST_STREAM: calm down", by: overHTTP2, class: "reset", says: []string{"reset (", "ENHANCE_YOUR_CALM"},
		stream: resetting(http2.ErrCodeEnhanceYourCalm),
	},
	{
		name: "RST_STREAM in the body", by: overHTTP2, class: "reset", status: honestly, says: []string{"reset ("},
		stream: func(x *stream) {
			x.head(false, "content-length", "100")
			x.WriteData(x.id, false, []byte("half"))
			x.WriteRSTStream(x.id, http2.ErrCodeInternal)
		},
	},
	{
		name: "a connection that is cut", by: overHTTP2, class: "eof", other: "reset",
		stream: func(x *stream) { x.decide(); x.over = true },
	},
	{
		name: "a connection that is reset", by: overHTTP2, class: "reset", other: "eof", // of those that waited for a place on it
		stream: func(x *stream) { x.decide(); reset(x.conn); x.over = true },
	},
	{
		name: "silence on a stream", by: overHTTP2, class: "timeout", timeout: impatient, says: []string{"timeout (given up after 500ms)"},
		stream: func(x *stream) { x.decide() },
	},
	{
		name: "silence in the body", by: overHTTP2, class: "timeout", status: honestly, timeout: impatient, says: []string{"timeout ("},
		stream: func(x *stream) { x.head(false, "content-length", "100"); x.WriteData(x.id, false, []byte("half")) },
	},
	{
		name: "noise instead of frames", by: overHTTP2, class: "protocol", says: []string{"protocol ("}, other: "eof",
		stream: func(x *stream) {
			x.decide()
			x.bytes("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" + strings.Repeat("noise", 20))
			time.Sleep(20 * time.Millisecond)
			x.over = true
		},
	},
	{
		name: "a frame on a stream of nobody", by: overHTTP2, class: "protocol", says: []string{"protocol ("}, other: "eof",
		stream: func(x *stream) {
			x.decide()
			x.WriteRawFrame(http2.FrameData, 0, 0, []byte("hello"))
			time.Sleep(20 * time.Millisecond)
			x.over = true
		},
	},
	{
		name: "a frame that is too long", by: overHTTP2, class: "protocol", says: []string{"protocol ("}, other: "eof",
		stream: func(x *stream) {
			x.decide()
			x.WriteRawFrame(http2.FrameData, 0, x.id, make([]byte, 2<<20))
			time.Sleep(20 * time.Millisecond)
			x.over = true
		},
	},
	{
		name: "fields that cannot be unpacked", by: overHTTP2, class: "protocol", says: []string{"protocol ("}, other: "eof",
		stream: func(x *stream) {
			x.decide()
			x.WriteHeaders(http2.HeadersFrameParam{StreamID: x.id, BlockFragment: []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, EndHeaders: true, EndStream: true})
			time.Sleep(20 * time.Millisecond)
			x.over = true
		},
	},
	{
		name: "fields without a status", by: overHTTP2, class: "protocol", says: []string{"protocol ("},
		stream: func(x *stream) { x.decide(); x.fields(true, "server", "none") },
	},
	{
		name: "fields of a megabyte in frames", by: overHTTP2, class: "protocol", flood: true, says: []string{"protocol ("}, other: "eof",
		stream: func(x *stream) { x.head(true, "x-long", strings.Repeat("x", 1<<20)) },
	},
	{
		name: "fields without end in frames", by: overHTTP2, class: "protocol", flood: true, says: []string{"protocol ("}, other: "eof",
		stream: func(x *stream) {
			x.decide()
			x.WriteHeaders(http2.HeadersFrameParam{StreamID: x.id, BlockFragment: []byte{0x88}})
			var block bytes.Buffer
			pack := hpack.NewEncoder(&block)
			for range 100 {
				pack.WriteField(hpack.HeaderField{Name: "x-more", Value: strings.Repeat("x", 100), Sensitive: true})
			}
			for x.WriteContinuation(x.id, false, block.Bytes()) == nil {
			}
			x.over = true
		},
	},
	{
		name: "a body without end in frames", by: overHTTP2, class: "", status: honestly, flood: true,
		stream: func(x *stream) {
			x.head(false)
			for range 20 { // flow control allows no more than the client does
				if x.WriteData(x.id, false, make([]byte, 3<<10)) != nil {
					break
				}
			}
			x.WriteData(x.id, true, nil)
		},
	},
	{
		name: "a body longer than its length, in frames", by: overHTTP2, class: "protocol", status: honestly, says: []string{"protocol ("},
		stream: func(x *stream) {
			x.head(false, "content-length", "2")
			x.WriteData(x.id, true, []byte("ok and more"))
		},
	},
	{
		name: "a body shorter than its length, in frames", by: overHTTP2, class: "eof", status: honestly, says: []string{"eof ("},
		stream: func(x *stream) {
			x.head(false, "content-length", "20")
			x.WriteData(x.id, true, []byte("ok"))
		},
	},
	{
		// Each answer says whose it is: one too many is nobody's.
		name: "an answer twice over HTTP/2", by: overHTTP2, class: "", status: honestly,
		stream: func(x *stream) {
			x.answer()
			x.fields(false, ":status", "200")
			x.WriteData(x.id, true, []byte("ok"))
		},
	},
	{
		// It comes with the next answer.
		name: "an answer once more with the next one over HTTP/2", by: overHTTP2, class: "", status: honestly, every: 2,
		stream: func(x *stream) {
			if x.id > 1 {
				before := *x
				before.id -= 2
				before.fields(true, ":status", "200")
			}
			x.answer()
		},
	},
	{
		name: "two hundred pings and settings", by: overHTTP2, class: "", status: honestly,
		stream: func(x *stream) {
			for i := range 100 {
				x.WritePing(false, [8]byte{byte(i)})
				x.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 100})
			}
			x.answer()
		},
	},
	{
		name: "no place for more than one request", by: overHTTP2, class: "", status: honestly, every: 1,
		stream: func(x *stream) {
			x.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 1})
			x.answer()
		},
	},
	{
		name: "a push that nobody wanted", by: overHTTP2, class: "protocol", says: []string{"protocol ("}, other: "eof",
		stream: func(x *stream) {
			x.decide()
			x.WritePushPromise(http2.PushPromiseParam{StreamID: x.id, PromiseID: 2, BlockFragment: []byte{0x82}, EndHeaders: true})
			time.Sleep(20 * time.Millisecond)
			x.over = true
		},
	},
	{
		name: "interim answers over HTTP/2, and the answer", by: overHTTP2, class: "", status: honestly,
		stream: func(x *stream) {
			x.fields(false, ":status", strconv.Itoa(http.StatusEarlyHints), "link", "</a>")
			x.answer()
		},
	},
	{
		name: "interim answers without end over HTTP/2", by: overHTTP2, class: "protocol", flood: true, says: []string{"protocol ("}, other: "eof",
		stream: func(x *stream) {
			x.decide()
			for range 1000 {
				x.fields(false, ":status", "103", "link", strings.Repeat("x", 100))
			}
			x.WriteRSTStream(x.id, http2.ErrCodeInternal)
		},
	},
}
