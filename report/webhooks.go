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
