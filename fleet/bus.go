package fleet

import "context"

// A Bus carries messages between the machines of a fleet. Told messages reach
// whoever listens at that moment; kept ones are on a disk.
type Bus interface {
	// Keep stores a message, and returns nil once it is on the disk of the
	// bus. An id that was kept already, a little while ago, is not kept again.
	Keep(ctx context.Context, subject, id string, data []byte) error

	// Kept hands over every message that is kept under a subject, which may
	// end in ".>", and then those that come, in the order of their keeping,
	// until ctx is done or take returns an error. It outlives a bus that is
	// away for a while. A message may come more than once.
	Kept(ctx context.Context, subject string, take func(data []byte) error) error

	// Forget removes what is kept under a subject.
	Forget(ctx context.Context, subject string) error

	// Hear calls take for each message that is told or asked under a subject
	// until stop is called. What take returns is the answer; nil is none.
	Hear(subject string, take func(data []byte) (answer []byte)) (stop func(), err error)

	// Tell hands a message to whoever hears it, if anybody does.
	Tell(subject string, data []byte) error

	// Ask tells a message and waits for the first answer.
	Ask(ctx context.Context, subject string, data []byte) (answer []byte, err error)
}
