package scenarios

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Bounds of a file of identities.
const (
	maxIdentities   = 50_000
	maxIdentityFile = 32 << 20 // bytes

	// leastSecret is how long a value must be to be masked wherever it comes.
	// Shorter ones are parts of words, and masked where they are whole words.
	leastSecret = 4
)

// A row is one identity of a file: its values by the names of the columns.
type row map[string]string

// identities reads who may send. One with a file stands for as many as the
// file has rows: users.1, users.2 and so on.
func (r *reader) identities(n node) []Identity {
	entries, _ := r.entries(n)
	var all []Identity
	for _, e := range entries {
		id := Identity{Name: e.name}
		if !plainName.MatchString(e.name) {
			r.at(e.at, e.value.path, "not a name (letters, digits, '-', '_' and '.', at most 64)")
		}
		r.uses = nil
		var rows []row
		found := r.mapping(e.value, []key{
			{"file", func(n node) { rows = r.rows(n) }},
			{"headers", func(n node) { id.Headers = r.pairs(n, "header", headerName) }},
			{"query", func(n node) { id.Query = r.pairs(n, "query parameter", queryName) }},
		})
		r.inIdentity(found["file"], rows)
		if !found["file"] {
			all = append(all, id)
			r.crowds = append(r.crowds, crowd{name: e.name, of: []string{id.Name}})
			continue
		}
		s := crowd{name: e.name, rows: rows}
		for i, row := range rows {
			id.Name, id.row = fmt.Sprintf("%s.%d", e.name, i+1), row
			all, s.of = append(all, id), append(s.of, id.Name)
		}
		r.crowds = append(r.crowds, s)
	}
	return all
}

// A crowd is what a name of an identity stands for: one, or the rows of a file.
type crowd struct {
	name string
	of   []string
	rows []row
}

// A use is an interpolation whose value is known only for a request.
type use struct {
	at       node
	of, name string // "identity" and a column, or "capture" and a name
}

// inIdentity checks what the headers of an identity refer to.
func (r *reader) inIdentity(file bool, rows []row) {
	for _, u := range r.uses {
		switch {
		case u.of == "capture":
			r.bad(u.at, "${capture.%s} belongs into the requests of a group, whose setup captures it", u.name)
		case !file:
			r.bad(u.at, "${identity.%s} needs a file of identities (write file: users.csv)", u.name)
		default:
			r.column(u, rows)
		}
	}
}

// column checks that every identity of a file has a column.
func (r *reader) column(u use, rows []row) {
	for i, row := range rows {
		if _, ok := row[u.name]; ok {
			continue
		}
		var names []string
		for name := range row {
			names = append(names, name)
		}
		slices.Sort(names)
		r.bad(u.at, "identity %d of the file has no %q%s (have %s)", i+1, u.name, didYouMean(u.name, names), list(names))
		return
	}
}

// rows reads a file of identities.
func (r *reader) rows(n node) []row {
	name, ok := r.text(n)
	if !ok {
		return nil
	}
	in, err := r.open(name)
	if err != nil {
		r.bad(n, "%v", err)
		return nil
	}
	defer in.Close()
	text, err := io.ReadAll(io.LimitReader(in, maxIdentityFile+1))
	if err == nil && len(text) > maxIdentityFile {
		err = fmt.Errorf("too large (at most %d bytes)", maxIdentityFile)
	}
	var rows []row
	if err == nil {
		rows, err = parseRows(name, text)
	}
	if err == nil {
		err = sensible(rows)
	}
	if err != nil {
		r.bad(n, "%s: %s", shortened(name), oneLine(err))
		return nil
	}
	for _, row := range rows {
		for _, value := range row {
			switch {
			case len(value) >= leastSecret:
				r.secrets = append(r.secrets, value)
			case value != "":
				r.short = append(r.short, value)
			}
		}
	}
	return rows
}

func parseRows(name string, text []byte) (rows []row, err error) {
	switch strings.ToLower(path.Ext(name)) {
	case ".csv":
		return csvRows(text)
	case ".yaml", ".yml":
		err = yaml.Unmarshal(text, &rows)
	case ".json":
		err = jsonRows(text, &rows)
	default:
		err = errors.New("unknown kind of file (have .csv with a header line, .yaml and .json with a list of maps)")
	}
	return rows, err
}

func csvRows(text []byte) (rows []row, err error) {
	in := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(text), "\uFEFF")))
	in.TrimLeadingSpace = true
	header, err := in.Read()
	if err == io.EOF {
		return nil, nil
	}
	for err == nil {
		var fields []string
		if fields, err = in.Read(); err == nil {
			made := row{}
			for i, name := range header {
				made[strings.TrimSpace(name)] = fields[i]
			}
			if len(made) < len(header) {
				return nil, errors.New("line 1: a column comes twice")
			}
			rows = append(rows, made)
		}
	}
	if err == io.EOF {
		err = nil
	}
	return rows, err
}

// jsonRows reads a list of maps whose values are text, numbers or booleans.
func jsonRows(text []byte, rows *[]row) error {
	var all []map[string]any
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	if err := decoder.Decode(&all); err != nil {
		return err
	}
	for i, values := range all {
		made := row{}
		for name, v := range values {
			switch v.(type) {
			case string, json.Number, bool:
				made[name] = fmt.Sprint(v)
			default:
				return fmt.Errorf("identity %d: %s must be text", i+1, shortened(name))
			}
		}
		*rows = append(*rows, made)
	}
	return nil
}

// columnName is what may stand in ${identity.NAME} and ${capture.NAME}.
var columnName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// sensible finds what is wrong with the rows of a file, whatever its kind. It
// never repeats a value.
func sensible(rows []row) error {
	if len(rows) == 0 {
		return errors.New("holds no identity")
	}
	if len(rows) > maxIdentities {
		return fmt.Errorf("holds %d identities (at most %d)", len(rows), maxIdentities)
	}
	for i, row := range rows {
		for name, value := range row {
			if !columnName.MatchString(name) {
				return fmt.Errorf("identity %d: %q is not a name of a column (letters, digits, '-' and '_')", i+1, shortened(name))
			}
			if strings.ContainsFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
				return fmt.Errorf("identity %d: %s must not hold control characters or line ends", i+1, name)
			}
		}
	}
	return nil
}

// oneLine returns an error as one line. YAML's own show values in backticks,
// which may be secrets.
func oneLine(err error) string {
	return quoted.ReplaceAllString(strings.Join(strings.Fields(err.Error()), " "), "***")
}

var quoted = regexp.MustCompile("`[^`]*`")
