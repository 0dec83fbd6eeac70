package main

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"duckload/emulator"
)

// The pipelines of examples/ci are run here, as the servers would: each step
// in bash, which stops at the first command that fails.

// A pipeline is what one of the examples makes a machine do.
type pipeline struct {
	name  string
	steps []string          // shell scripts
	env   map[string]string // that the server sets
}

type githubStep struct {
	Name string
	Run  string
	Uses string
	If   string
	Env  map[string]string
}

func githubPipeline(t *testing.T) pipeline {
	t.Helper()
	var workflow struct {
		On          map[string]any
		Env         map[string]string
		Permissions map[string]string
		Concurrency map[string]any
		Jobs        map[string]struct {
			Steps []githubStep
		}
	}
	decode(t, "github.yml", &workflow)
	p := pipeline{name: "github.yml", env: maps.Clone(workflow.Env)}
	p.env["GITHUB_ACTIONS"], p.env["FAIL_ON"] = "true", "fail"
	for _, step := range workflow.Jobs["verify"].Steps {
		if step.Run == "" && !regexp.MustCompile(`^actions/[a-z/-]+@v\d+$`).MatchString(step.Uses) {
			t.Errorf("the step %q neither runs nor uses anything", step.Name)
		}
		if step.Run != "" && step.Name != "build" {
			p.steps = append(p.steps, step.Run)
		}
	}
	if len(workflow.On) != 3 || workflow.Concurrency["group"] == nil || workflow.Permissions["contents"] != "read" {
		t.Errorf("github.yml: got %+v, want three triggers, one run at a time, and no more rights than reading", workflow)
	}
	return p
}

func gitlabPipeline(t *testing.T) pipeline {
	t.Helper()
	var file struct {
		Stages []string
		Job    struct {
			Stage         string
			Script        []string
			Variables     map[string]string
			ResourceGroup string `yaml:"resource_group"`
			AllowFailure  struct {
				ExitCodes []int `yaml:"exit_codes"`
			} `yaml:"allow_failure"`
			Artifacts struct {
				Paths   []string
				Reports map[string]string
			}
		} `yaml:"rate limits"`
	}
	decode(t, "gitlab.yml", &file)
	job := file.Job
	if !slices.Contains(file.Stages, job.Stage) || job.ResourceGroup == "" || !slices.Equal(job.AllowFailure.ExitCodes, []int{exitInconclusive}) || job.Artifacts.Reports["junit"] == "" {
		t.Errorf("gitlab.yml: got %+v, want a known stage, one run at a time, 3 as a warning, and JUnit", file)
	}
	p := pipeline{name: "gitlab.yml", steps: []string{strings.Join(job.Script, "\n")}, env: maps.Clone(job.Variables)}
	p.env["CI"], p.env["CI_PIPELINE_SOURCE"] = "true", "schedule"
	return p
}

func decode(t *testing.T, name string, into any) {
	t.Helper()
	text := read(t, filepath.Join("..", "..", "examples", "ci", name))
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// kept is a scenario that holds on the busiest machine: its limit is not judged.
const kept = `
version: 1
name: api
target: http://127.0.0.1:1
groups:
  status: {promise: {limit: 60/2s, burst: 120, verify: false}, requests: [GET /beak/system/status], pacing: [{hold: 40/s, for: 500ms}]}
`

// brokenPromise is one that it does not keep.
const brokenPromise = `
version: 1
name: api
target: http://127.0.0.1:1
groups:
  status: {promise: {limit: 3/min, burst: 1}, requests: [GET /beak/system/status], pacing: [{hold: 40/s, for: 500ms}]}
`

func TestThePipelinesOfTheExamplesRun(t *testing.T) {
	t.Parallel() // it waits more than it works
	served, err := start(t.Context(), emulator.SpaceDuck().Scaled(2*time.Second), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(served.close)
	for _, p := range []pipeline{githubPipeline(t), gitlabPipeline(t)} {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			work := func(scenario string) (failed string, output string) {
				for _, name := range []string{"results", "reports"} {
					if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
						t.Fatal(err)
					}
				}
				if err := errors.Join(os.MkdirAll(filepath.Join(dir, "limits"), 0o755), os.WriteFile(filepath.Join(dir, "limits", "api.yaml"), []byte(scenario), 0o644)); err != nil {
					t.Fatal(err)
				}
				return p.run(t, dir, served.url)
			}
			// The first night has no baseline and becomes it; the second is compared.
			for range 2 {
				failed, output := work(kept)
				for range 2 { // a machine that became ten times as busy is no regression of the example
					if failed != "" {
						failed, output = work(kept)
					}
				}
				if failed != "" {
					t.Fatalf("failed at\n%s\nwith\n%s", failed, output)
				}
				for _, want := range []string{"reports/junit.xml", "baseline/*/verdict.json"} {
					if found, _ := filepath.Glob(filepath.Join(dir, want)); len(found) != 1 {
						t.Errorf("got %d files %s, want one", len(found), want)
					}
				}
			}
			if _, err := os.Stat(filepath.Join(dir, "reports", "compare.xml")); err != nil {
				t.Error(err)
			}
			failed, output := work(brokenPromise)
			if !strings.Contains(failed, "duckload run") {
				t.Errorf("a broken promise: failed at %q, want the run:\n%s", failed, output)
			}
			if p.name == "github.yml" && (!strings.Contains(output, "\n::error file=limits/api.yaml,line=6,") || !strings.Contains(string(read(t, filepath.Join(dir, "summary.md"))), "FAIL")) {
				t.Errorf("no annotation, or no step summary:\n%s", output)
			}
		})
	}
}

// run runs the steps until one fails as a server sees it, and returns that one.
// Like the first night, it compares only where there is a baseline.
func (p pipeline) run(t *testing.T, dir, target string) (failed, output string) {
	t.Helper()
	bin := t.TempDir()
	itself(t, bin)
	p.env["TARGET"], p.env["MARGIN"], p.env["PATH"], p.env["HOME"] = target, "1000%", bin+":"+os.Getenv("PATH"), dir
	p.env["GITHUB_WORKSPACE"], p.env["GITHUB_STEP_SUMMARY"] = dir, filepath.Join(dir, "summary.md")
	var all strings.Builder
	for _, step := range p.steps {
		if p.name == "github.yml" && strings.Contains(step, "duckload compare") && !isDir(filepath.Join(dir, "baseline")) {
			continue // its condition
		}
		c := exec.Command("bash", "-e", "-o", "pipefail", "-c", step)
		c.Dir, c.Stdout, c.Stderr = dir, &all, &all
		for name, value := range p.env {
			c.Env = append(c.Env, name+"="+value)
		}
		if err := c.Run(); err != nil {
			return step, all.String()
		}
	}
	return "", all.String()
}
