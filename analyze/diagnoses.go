package analyze

import (
	"slices"
	"strings"

	"duckload/limiter"
)

// A diagnosis names the usual cause of a failure where the evidence supports
// it. It is a hint beside a proof and decides nothing. To add one, list it in
// [diagnoses].
type diagnosis struct {
	name string
	doc  string

	// of returns a sentence about a failing finding; empty if the evidence
	// does not point there.
	of func(*symptoms) string
}

// Symptoms are what a diagnosis looks at.
type symptoms struct {
	*Case
	finding Finding
	limit   limiter.Limit // the one to be verified, if there is only one
	single  bool
	scoped  bool // the scope is another one, which explains everything
}

// diagnoses are tried in this order. Each is said once for a group, beside the
// first failure that it fits.
var diagnoses = []diagnosis{
	{"spoofable-key", "a header that the client may choose decides whose counter it is", func(s *symptoms) string {
		return s.disguise("forged", "%s has a counter of its own: whoever sends the header chooses his counter")
	}},
	{"per-path-bucket", "each path, or each spelling of it, has a counter of its own", perPath},
	{"counter-not-shared", "senders that should share a counter each have one", notShared},
	{"other-scope", "more senders share a counter than documented", otherScope},
	{"never-enforced", "the limit is not switched on", neverEnforced},
	{"not-held-back", "what should wait in a queue is answered at once", notHeldBack},
	{"rejects-consume", "rejected requests spend allowance", consuming},
	{"replicas", "several servers each count for themselves", replicas},
	{"one-more", "the burst is counted on top of the request that fits the rate", oneMore},
	{"window-edge", "a fixed window lets twice its limit through around its edge", windowEdge},
	{"other-reading", "another algorithm than the documented one explains the run", otherAlgorithm},
	{"remaining-not-monotonic", "what is said to remain goes up and down", upAndDown},
	{"constant-retry-after", "Retry-After does not depend on the wait", constantWait},
}

// diagnose appends to failing findings what the evidence says about causes.
func (c *Case) diagnose(findings []Finding) {
	limits := verified(c.Promise, func(limiter.Reading) bool { return true })
	said := map[string]bool{}
	scoped := slices.ContainsFunc(findings, func(f Finding) bool { return f.Check == "scope" && f.Outcome == Fail })
	for i, f := range findings {
		if f.Outcome != Fail {
			continue
		}
		s := &symptoms{Case: c, finding: f, scoped: scoped}
		if !scoped && len(limits) == 1 && len(c.Promise.Limits) == 1 && !c.tooMany() {
			s.limit, s.single = limits[0], true
		}
		for _, d := range diagnoses {
			if said[d.name] {
				continue
			}
			if sentence := d.of(s); sentence != "" && !strings.Contains(f.Message, sentence) {
				said[d.name] = true
				findings[i].Message += hinted(sentence)
				findings[i].causes = append(findings[i].causes, d.name)
			}
		}
	}
}

func (s *symptoms) is(checks ...string) bool { return slices.Contains(checks, s.finding.Check) }
