package emulator

import "net/http"

// tier returns the tier of the key that a request shows, and whether it is
// valid.
func (s *Server) tier(r *http.Request) (Tier, bool) {
	tier, known := s.config.Keys[s.beakKey(r)]
	if !known && s.config.Faults.AnyKey {
		return T2, true
	}
	return tier, known
}

// beakKey returns the key that a request shows, as far as the server sees it.
func (s *Server) beakKey(r *http.Request) string {
	if s.config.Faults.NoQueryKey && r.Header.Get("Authorization") == "" {
		return ""
	}
	return beakKey(r)
}

// retold returns an answer as the server tells it: an error that has a code may
// be told wrongly.
func (s *Server) retold(a answer) answer {
	retell := s.config.Faults.Retell
	if retell == nil || a.code == "" {
		return a
	}
	status, code := retell(a.status, a.code)
	told := failed(status, code, http.StatusText(status))
	told.header = a.header
	return told
}

// retelling tells one code as another one, with another status.
func retelling(code string, status int, as string) func(Config) Config {
	return fault(func(f *Faults) {
		before := f.Retell
		f.Retell = func(was int, is string) (int, string) {
			if is == code {
				return status, as
			}
			if before != nil {
				return before(was, is)
			}
			return was, is
		}
	})
}

// failing fails now and then, with another status than is documented.
func failing(c Config) Config {
	c = retelling(codeInternal, http.StatusServiceUnavailable, codeInternal)(c)
	c.Faults.ErrorEvery = 5
	return c
}
