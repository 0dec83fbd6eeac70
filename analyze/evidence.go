package analyze

// evidenceChecks are the checks that look at what answers say, in the order in
// which they are shown.
var evidenceChecks = []Check{
	rejectStatus,
	rejectBody,
	retryAfterPresent,
	retryAfterWellFormed,
	retryAfterSufficient,
	retryAfterTight,
	headersTrue,
	latencyObjective,
	errorsObjective,
}
