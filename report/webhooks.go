package report

import "duckload/analyze"

// webhookJSON is what was delivered of one kind of event.
type webhookJSON struct {
	Event    string          `json:"event"`
	Admitted int             `json:"admitted"`
	Came     int             `json:"came"`
	Lost     int             `json:"lost"`
	Repeated int             `json:"repeated"`
	Lag      percentilesJSON `json:"lag_ms"`
}

func webhooksOf(g analyze.Group) []webhookJSON {
	var all []webhookJSON
	for _, e := range g.Events {
		all = append(all, webhookJSON{e.Event, e.Admitted, e.Came, e.Lost, e.Repeated, percentiles(e.Lag)})
	}
	return all
}

// webhookRows lay out what was delivered, a kind of event a row.
func webhookRows(g analyze.Group) [][]string {
	var rows [][]string
	for _, e := range g.Events {
		row := []string{printable(e.Event), thousands(e.Admitted), thousands(e.Came), thousands(e.Lost), thousands(e.Repeated), "", ""}
		if l := e.Lag; l.N > 0 {
			row[5], row[6] = length(l.P50), length(l.P99)
		}
		rows = append(rows, row)
	}
	return rows
}
