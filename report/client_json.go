package report

import (
	"io"
	"time"

	"duckload/analyze"
	"duckload/clients"
)

// The document of a client check. Names are a contract; more may be added.
type (
	clientJSON struct {
		Schema  string             `json:"schema"`
		Outcome analyze.Verdict    `json:"outcome"`
		Tool    string             `json:"tool"`
		Command []string           `json:"command"`
		Clients int                `json:"clients"`
		Left    int                `json:"scripts_not_played"`
		Scripts []clientScriptJSON `json:"scripts"`
	}
	clientScriptJSON struct {
		Name      string              `json:"name"`
		Doc       string              `json:"doc"`
		Outcome   analyze.Verdict     `json:"outcome"`
		Budget    int                 `json:"budget"`
		MaxTime   float64             `json:"max_time_s"`
		Stop      clients.Stop        `json:"stopped"`
		Checks    []clients.Finding   `json:"checks"`
		Processes []clientProcessJSON `json:"processes"`
		Requests  []clientRequestJSON `json:"requests"`
	}
	clientProcessJSON struct {
		Began    float64 `json:"began_s"`
		Ended    float64 `json:"ended_s"`
		Alone    bool    `json:"ended_by_itself"`
		Status   int     `json:"exit_status"`
		Children int     `json:"left_behind"`
		Output   string  `json:"output"`
	}
	clientRequestJSON struct {
		Number     int      `json:"number"`
		Client     int      `json:"client"`
		Connection int      `json:"connection"`
		Method     string   `json:"method"`
		Path       string   `json:"path"`
		Call       string   `json:"call"`
		Scripted   bool     `json:"scripted"`
		Arrived    float64  `json:"arrived_s"`
		Answered   float64  `json:"answered_s"`
		Status     int      `json:"status"`
		Left       bool     `json:"client_left"`
		Code       string   `json:"code"`
		RetryAfter string   `json:"retry_after"`
		Until      *float64 `json:"retry_at_s"` // null: nothing was told
	}
)

func writeClientJSON(w io.Writer, c ClientCheck) error {
	out := clientJSON{
		Schema: "duckload.client/1", Outcome: c.Outcome(), Tool: c.Tool, Command: c.Command, Clients: c.Clients, Left: c.Left,
		Scripts: []clientScriptJSON{},
	}
	for _, j := range c.Judgements {
		s := clientScriptJSON{
			Name: j.Script.Name, Doc: j.Script.Doc, Outcome: j.Outcome, Budget: j.Script.Budget, MaxTime: j.Limit.Seconds(), Stop: j.Stop,
			Checks: append([]clients.Finding{}, j.Findings...), Processes: []clientProcessJSON{}, Requests: []clientRequestJSON{},
		}
		for _, p := range j.Processes {
			s.Processes = append(s.Processes, clientProcessJSON{micro(p.Began), micro(p.Ended), p.Alone, p.Status, p.Children, p.Output})
		}
		for _, e := range j.Exchanges {
			x := clientRequestJSON{
				Number: e.Number, Client: e.Client + 1, Connection: e.Conn, Method: e.Method, Path: e.Path, Call: e.Call, Scripted: e.Scripted,
				Arrived: micro(e.Arrived), Answered: micro(e.Answered), Status: e.Status, Left: e.Left, Code: e.Code, RetryAfter: e.RetryAfter,
			}
			if e.Until > 0 {
				until := micro(e.Until)
				x.Until = &until
			}
			s.Requests = append(s.Requests, x)
		}
		out.Scripts = append(out.Scripts, s)
	}
	return writeIndented(w, out)
}

// micro is a moment in seconds, to the microsecond.
func micro(d time.Duration) float64 { return float64(d.Microseconds()) / 1e6 }
