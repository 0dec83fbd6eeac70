package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"sync"

	"duckload/attack"
	"duckload/emulator"
	"duckload/scenarios"
)

// A target is where a run goes: a server somewhere, or the emulator started
// for the run.
type target struct {
	url   string
	name  string // for people
	serve *emulator.Server
	close func()
}

// aim returns the target of a plan, and starts the emulator if that is it.
func (p process) aim(ctx context.Context, plan scenarios.Plan, hooks emulator.Webhooks) (target, error) {
	at := plan.Scenario.Target
	if at != scenarios.Emulator {
		return target{url: at, name: at, close: func() {}}, nil
	}
	config := emulator.SpaceDuck()
	admit(&config, plan)
	config.Webhooks = hooks
	return start(ctx, config, "127.0.0.1:0")
}

// start serves an emulator until the target is closed. It outlives ctx: what
// is under way when a run is stopped is still answered.
func start(ctx context.Context, config emulator.Config, addr string) (target, error) {
	server, err := emulator.New(config)
	if err != nil {
		return target{}, usage(err)
	}
	listener, err := emulator.Listen(ctx, addr)
	if err != nil {
		return target{}, failure{status: exitUnusable, err: fmt.Errorf("emulator: %w", err)}
	}
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	var done sync.WaitGroup
	done.Go(func() { _ = server.Serve(serving, listener) })
	return target{
		url:   "http://" + listener.Addr().String(),
		name:  "emulator on " + listener.Addr().String(),
		serve: server,
		close: func() { stop(); done.Wait() },
	}, nil
}

// admit makes the run's own emulator accept the keys of the scenario, on the
// highest tier: what they are for is not the emulator's to question. Those that
// are documented to be turned away stay what they are.
func admit(config *emulator.Config, plan scenarios.Plan) {
	for i, lane := range plan.Lanes {
		if plan.Scenario.Groups[lane.Group].Promise.Turned(lane.Identity) {
			continue
		}
		m := plan.Message(i, 0)
		for _, h := range m.Headers {
			if key, ok := strings.CutPrefix(h.Value, "Bearer "); ok && strings.EqualFold(h.Name, "Authorization") {
				config.Keys[key] = emulator.T2
			}
		}
		if at, err := url.Parse(m.Path); err == nil && at.Query().Get("beak_key") != "" {
			config.Keys[at.Query().Get("beak_key")] = emulator.T2
		}
	}
}

// dial tells the emulator which source a connection stands for, where this
// machine has no such address. Any other target needs the real one.
func (t target) dial(o *attack.Options, plan scenarios.Plan) (note string) {
	if t.serve == nil || !lacksSource(plan) {
		return ""
	}
	o.Dial = func(source netip.Addr) func(ctx context.Context, network, address string) (net.Conn, error) {
		if !source.IsValid() {
			return nil
		}
		return t.serve.DialAs(source.String())
	}
	return "this machine lacks some of the source addresses: the emulator was told in process which connection stands for which"
}

// lacksSource reports whether some source address cannot be sent from.
func lacksSource(plan scenarios.Plan) bool {
	for _, lane := range plan.Lanes {
		if !lane.Source.IsValid() {
			continue
		}
		l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(lane.Source, 0)))
		if err != nil {
			return true
		}
		l.Close()
	}
	return false
}
