package attack

import (
	"slices"
	"testing"

	"duckload/limiter"
	"duckload/scenarios"
)

func withSecrets(secrets ...string) *run {
	r := &run{plan: scenarios.Plan{Scenario: &scenarios.Scenario{}}}
	for _, s := range secrets {
		r.keep(s)
	}
	return r
}

func TestSecretsInEvidenceAreBlanked(t *testing.T) {
	r := withSecrets("key/one-7")
	said := limiter.Fields{{Name: "Retry-After", Value: "7"}, {Name: "X-Ratelimit-Policy", Value: `"key/one-7";q=10, key%2Fone-7, a2V5L29uZS03`}}
	before := slices.Clone(said)
	got := r.blank(said)
	want := limiter.Fields{{Name: "Retry-After", Value: "7"}, {Name: "X-Ratelimit-Policy", Value: `"***";q=10, ***, ***`}}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if !slices.Equal(said, before) {
		t.Errorf("the evidence that answers share became %q", said)
	}
	r.keep("captured-later")
	if got := r.blank(limiter.Fields{{Name: "X-Ratelimit-Policy", Value: "captured-later"}}); got[0].Value != "***" {
		t.Errorf("a secret that came later: got %q", got)
	}
}

// Asterisks in place of a number would make an honest server a liar.
func TestNumbersOfALimitAreNoSecrets(t *testing.T) {
	r := withSecrets("1000", "1234567890", "60", "minute")
	said := limiter.Fields{{Name: "X-Ratelimit-Limit", Value: "1000"}, {Name: "X-Ratelimit-Reset", Value: "1234567890"}, {Name: "Ratelimit-Policy", Value: "60;w=60;per=minute"}}
	if got := r.blank(said); !slices.Equal(got, said) {
		t.Errorf("got %q, want %q", got, said)
	}
}

func TestWithoutSecretsNothingIsCopied(t *testing.T) {
	r := withSecrets()
	said := limiter.Fields{{Name: "Retry-After", Value: "7"}}
	r.blank(said)
	if n := testing.AllocsPerRun(100, func() { r.blank(said) }); n > 0 {
		t.Errorf("got %v allocations, want none", n)
	}
}
