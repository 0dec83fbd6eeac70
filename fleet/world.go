package fleet

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"

	"duckload/scenarios"
)

// Secrets never travel: each agent reads its own environment and files. They
// must be the same everywhere, or what the plan takes for one counter would be
// two. A Witness sees what a scenario reads, and names it in a few digits.
type Witness struct {
	env scenarios.Env
	sum hash.Hash
}

// NewWitness watches what is read from an environment, for one run.
func NewWitness(run string, env scenarios.Env) *Witness {
	return &Witness{env: env, sum: hmac.New(sha256.New, []byte(run))}
}

// Env is the environment that is watched.
func (w *Witness) Env() scenarios.Env {
	watched := w.env
	if read := w.env.Lookup; read != nil {
		watched.Lookup = func(name string) (string, bool) {
			value, ok := read(name)
			w.saw(name, fmt.Sprint(ok), []byte(value))
			return value, ok
		}
	}
	if read := w.env.ReadFile; read != nil {
		watched.ReadFile = func(name string) ([]byte, error) {
			text, err := read(name)
			w.saw(name, fmt.Sprint(err == nil), text)
			return text, err
		}
	}
	if open := w.env.Open; open != nil {
		watched.Open = func(name string) (io.ReadCloser, error) {
			file, err := open(name)
			if err != nil {
				return nil, err
			}
			defer file.Close()
			text, err := io.ReadAll(file)
			if err != nil {
				return nil, err
			}
			w.saw(name, "true", text)
			return io.NopCloser(bytes.NewReader(text)), nil
		}
	}
	return watched
}

func (w *Witness) saw(name, ok string, content []byte) {
	fmt.Fprintf(w.sum, "%d:%s %s %d:", len(name), name, ok, len(content))
	w.sum.Write(content)
}

// Name is five hexadecimal digits that depend on everything that was read, and
// on the run: enough to notice a difference, too few to guess a secret from.
func (w *Witness) Name() string { return hex.EncodeToString(w.sum.Sum(nil))[:5] }
