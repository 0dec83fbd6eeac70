package draft

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// A tree is a YAML or JSON document, in which references are followed.
type tree struct{ root *yaml.Node }

// A value is a place in a tree. The zero value is nothing, and everything can
// be asked of it.
type value struct {
	*yaml.Node
	in *tree
}

// A field is an entry of a map.
type field struct {
	name string
	line int
	value
}

var yamlLine = regexp.MustCompile(`line (\d+): `)

// parse reads a document.
func parse(file string, text []byte) (value, error) {
	if trimmed := strings.TrimSpace(string(text)); strings.HasPrefix(trimmed, "{") {
		// JSON may indent with tabs, YAML may not. No text in it holds a bare one.
		text = []byte(strings.ReplaceAll(string(text), "\t", " "))
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		m := Mistake{File: file, Text: "is neither YAML nor JSON: " + oneLine(strings.TrimPrefix(err.Error(), "yaml: "))}
		if found := yamlLine.FindStringSubmatch(err.Error()); found != nil {
			m.Line, _ = strconv.Atoi(found[1])
			m.Text = strings.Replace(m.Text, found[0], "", 1)
		}
		return value{}, Mistakes{m}
	}
	if len(document.Content) == 0 {
		return value{}, Mistakes{{File: file, Text: "is empty"}}
	}
	t := &tree{root: document.Content[0]}
	return value{t.root, t}, nil
}

func (v value) ok() bool { return v.Node != nil }

func (v value) at() int {
	if v.Node == nil {
		return 0
	}
	return v.Line
}

// hops bounds how many references lead from one to the next.
const hops = 16

// followed returns what an alias or a reference stands for.
func (v value) followed() value {
	for range hops {
		switch {
		case v.Node == nil:
			return v
		case v.Kind == yaml.AliasNode:
			v.Node = v.Alias
		case v.Kind == yaml.MappingNode && v.raw("$ref").ok():
			target := v.in.find(v.raw("$ref").Value)
			if !target.ok() {
				return value{}
			}
			v = target
		default:
			return v
		}
	}
	return value{}
}

// raw returns an entry of a map, as it stands.
func (v value) raw(name string) value {
	if v.Node == nil || v.Kind != yaml.MappingNode {
		return value{}
	}
	for i := 0; i+1 < len(v.Content); i += 2 {
		if v.Content[i].Value == name {
			return value{v.Content[i+1], v.in}
		}
	}
	return value{}
}

// find returns what "#/components/responses/TooMany" stands for.
func (t *tree) find(ref string) value {
	path, local := strings.CutPrefix(ref, "#")
	if !local {
		return value{}
	}
	v := value{t.root, t}
	for _, part := range strings.Split(strings.TrimPrefix(path, "/"), "/") {
		v = v.raw(strings.NewReplacer("~1", "/", "~0", "~", "%7B", "{", "%7D", "}").Replace(part))
	}
	return v
}

// get returns the value at the end of a path of keys.
func (v value) get(names ...string) value {
	v = v.followed()
	for _, name := range names {
		v = v.raw(name).followed()
	}
	return v
}

// fields returns the entries of a map.
func (v value) fields() []field {
	v = v.followed()
	if v.Node == nil || v.Kind != yaml.MappingNode {
		return nil
	}
	var all []field
	for i := 0; i+1 < len(v.Content); i += 2 {
		all = append(all, field{v.Content[i].Value, v.Content[i].Line, value{v.Content[i+1], v.in}})
	}
	return all
}

// items returns the values of a list; a single value is a list of one.
func (v value) items() []value {
	v = v.followed()
	if v.Node == nil {
		return nil
	}
	if v.Kind != yaml.SequenceNode {
		return []value{v}
	}
	var all []value
	for _, n := range v.Content {
		all = append(all, value{n, v.in})
	}
	return all
}

// text returns a value that is text or a number, else "".
func (v value) text() string {
	v = v.followed()
	if v.Node == nil || v.Kind != yaml.ScalarNode || v.Tag == "!!null" {
		return ""
	}
	return v.Value
}

func (v value) isMap() bool {
	v = v.followed()
	return v.Node != nil && v.Kind == yaml.MappingNode
}

// kind says what a value is, for a message.
func (v value) kind() string {
	switch v = v.followed(); {
	case v.Node == nil:
		return "nothing"
	case v.Kind == yaml.MappingNode:
		return "a map"
	case v.Kind == yaml.SequenceNode:
		return "a list"
	}
	return fmt.Sprintf("%q", oneLine(v.Value))
}
