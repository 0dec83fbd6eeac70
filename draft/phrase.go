package draft

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"duckload/limiter"
)

// A rate is "so many requests in so much time", as people write it.
type rate struct {
	count  int64
	window time.Duration // 0: none was written
	scope  limiter.Scope
	per    string // the word that scope was read from: "user"
}

// words splits text into numbers, words and signs.
var words = regexp.MustCompile(`[0-9]+(?:[,._'][0-9]+)*|[a-z]+|[/–—;|():]|-|\.|,`)

// units are the words that may stand between a number and its time, beyond
// which nobody looks further.
const units = 8

// rates finds every rate in a text: "100 requests per minute", "10/min",
// "1,000 req/hour", "60 rpm", "5 / 15 mins per user", "1000 daily".
func rates(text string) []rate {
	tokens := split(text)
	var all []rate
	for i := 0; i < len(tokens); i++ {
		count, next, ok := amount(tokens, i)
		if !ok || i > 0 && (tokens[i-1] == "-" || tokens[i-1] == "–" || tokens[i-1] == "—") {
			continue
		}
		r, end, ok := timed(tokens, next)
		if !ok {
			continue
		}
		r.count, r.window, ok = whole(count, r.window)
		if !ok {
			continue
		}
		more, per, end := scopes(tokens, next, end)
		r.scope, r.per = more, per
		all = append(all, r)
		i = end - 1
	}
	return all
}

// split returns the words and signs of a text in small letters, numbers freed
// of what groups their digits.
func split(text string) []string {
	text = strings.ToLower(text)
	text = strings.NewReplacer("\u00a0", " ", "\u202f", " ", "\u2009", " ", "\u2011", "-").Replace(text)
	return words.FindAllString(grouped.ReplaceAllString(text, "$1$2"), 1000)
}

// grouped is a space between the digits of a large number.
var grouped = regexp.MustCompile(`\b([0-9]{1,3}) ([0-9]{3})\b`)

// amount reads a number: "1,000", "2.5", "10k". A range is none.
func amount(tokens []string, i int) (v float64, next int, ok bool) {
	if i < len(tokens) && spelled[tokens[i]] > 0 {
		return spelled[tokens[i]], i + 1, true
	}
	if i >= len(tokens) || tokens[i][0] < '0' || tokens[i][0] > '9' {
		return 0, i, false
	}
	v, ok = number(tokens[i])
	if !ok {
		return 0, i, false
	}
	next = i + 1
	if next < len(tokens) && tokens[next] == "k" {
		v, next = v*1000, next+1
	}
	if next+1 < len(tokens) && (tokens[next] == "-" || tokens[next] == "–" || tokens[next] == "—" || tokens[next] == "to") {
		if _, number := number(tokens[next+1]); number {
			return 0, i, false
		}
	}
	return v, next, true
}

// spelled are the numbers that people write as words.
var spelled = map[string]float64{"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "ten": 10, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30, "sixty": 60, "hundred": 100}

var thousands = regexp.MustCompile(`^[0-9]{1,3}(?:[,._'][0-9]{3})+$`)

// number reads digits: a separator before each three of them groups, a single
// point or comma elsewhere parts the fraction off.
func number(text string) (float64, bool) {
	if thousands.MatchString(text) {
		text = strings.NewReplacer(",", "", ".", "", "_", "", "'", "").Replace(text)
	}
	v, err := strconv.ParseFloat(strings.Replace(text, ",", ".", 1), 64)
	return v, err == nil && !math.IsInf(v, 0)
}

// timed looks for the time that a number is for, behind it.
func timed(tokens []string, from int) (r rate, end int, ok bool) {
	if from < len(tokens) {
		if w := short[tokens[from]]; w > 0 {
			return rate{window: w}, from + 1, true
		}
	}
	for i := from; i < min(len(tokens), from+units); i++ {
		switch t := tokens[i]; {
		case t == "per" || t == "/" || t == "a" || t == "an" || t == "each" || t == "every" || t == "in" || t == "within" || t == "over":
			if w, end := span(tokens, i+1); w > 0 {
				return rate{window: w}, end, true
			}
		case adverbs[t] > 0:
			return rate{window: adverbs[t]}, i + 1, true
		case t == ";" || t == "." || t == "|" || t == "," || t[0] >= '0' && t[0] <= '9':
			return rate{}, 0, false
		}
	}
	return rate{}, 0, false
}

// whole makes a count a whole number: 0.5 per second is 5 per 10 s.
func whole(count float64, window time.Duration) (int64, time.Duration, bool) {
	for range 4 {
		if count == math.Trunc(count) {
			break
		}
		count, window = math.Round(count*10*1e6)/1e6, window*10
	}
	if count < 1 || count > 1e9 || count != math.Trunc(count) {
		return 0, 0, false
	}
	return int64(count), window, true
}

var unlimited = regexp.MustCompile(`(?i)^\W*(unlimited|no (rate )?limits?|not (rate[ -])?limited|none|∞|n/?a|exempt)\W*$`)
