package analyze

// Causes are the names of the diagnoses beside a finding.
func Causes(f Finding) []string { return f.causes }

// Diagnoses are the names of all diagnoses.
func Diagnoses() []string {
	var all []string
	for _, d := range diagnoses {
		all = append(all, d.name)
	}
	return all
}
