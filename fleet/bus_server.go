package fleet

import (
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// A Server is a NATS server inside this process, for a fleet on one machine.
type Server struct {
	server *server.Server
	Access Access // to this server; its token is drawn anew each time
}

// upWithin is how long the server may take to start: it takes milliseconds.
const upWithin = 20 * time.Second

// Serve starts a bus on a free port of 127.0.0.1 that keeps messages below a
// folder, each on the disk before it is acknowledged.
func Serve(folder string) (*Server, error) {
	token := rand.Text()
	s, err := server.NewServer(&server.Options{
		ServerName: "duckload", Host: "127.0.0.1", Port: server.RANDOM_PORT,
		Authorization: token, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: folder, SyncAlways: true, MaxPayload: 1 << 20,
	})
	if err != nil {
		return nil, fmt.Errorf("bus on this machine: %w", err)
	}
	s.Start()
	if !s.ReadyForConnections(upWithin) {
		s.Shutdown()
		return nil, errors.New("bus on this machine: it does not come up")
	}
	return &Server{server: s, Access: Access{URL: "nats://" + s.Addr().String(), Token: token}}, nil
}

// Close ends the server. What it keeps stays on the disk.
func (s *Server) Close() {
	s.server.Shutdown()
	s.server.WaitForShutdown()
}
