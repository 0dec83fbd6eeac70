package attack

import (
	"cmp"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
	"unicode/utf8"
)

// A mask knows every secret of a run, those captured on the way included.
type mask struct {
	mu       sync.Mutex
	secrets  []string
	replacer *strings.Replacer // nil: secrets have come since
	words    map[string]bool   // secrets too short to be found in the middle of a word; nil: not asked for yet
	evidence atomic.Pointer[evidenceMask]
	shown    map[string]int // exchanges shown, by group
}

// keep adds a secret.
func (r *run) keep(secret string) {
	r.mask.mu.Lock()
	defer r.mask.mu.Unlock()
	r.mask.secrets, r.mask.replacer = append(r.mask.secrets, secret), nil
	r.mask.evidence.Store(nil)
}

// masked returns text without the secrets of the run in any form in which they
// travel: as they are, in URLs, in JSON and in base64. Values of identities
// that are very short are masked where they are whole words.
func (r *run) masked(text string) string {
	r.mask.mu.Lock()
	defer r.mask.mu.Unlock()
	if r.mask.replacer == nil {
		r.mask.replacer = cmp.Or(blanking(append(r.plan.Scenario.Secrets(), r.mask.secrets...)), strings.NewReplacer())
	}
	if r.mask.words == nil {
		r.mask.words = map[string]bool{}
		for _, s := range r.plan.Scenario.ShortSecrets() {
			r.mask.words[s] = true
		}
	}
	return withoutWords(r.mask.replacer.Replace(text), r.mask.words)
}

// withoutWords masks words: what is no part of a longer run of letters and
// digits. The longest that fits goes first.
func withoutWords(text string, words map[string]bool) string {
	if len(words) == 0 {
		return text
	}
	const longest = 3 // bytes of a short secret
	var b strings.Builder
	inside := false // the character before is of a word
next:
	for len(text) > 0 {
		for n := min(longest, len(text)); n > 0; n-- {
			if words[text[:n]] && !(inside && wordy(text)) && !(wordyLast(text[:n]) && wordy(text[n:])) {
				b.WriteString("***")
				text, inside = text[n:], false
				continue next
			}
		}
		c, size := utf8.DecodeRuneInString(text)
		inside = unicode.IsLetter(c) || unicode.IsDigit(c)
		b.WriteString(text[:size])
		text = text[size:]
	}
	return b.String()
}

// wordy reports whether a text begins with a letter or a digit.
func wordy(text string) bool {
	c, _ := utf8.DecodeRuneInString(text)
	return unicode.IsLetter(c) || unicode.IsDigit(c)
}

func wordyLast(text string) bool {
	c, _ := utf8.DecodeLastRuneInString(text)
	return unicode.IsLetter(c) || unicode.IsDigit(c)
}
