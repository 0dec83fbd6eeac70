package analyze

import (
	"iter"
	"time"

	"duckload/history"
	"duckload/limiter"
)

// A Check asks one question of each group. To add one, write it in a file of
// its own and list it in [Checks]. It has a Watch, a Judge, or both.
type Check struct {
	ID       string // "limit.ceiling"
	Question string // "was more admitted than documented?"
	Doc      string // what it means, how it decides, under which assumptions, typical causes of failure

	// Applies reports whether a group's promise asks the question at all. What
	// nobody promised is measured, not judged.
	Applies func(limiter.Promise) bool

	// Watch returns a watcher that is shown every observation of the group in
	// the order of the record, which is no order in time.
	Watch func(*Case) Watcher

	// Judge sees the rows of the group's counter, in order of Sent.
	Judge func(*Case) []Finding
}

// A Watcher judges observations one at a time, in memory that does not grow
// with their number.
type Watcher interface {
	Observe(*history.Observation, limiter.Outcome)
	Findings() []Finding
}

// A Case is what a check is given: one group, and what was seen on its
// counter.
type Case struct {
	Header  *history.Header
	Group   int // index into Header.Groups
	Promise limiter.Promise
	Whole   bool // the record is complete: nothing was lost

	// Rows are the observations of every group that shares the counter, in
	// order of Sent. They are empty while watchers run.
	Rows []Row

	// Evidence returns what was recorded of some rows, in the same order.
	Evidence func([]Row) []Evidence

	// Apart is by how much the intervals of the rows may be wider than what was
	// measured, because several agents' clocks sent them. What follows from the
	// length of an interval, and not from its ends, must allow for that.
	apart time.Duration

	// Blur is the same where no agent sent nearly all of the rows, so that most of
	// them are that wide.
	blur time.Duration

	// All reads the group's observations again, in the order of the record.
	All func() iter.Seq2[*history.Observation, limiter.Outcome]

	// Events are the deliveries of webhooks, of all groups, in the order of
	// their arrival. Listened is until when they could arrive; 0: nobody listened.
	Events   []history.Event
	Listened time.Duration
	Blind    time.Duration // by how much what arrived may look late

	hooks []*deliveries // what events belong to; nil: nobody asked yet

	lives *lives // what looks saw; nil: nobody asked yet

	teller *teller // what answers told beyond their rows

	order *arrangement // of the rows; shared by all cases of a counter

	floor *floorResult                 // what wronglyRejected found
	fits  map[limiter.Limit]*bucketFit // what the run says about token buckets
	read  *readings                    // what explains the run
	asked bool                         // for that
	told  *headerCase                  // what headers said; nil: nothing, or nobody asked yet

	obeyed *obedience   // what came of the waits that were told
	few    *Case        // the first requests alone
	put    []hypothesis // ways to put the senders together, tested

	// service is how long the group's answers took from Sent to Done, by
	// outcome. It is complete when watchers are asked for their findings.
	service *[3]sample
}

// A Row is an observation as far as the rules about limits need it: 32 bytes,
// because there may be ten million. Whoever makes one calls [teller.tell] for
// what the answer said about time and allowance.
type Row struct {
	Sent, Answered time.Duration // Answered is history.Never if no answer came
	Ordinal        uint32        // place in the record
	Wait           Wait          // what the answer told the client to wait
	Lane           uint16        // index into Header.Lanes
	Phase          uint16        // index into Header.Phases
	Remaining      Remaining     // what the answer said is left of the allowance
	Outcome        limiter.Outcome
	Claim          uint8 // which claim about the limits the answer made; 0: none. See [teller]
}
