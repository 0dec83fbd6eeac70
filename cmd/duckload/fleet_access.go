package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"duckload/fleet"
)

// The environment that says how to get onto a bus. Secrets never stand in a
// flag, where every process of the machine could read them.
const tokenVariable = "DUCKLOAD_NATS_TOKEN"

// accessFlags are the flags that say where the bus of a fleet is.
func accessFlags(c *cobra.Command, a *fleet.Access) {
	c.Flags().StringVar(&a.URL, "nats", "", "where the fleet meets: nats://host:4222 or tls://host:4222, several separated by commas; a token comes from $"+tokenVariable)
	c.Flags().StringVar(&a.Nkey, "nats-nkey", "", "file with the seed of an nkey")
	c.Flags().StringVar(&a.Creds, "nats-creds", "", "file of NATS credentials")
	c.Flags().StringVar(&a.CA, "nats-ca", "", "file of roots that certify the server")
	c.Flags().StringVar(&a.Cert, "nats-cert", "", "file of our own certificate, with --nats-key")
	c.Flags().StringVar(&a.Key, "nats-key", "", "file of the key of --nats-cert")
	c.Flags().BoolVar(&a.Plain, "nats-plaintext", false, "speak to a server on another machine without TLS")
}

// access completes what the flags say.
func (p process) access(a fleet.Access, name string) fleet.Access {
	a.Name = "duckload " + name
	if a.Token == "" {
		a.Token, _ = p.lookup(tokenVariable)
	}
	return a
}

// A crew is what the flags of run say of a fleet.
type crew struct {
	agents int
	access fleet.Access
	wait   time.Duration
	lead   time.Duration
}

func (f *crew) flags(c *cobra.Command) {
	c.Flags().IntVar(&f.agents, "agents", 0, "send from this many agents: those that --nats finds, or without it as many processes on this machine")
	c.Flags().DurationVar(&f.wait, "agent-wait", 30*time.Second, "how long to wait for agents to come, and at the end for their records")
	c.Flags().DurationVar(&f.lead, "agent-lead", 3*time.Second, "how far ahead the common start is set")
	accessFlags(c, &f.access)
}

// asked reports whether a fleet is to send.
func (f *crew) asked(c *cobra.Command) bool {
	return c.Flags().Changed("agents") || f.access.URL != ""
}

// local reports whether the fleet is on this machine alone, and ours.
func (f *crew) local() bool { return f.access.URL == "" }

func (f *crew) check(p process) error {
	var wrong []error
	if f.agents < 1 || f.agents > mostAgents {
		wrong = append(wrong, errors.New("--agents: must be from 1 to 256"))
	}
	if f.wait <= 0 || f.lead <= 0 {
		wrong = append(wrong, errors.New("--agent-wait and --agent-lead: must be above 0"))
	}
	if p.debug {
		wrong = append(wrong, errors.New("--debug: shows the exchanges of one machine (run without --agents)"))
	}
	return errors.Join(wrong...)
}

// mostAgents bounds a fleet: beyond it the call would take longer than the run.
const mostAgents = 256
