package draft

import (
	"path"
	"strings"
)

// plans are the plans of an SLA4OAI document: what a customer of each may
// send. https://sla4oai.specs.governify.io
type plans struct {
	name    string // of the plan that is drafted: the first
	others  []string
	at      int
	parts   []value // quotas and rates, of the plan and of all plans
	trouble []Note
}

// findPlans looks for plans: in the description itself, below x-sla, or in the
// file that x-sla names.
func (d *description) findPlans(open Open) *plans {
	p := &plans{}
	sla := d.root.get("info").raw("x-sla")
	if !sla.ok() {
		sla = d.root.raw("x-sla")
	}
	name := sla.text()
	if ref := sla.raw("$ref"); ref.ok() {
		name = ref.Value
	}
	if name != "" && !strings.HasPrefix(name, "#") {
		clean := path.Clean(strings.TrimPrefix(name, "./"))
		if open == nil || path.IsAbs(clean) || strings.HasPrefix(clean, "..") || strings.Contains(clean, ":") {
			p.trouble = append(p.trouble, Note{Text: "the plans in " + name + " are not below the folder of the description, and not read", Line: sla.Line})
			return p
		}
		text, err := open(clean)
		if err == nil {
			if err = readable(clean, text); err == nil {
				sla, err = parse(clean, text)
			}
		}
		if err != nil {
			p.trouble = append(p.trouble, Note{Text: "the plans in " + name + " cannot be read: " + err.Error(), Line: d.root.get("info").raw("x-sla").at()})
			return p
		}
	}
	p.take(sla)
	return p
}

// take keeps the first plan.
func (p *plans) take(sla value) {
	for _, plan := range sla.get("plans").fields() {
		if p.name != "" {
			p.others = append(p.others, plan.name)
			continue
		}
		p.name, p.at = plan.name, plan.line
		p.parts = append(p.parts, plan.get("rates"), plan.get("quotas"))
	}
	p.parts = append(p.parts, sla.get("rates"), sla.get("quotas"))
}

// limitsOf returns what the plan says of an operation.
func (p *plans) limitsOf(method, path string) stated {
	var s stated
	for _, part := range p.parts {
		for _, route := range part.fields() {
			if !routes(route.name, path) {
				continue
			}
			for _, verb := range route.fields() {
				if verb.name != "all" && verb.name != "*" && !strings.EqualFold(verb.name, method) {
					continue
				}
				s.place = -verb.line // no line of the description
				for _, metric := range verb.fields() {
					if !strings.Contains(strings.ToLower(metric.name), "request") && len(verb.fields()) > 1 {
						continue
					}
					for _, item := range metric.items() {
						s.read(item, "plan "+p.name+": "+metric.name, 1)
					}
				}
			}
		}
	}
	return s
}

// routes reports whether a route of a plan covers a path.
func routes(route, path string) bool {
	return route == "*" || endpoint{path: route}.covers(endpoint{path: path})
}

func (p *plans) left() []Note {
	if p == nil {
		return nil
	}
	all := p.trouble
	if len(p.others) > 0 {
		all = append(all, Note{Text: "guess: the limits are those of the plan " + p.name + "; other plans: " + strings.Join(p.others, ", "), Line: p.at})
	}
	return all
}
