package main

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"duckload/history"
	"duckload/limiter"
)

// exportVegeta writes the results that vegeta would have written: one for each
// request, without the attempts that the transport gave up by itself. A status
// outside 200 to 399 is an error there, a rejection included.
//
// vegeta has no place for the method, the intended moment and the first byte.
func exportVegeta(w io.Writer, h *history.History) error {
	seqs, err := vegetaSeqs(h)
	if err != nil {
		return err
	}
	encode := vegeta.NewEncoder(w)
	written := make([]int, len(seqs))
	for o, err := range h.All() {
		if err != nil {
			return err
		}
		if o.Resent {
			continue
		}
		group := h.Header.Lanes[o.Lane].Group
		r := vegetaResult(h, o)
		r.Seq = uint64(seqs[group][written[group]])
		written[group]++
		if err := encode(&r); err != nil {
			return err
		}
	}
	return nil
}

// vegetaSeqs numbers the requests of each group in order of Sent: from 0
// without gaps, or vegeta plot would leave out points, and in order of time,
// or it would refuse them. The result is in the order of the record.
func vegetaSeqs(h *history.History) ([][]uint32, error) {
	sent := make([][]time.Duration, len(h.Header.Groups))
	for o, err := range h.All() {
		if err != nil {
			return nil, err
		}
		if group := h.Header.Lanes[o.Lane].Group; !o.Resent {
			sent[group] = append(sent[group], o.Sent)
		}
	}
	seqs := make([][]uint32, len(sent))
	for group, moments := range sent {
		if len(moments) > math.MaxUint32 {
			return nil, fmt.Errorf("group %s has %d requests: at most %d can be numbered", h.Header.Groups[group].Name, len(moments), math.MaxUint32)
		}
		order := make([]uint32, len(moments))
		for i := range order {
			order[i] = uint32(i)
		}
		slices.SortStableFunc(order, func(a, b uint32) int { return cmp.Compare(moments[a], moments[b]) })
		seqs[group] = make([]uint32, len(order))
		for seq, i := range order {
			seqs[group][i] = uint32(seq)
		}
	}
	return seqs, nil
}

func vegetaResult(h *history.History, o history.Observation) vegeta.Result {
	r := vegeta.Result{
		Attack:    h.Header.Groups[h.Header.Lanes[o.Lane].Group].Name,
		Timestamp: h.Header.Started.Add(o.Sent),
		Latency:   max(0, o.Done-o.Sent),
		BytesIn:   uint64(max(0, o.BytesIn)),
		BytesOut:  uint64(max(0, o.BytesOut)),
		URL:       h.Header.Target,
	}
	switch {
	case o.Error != "":
		r.Error = o.Error // and no code, as vegeta has it, even where one came before the failure
	case o.Status <= 0 || o.Status > math.MaxUint16:
		r.Error = "no answer"
	default:
		r.Code = uint16(o.Status)
		r.Headers = vegetaHeaders(o.Evidence)
		if o.Status < 200 || o.Status >= 400 {
			r.Error = strings.TrimSpace(fmt.Sprintf("%d %s", o.Status, http.StatusText(o.Status)))
		}
	}
	return r
}

func vegetaHeaders(evidence limiter.Fields) http.Header {
	headers := http.Header{}
	for _, f := range evidence {
		if !strings.HasPrefix(f.Name, limiter.JSONField) {
			headers.Add(f.Name, f.Value)
		}
	}
	return headers
}
