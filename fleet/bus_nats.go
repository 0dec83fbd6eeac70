package fleet

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// stream is where kept messages are, and keptFor how long.
const (
	stream  = "DUCKLOAD"
	kept    = "duckload.kept"
	keptFor = 7 * 24 * time.Hour
)

// dedup is how long the bus remembers the ids of messages. A copy that comes
// later is kept twice, and does no harm: pieces say where they belong.
const dedup = 2 * time.Minute

// answerWithin bounds how long the bus may take for one message.
const answerWithin = 5 * time.Second

// A Nats is a bus on NATS with JetStream, version 2.10 or later.
type Nats struct {
	conn *nats.Conn
	js   jetstream.JetStream
}

// Dial connects to a bus, and waits for it as long as ctx lasts. Once that has
// worked, the connection comes back by itself whenever it is lost.
func Dial(ctx context.Context, a Access) (*Nats, error) {
	options, err := a.options()
	if err != nil {
		return nil, err
	}
	for {
		conn, err := nats.Connect(a.URL, options...)
		if err == nil {
			return over(conn)
		}
		if hopeless(err) {
			return nil, fmt.Errorf("bus %s: %w", a.URL, err)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("bus %s: %w (is nats-server running there, with jetstream enabled?)", a.URL, err)
		case <-time.After(reconnectWait):
		}
	}
}

const reconnectWait = 200 * time.Millisecond

// hopeless reports whether waiting does not help.
func hopeless(err error) bool {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	return errors.Is(err, nats.ErrAuthorization) || errors.Is(err, nats.ErrSecureConnRequired) ||
		errors.Is(err, nats.ErrSecureConnWanted) || errors.As(err, &unknown) || errors.As(err, &name)
}

func over(conn *nats.Conn) (*Nats, error) {
	js, err := jetstream.New(conn)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return &Nats{conn: conn, js: js}, nil
}

// Close ends the connection. What was told before is on its way.
func (n *Nats) Close() {
	_ = n.conn.FlushTimeout(time.Second)
	n.conn.Close()
}

// Seen returns our address as the bus sees it; "" if it does not say.
func (n *Nats) Seen() string {
	ip, err := n.conn.GetClientIP()
	if err != nil {
		return ""
	}
	return ip.String()
}

// Prepare makes the store for kept messages if there is none.
func (n *Nats) Prepare(ctx context.Context) error {
	_, err := n.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: stream, Description: "records of duckload's agents",
		Subjects: []string{kept + ".>"}, Storage: jetstream.FileStorage,
		MaxAge: keptFor, Duplicates: dedup,
	})
	if errors.Is(err, jetstream.ErrJetStreamNotEnabled) || errors.Is(err, nats.ErrNoResponders) {
		return errors.New("the bus keeps nothing: start nats-server with JetStream (nats-server -js, and sync_interval: always)")
	}
	if err != nil {
		return fmt.Errorf("the bus's store: %w", err)
	}
	return nil
}

func (n *Nats) Keep(ctx context.Context, subject, id string, data []byte) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	_, err := n.js.Publish(ctx, subject, data, jetstream.WithMsgID(id), jetstream.WithRetryAttempts(0))
	return err
}

func (n *Nats) Kept(ctx context.Context, subject string, take func([]byte) error) error {
	last := uint64(0)
	for ctx.Err() == nil {
		stopped, err := n.read(ctx, subject, &last, take)
		if stopped {
			return err
		}
		select { // the bus is away: what was kept there is read when it is back
		case <-ctx.Done():
		case <-time.After(reconnectWait):
		}
	}
	return ctx.Err()
}

// read hands over what is kept behind number last, until the bus is lost or
// take has had enough, which is stopped.
func (n *Nats) read(ctx context.Context, subject string, last *uint64, take func([]byte) error) (stopped bool, err error) {
	asking, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	s, err := n.js.Stream(asking, stream)
	if err != nil {
		return false, err
	}
	if s.CachedInfo().State.LastSeq < *last {
		*last = 0 // another store than before
	}
	consumer, err := s.OrderedConsumer(asking, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{subject}, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: *last + 1,
	})
	if err != nil {
		return false, err
	}
	messages, err := consumer.Messages(jetstream.PullHeartbeat(2*time.Second), jetstream.PullExpiry(5*time.Second))
	if err != nil {
		return false, err
	}
	defer messages.Stop()
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return false, err
		}
		if meta, err := m.Metadata(); err == nil {
			*last = meta.Sequence.Stream
		}
		if err := take(m.Data()); err != nil {
			return true, err
		}
	}
}

func (n *Nats) Forget(ctx context.Context, subject string) error {
	s, err := n.js.Stream(ctx, stream)
	if err != nil {
		return err
	}
	return s.Purge(ctx, jetstream.WithPurgeSubject(subject))
}

func (n *Nats) Hear(subject string, take func([]byte) []byte) (func(), error) {
	s, err := n.conn.Subscribe(subject, func(m *nats.Msg) {
		if answer := take(m.Data); answer != nil && m.Reply != "" {
			_ = m.Respond(answer) // who asks notices that nothing comes
		}
	})
	if err != nil {
		return nil, err
	}
	if err := n.conn.FlushTimeout(answerWithin); err != nil {
		return nil, errors.Join(err, s.Unsubscribe())
	}
	return func() { _ = s.Unsubscribe() }, nil
}

func (n *Nats) Tell(subject string, data []byte) error { return n.conn.Publish(subject, data) }

func (n *Nats) Ask(ctx context.Context, subject string, data []byte) ([]byte, error) {
	m, err := n.conn.RequestWithContext(ctx, subject, data)
	if err != nil {
		return nil, err
	}
	return m.Data, nil
}

var _ Bus = (*Nats)(nil)
