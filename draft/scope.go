package draft

import (
	"strings"

	"duckload/limiter"
)

// holders are whom people say a limit is for, and the scope that means.
var holders = map[string]limiter.Scope{
	"ip": limiter.ScopeIP, "ips": limiter.ScopeIP, "address": limiter.ScopeIP,
	"key": limiter.ScopeKey, "keys": limiter.ScopeKey, "token": limiter.ScopeKey, "user": limiter.ScopeKey, "users": limiter.ScopeKey,
	"account": limiter.ScopeKey, "app": limiter.ScopeKey, "application": limiter.ScopeKey, "client": limiter.ScopeKey,
	"store": limiter.ScopeKey, "shop": limiter.ScopeKey, "customer": limiter.ScopeKey, "tenant": limiter.ScopeKey,
	"organization": limiter.ScopeKey, "organisation": limiter.ScopeKey, "org": limiter.ScopeKey, "project": limiter.ScopeKey,
	"workspace": limiter.ScopeKey, "bot": limiter.ScopeKey, "merchant": limiter.ScopeKey, "installation": limiter.ScopeKey,
	"subscription": limiter.ScopeKey, "identity": limiter.ScopeKey, "consumer": limiter.ScopeKey, "developer": limiter.ScopeKey,
	"global": limiter.ScopeGlobal, "globally": limiter.ScopeGlobal, "everybody": limiter.ScopeGlobal, "everyone": limiter.ScopeGlobal,
	"shared": limiter.ScopeGlobal, "service": limiter.ScopeGlobal,
}

// adjectives stand before a holder: "per API key", "per access token".
var adjectives = map[string]bool{"ip": true, "api": true, "access": true, "source": true, "client": true, "authenticated": true, "unique": true, "each": true, "beak": true, "secret": true, "remote": true}

// scopes reads whom a rate is for, between the number and its time and behind
// them: "40 requests per app per minute", "15 / 15 mins per user". It returns
// where it ended.
func scopes(tokens []string, from, end int) (limiter.Scope, string, int) {
	scope, per := limiter.ScopeUnknown, ""
	for i := from; i < min(end+4, len(tokens)); i++ {
		if tokens[i] == "globally" || tokens[i] == "global" {
			return limiter.ScopeGlobal, tokens[i], max(end, i+1)
		}
		if t := tokens[i]; t != "per" && t != "/" && t != "by" {
			if i >= end && (t[0] >= '0' && t[0] <= '9' || t == ";" || t == "." || t == "," || t == "|") {
				break
			}
			continue
		}
		if s, word, next := holder(tokens, i+1); s != "" && (i < end || next <= end+4) {
			scope, per, end = s, word, max(end, next)
			if s == limiter.ScopeIP {
				break
			}
		}
	}
	return scope, per, end
}

// holder reads "user", "IP address" or "API key".
func holder(tokens []string, i int) (limiter.Scope, string, int) {
	from := i
	for i+1 < len(tokens) && adjectives[tokens[i]] && (holders[tokens[i+1]] != "" || adjectives[tokens[i+1]]) {
		i++
	}
	if i >= len(tokens) || holders[tokens[i]] == "" {
		return "", "", from
	}
	return holders[tokens[i]], strings.Join(tokens[from:i+1], " "), i + 1
}

// scopeOf reads a cell that says whom a limit is for.
func scopeOf(text string) (limiter.Scope, string) {
	tokens := split(text)
	for i := range tokens {
		if s, word, _ := holder(tokens, i); s != "" {
			return s, word
		}
	}
	return limiter.ScopeUnknown, ""
}
