package attack

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"duckload/scenarios"
)

// A pool holds the connections of a lane. It dials them when a request needs
// one, and beforehand when a burst is near.
type pool struct {
	transport *http.Transport
	dial      dial
	address   string

	mu     sync.Mutex
	spares []spare
}

// A spare is a connection that was dialled and never used.
type spare struct {
	net.Conn
	since time.Time
}

// fresh is how old a spare may be. The server may have closed an older one,
// and the request that finds out would be lost.
const fresh = 5 * time.Second

// idle is how long a connection is kept without a request. Servers and the
// boxes on the way drop them after a minute or so, not all with a word.
const idle = 50 * time.Second

func newPool(o Options, target *url.URL, by scenarios.Transport, source netip.Addr, most int) *pool {
	p := &pool{dial: dialer(o, target, by, source), address: addressOf(target)}
	p.transport = &http.Transport{
		Proxy:                  nil, // it would move the target without a word
		DialContext:            p.take,
		DialTLSContext:         p.take,
		DisableCompression:     true, // what was not asked for is not sent
		MaxIdleConnsPerHost:    most,
		IdleConnTimeout:        idle,
		MaxResponseHeaderBytes: 256 << 10,
		DisableKeepAlives:      by.OneShot && by.HTTP != 2, // there the lane ends them
	}
	if by.HTTP == 2 {
		p.transport.Protocols = new(http.Protocols)
		p.transport.Protocols.SetHTTP2(true)
	}
	return p
}

// account counts on each connection what was asked and what was answered.
func (p *pool) account(of *suspicion) {
	d := p.dial
	p.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := d(ctx, network, address)
		if err != nil {
			return nil, err
		}
		a := &account{Conn: c, order: of}
		if g := gateOf(c); g != nil {
			g.account = a
		}
		return a, nil
	}
}

// take returns a connection that was dialled beforehand, or dials one.
func (p *pool) take(ctx context.Context, network, address string) (net.Conn, error) {
	if c := p.spare(); c != nil {
		return c, nil
	}
	return p.dial(ctx, network, address)
}

// spare returns the newest spare if it is fresh.
func (p *pool) spare() net.Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.spares)
	if n == 0 {
		return nil
	}
	newest := p.spares[n-1]
	if time.Since(newest.since) > fresh {
		p.drop()
		return nil
	}
	p.spares = p.spares[:n-1]
	return newest.Conn
}

// parallel is how many connections are dialled at once.
const parallel = 32

// warm dials so many connections that n requests at once find one each. It
// only dials: a request would spend allowance. Failures are left to the
// requests, which will meet them again and put them on record.
func (p *pool) warm(ctx context.Context, n int) {
	p.discard()
	var wait sync.WaitGroup
	slots := make(chan struct{}, parallel)
	for range n {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			c, err := p.dial(ctx, "tcp", p.address)
			if err != nil {
				return
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			p.spares = append(p.spares, spare{c, time.Now()})
		})
	}
	wait.Wait()
}

func (p *pool) discard() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop()
}

func (p *pool) drop() {
	for _, c := range p.spares {
		c.Close()
	}
	p.spares = nil
}

func (p *pool) close() {
	p.discard()
	p.transport.CloseIdleConnections()
}
