package bench

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"duckload/history"
)

const (
	atOnce = 64     // connections
	many   = 100000 // requests of duckload's in a round
)

// nginx serves an empty answer and returns its base URL.
func nginx(b *testing.B) string {
	dir := b.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	text := fmt.Sprintf(`daemon off; master_process off; pid %[1]s/pid; error_log stderr crit;
events { worker_connections 2048; }
http {
  access_log off; keepalive_requests 1000000000;
  client_body_temp_path %[1]s/t; proxy_temp_path %[1]s/t; fastcgi_temp_path %[1]s/t; uwsgi_temp_path %[1]s/t; scgi_temp_path %[1]s/t;
  server { listen %[2]s; return 200; }
}
`, dir, address)
	if err := os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(text), 0o644); err != nil {
		b.Fatal(err)
	}
	c := exec.Command(tool(b, "nginx"), "-p", dir, "-c", "nginx.conf")
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	for range 200 {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return "http://" + address
		}
		time.Sleep(10 * time.Millisecond)
	}
	b.Fatal("nginx does not listen")
	return ""
}

// BenchmarkThroughput is how many requests a second go over 64 connections,
// every one on record with duckload and vegeta.
func BenchmarkThroughput(b *testing.B) {
	const floor, vegeta, ours = "wrk", "vegeta", "duckload, fast"
	target := nginx(b)
	r := compete(7*b.N,
		contestant{floor, func() float64 { return wrk(b, target) }},
		contestant{"bombardier", func() float64 { return bombardier(b, target) }},
		contestant{vegeta, func() float64 { return vegetaFlat(b, target) }},
		contestant{ours, func() float64 { return duckloadFlat(b, target, "fast") }},
		contestant{"duckload, net/http", func() float64 { return duckloadFlat(b, target, "standard") }},
	)
	rows := [][]string{{"tool", "requests a second", "against wrk", "against vegeta"}}
	for _, name := range r.names {
		row := []string{name, fmt.Sprintf("%.0f", r.median(name)), r.ratio(name, floor).String(), r.ratio(name, vegeta).String()}
		if name == ours {
			row[2], row[3] = r.ratio(name, floor).atLeast(0.45), r.ratio(name, vegeta).atLeast(2)
		}
		rows = append(rows, row)
	}
	table(fmt.Sprintf("Throughput: %d connections, nginx", atOnce), r.quiet(), rows...)
}

var wrkSays = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)

func wrk(b *testing.B, target string) float64 {
	out := run(b, exec.Command(tool(b, "wrk"), "-t1", "-c", strconv.Itoa(atOnce), "-d2s", target+"/x"), false)
	found := wrkSays.FindStringSubmatch(out)
	if found == nil {
		b.Fatalf("wrk said %s", out)
	}
	rate, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		b.Fatal(err)
	}
	return rate
}

func bombardier(b *testing.B, target string) float64 {
	out := run(b, exec.Command(tool(b, "bombardier"), "-c", strconv.Itoa(atOnce), "-d", "2s", "-o", "json", "-p", "r", target+"/x"), false)
	var said struct {
		Result struct {
			TimeTaken float64 `json:"timeTakenSeconds"`
			OK        float64 `json:"req2xx"`
		} `json:"result"`
	}
	if err := json.Unmarshal([]byte(out), &said); err != nil || said.Result.OK == 0 {
		b.Fatalf("bombardier said %s, %v", out, err)
	}
	return said.Result.OK / said.Result.TimeTaken
}

func vegetaFlat(b *testing.B, target string) float64 {
	dir := b.TempDir()
	targets, results := filepath.Join(dir, "targets"), filepath.Join(dir, "results")
	if err := os.WriteFile(targets, []byte("GET "+target+"/x\n"), 0o644); err != nil {
		b.Fatal(err)
	}
	n := strconv.Itoa(atOnce)
	run(b, exec.Command(tool(b, "vegeta"), "attack", "-targets", targets, "-rate", "0", "-workers", n, "-max-workers", n, "-connections", n, "-duration", "2s", "-output", results), false)
	out := run(b, exec.Command(tool(b, "vegeta"), "report", "-type", "json", results), false)
	var said struct {
		Requests float64 `json:"requests"`
		Duration float64 `json:"duration"`
	}
	if err := json.Unmarshal([]byte(out), &said); err != nil || said.Requests == 0 {
		b.Fatalf("vegeta said %s, %v", out, err)
	}
	return said.Requests / said.Duration * 1e9
}

func duckloadFlat(b *testing.B, target, transport string) float64 {
	all := observations(b, duckload(b, target, fmt.Sprintf("transport: %s, connections: %d, pacing: [{burst: %d}]", transport, atOnce, many)))
	first, last := all[0].Sent, time.Duration(0)
	for _, o := range all {
		if o.Status != 200 {
			b.Fatalf("got %+v, want an answer", o)
		}
		last = max(last, o.Done)
	}
	if len(all) != many {
		b.Fatalf("got %d observations, want %d", len(all), many)
	}
	return many / (last - first).Seconds()
}

func observations(b *testing.B, dir string) []history.Observation {
	b.Helper()
	h, err := history.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	all, err := h.Collect()
	if err != nil || h.End == nil {
		b.Fatalf("got no whole record: %v", err)
	}
	return all
}
