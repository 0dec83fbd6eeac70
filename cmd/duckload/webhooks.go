package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"duckload/emulator"
	"duckload/scenarios"
)

// A mailbox is where deliveries of webhooks arrive.
type mailbox struct {
	listener net.Listener
	url      string // for somebody on this machine
	secret   string
}

// mailbox opens what a plan listens on; nil if it does not listen.
func (p process) mailbox(ctx context.Context, plan scenarios.Plan) (*mailbox, error) {
	w := plan.Scenario.Webhooks
	if w == nil {
		return nil, nil
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", w.Listen)
	if err != nil {
		return nil, usage(fmt.Errorf("webhooks.listen: %w", err))
	}
	host, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return &mailbox{listener: listener, url: "http://" + net.JoinHostPort(host, port) + w.Path, secret: w.Reveal()}, nil
}

// told is what the run's own emulator is told of it.
func (m *mailbox) told() emulator.Webhooks {
	if m == nil {
		return emulator.Webhooks{}
	}
	return emulator.Webhooks{URL: m.url, Secret: m.secret}
}

// serve hands deliveries to a handler until it is stopped.
func (m *mailbox) serve(h http.Handler) (stop func(), err error) {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
	}
	go func() { _ = server.Serve(m.listener) }()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			server.Close()
		}
	}, nil
}

// close gives the address back, served or not.
func (m *mailbox) close() {
	if m != nil {
		m.listener.Close()
	}
}
