package scenarios

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// uniques are the kinds of unique values. To add one, make it from a word that
// no other request has.
var uniques = []struct {
	name, doc string
	make      func(word string) string
}{
	{"unique.email", "an address at example.com, which is reserved and never delivers",
		func(word string) string { return "duckload-" + word + "@example.com" }},
	{"unique.id", "letters and digits",
		func(word string) string { return word }},
	{"unique.name", "a name of two words",
		func(word string) string { return "Duck " + word }},
	{"unique.password", "upper and lower case, digits and a sign, 20 characters or more",
		func(word string) string { return "Dk7!" + word }},
	{"unique.uuid", "a UUID of version 8",
		uuid},
}

// unique returns a value that no other request of any run has. The hash keeps
// runs and groups apart, the number behind it the requests of one.
func unique(kind, run, group string, seq uint64) string {
	sum := sha256.Sum256([]byte(strconv.Itoa(len(run)) + ":" + run + group))
	word := strings.ToLower(base32.StdEncoding.EncodeToString(sum[:10])) + strconv.FormatUint(seq, 36)
	for _, u := range uniques {
		if u.name == kind {
			return u.make(word)
		}
	}
	panic("no unique value is called " + kind) // templates are checked when they are read
}

func uuid(word string) string {
	sum := sha256.Sum256([]byte(word))
	sum[6] = sum[6]&0x0f | 0x80
	sum[8] = sum[8]&0x3f | 0x80
	h := hex.EncodeToString(sum[:16])
	return fmt.Sprintf("%s-%s-%s-%s-%s", h[:8], h[8:12], h[12:16], h[16:20], h[20:])
}
