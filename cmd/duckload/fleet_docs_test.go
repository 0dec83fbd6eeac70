package main

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"duckload/fleet"
)

// fenced returns the only block of a language in a document.
func fenced(t *testing.T, document, language string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", document))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```").FindAllStringSubmatch(string(text), -1)
	if len(found) != 1 {
		t.Fatalf("%s has %d blocks of %s, want 1", document, len(found), language)
	}
	return found[0][1]
}

// understood reports what is wrong with the arguments of duckload in a
// document, as the command itself would find out before it does anything.
func understood(t *testing.T, args []string) {
	t.Helper()
	c, rest, err := process{}.root().Find(args)
	if err == nil {
		err = c.ParseFlags(rest)
	}
	if err == nil {
		err = c.ValidateArgs(c.Flags().Args())
	}
	if err != nil {
		t.Errorf("duckload %s: %v", strings.Join(args, " "), err)
		return
	}
	text := func(name string) string { v, _ := c.Flags().GetString(name); return v }
	access := fleet.Access{URL: text("nats"), CA: text("nats-ca"), Token: "from the environment"}
	if c.Name() != "agent" || access.Check() != nil || text("nats-ca") == "" && access.URL == "" {
		t.Errorf("duckload %s: it is to be an agent that finds its bus (%v)", strings.Join(args, " "), access.Check())
	}
	if name := strings.ReplaceAll(text("name"), "$(JOB_COMPLETION_INDEX)", "0"); c.Flags().Changed("name") && fleet.CheckName(name) != nil {
		t.Errorf("duckload %s: %v", strings.Join(args, " "), fleet.CheckName(name))
	}
	for _, hosts := range []string{"allow-host", "budget"} {
		if !c.Flags().Changed(hosts) {
			t.Errorf("duckload %s: an agent of an example has no --%s of its own", strings.Join(args, " "), hosts)
		}
	}
}

// The unit in the documentation starts an agent that duckload understands, and
// systemd finds nothing wrong with it.
func TestTheUnitIsRight(t *testing.T) {
	unit := fenced(t, "fleet.md", "ini")
	command := regexp.MustCompile(`(?m)^ExecStart=(\S+) (.*)$`).FindStringSubmatch(unit)
	if command == nil {
		t.Fatalf("the unit starts nothing:\n%s", unit)
	}
	understood(t, strings.Fields(command[2]))
	verify, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Fatal("systemd-analyze is missing (run make tools)")
	}
	self, err := os.Executable() // duckload is not installed where the unit says
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "duckload-agent.service")
	here := strings.Replace(unit, command[1], self, 1)
	if err := os.WriteFile(path, []byte(here), 0o644); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(verify, "verify", "--man=no", "--recursive-errors=no", path)
	c.Env = append(os.Environ(), "SYSTEMD_LOG_LEVEL=warning")
	said, err := c.CombinedOutput()
	if bytes.Contains(said, []byte("Failed to initialize manager")) {
		t.Skipf("systemd does not look at units here: %s", said)
	}
	if about := ofUnit(said); err != nil || len(about) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, said)
	}
	wrong := strings.Replace(here, "Restart=always", "Restart=sometimes", 1)
	if err := os.WriteFile(path, []byte(wrong), 0o644); err != nil {
		t.Fatal(err)
	}
	if said, _ := exec.Command(verify, "verify", "--man=no", path).CombinedOutput(); len(ofUnit(said)) == 0 {
		t.Errorf("a unit that restarts sometimes is taken for right: %s", said)
	}
}

// ofUnit returns what systemd says of our unit, not of others on this machine.
func ofUnit(said []byte) (lines []string) {
	for line := range strings.Lines(string(said)) {
		if strings.Contains(line, "duckload-agent.service") {
			lines = append(lines, line)
		}
	}
	return lines
}

// A job is as much of a Kubernetes Job, batch/v1, as the example has. What is
// not here is a mistake.
type job struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   struct{ Name string }
	Spec       struct {
		CompletionMode           string `yaml:"completionMode"`
		Completions, Parallelism *int
		BackoffLimit             *int `yaml:"backoffLimit"`
		Template                 struct {
			Spec struct {
				RestartPolicy string `yaml:"restartPolicy"`
				HostNetwork   bool   `yaml:"hostNetwork"`
				Affinity      struct {
					PodAntiAffinity struct {
						Required []struct {
							LabelSelector struct {
								MatchLabels map[string]string `yaml:"matchLabels"`
							} `yaml:"labelSelector"`
							TopologyKey string `yaml:"topologyKey"`
						} `yaml:"requiredDuringSchedulingIgnoredDuringExecution"`
					} `yaml:"podAntiAffinity"`
				}
				Containers []struct {
					Name, Image string
					Args        []string
					Env         []struct {
						Name      string
						ValueFrom struct {
							SecretKeyRef struct{ Name, Key string } `yaml:"secretKeyRef"`
						} `yaml:"valueFrom"`
					}
					VolumeMounts []struct {
						Name      string
						MountPath string `yaml:"mountPath"`
					} `yaml:"volumeMounts"`
				}
				Volumes []struct {
					Name      string
					EmptyDir  *struct{}              `yaml:"emptyDir"`
					ConfigMap *struct{ Name string } `yaml:"configMap"`
				}
			}
		}
	}
}

// The manifest in the documentation is a Job whose agents duckload understands,
// whose volumes are there, and which starts no agent twice.
func TestTheManifestIsRight(t *testing.T) {
	text := fenced(t, "fleet.md", "yaml")
	decoder := yaml.NewDecoder(strings.NewReader(text))
	decoder.KnownFields(true)
	var j job
	if err := decoder.Decode(&j); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	s := j.Spec
	if j.APIVersion != "batch/v1" || j.Kind != "Job" || j.Metadata.Name == "" || s.CompletionMode != "Indexed" || s.Completions == nil || s.Parallelism == nil || *s.Completions != *s.Parallelism {
		t.Errorf("it is no Indexed Job that runs all of its pods at once: %+v", j)
	}
	pod := s.Template.Spec
	if s.BackoffLimit == nil || *s.BackoffLimit != 0 || pod.RestartPolicy != "Never" {
		t.Error("an agent that died would be started again, halfway through a run")
	}
	if all := pod.Affinity.PodAntiAffinity.Required; len(all) != 1 || all[0].LabelSelector.MatchLabels["job-name"] != j.Metadata.Name || all[0].TopologyKey != "kubernetes.io/hostname" {
		t.Errorf("two agents may share a node, and its address: %+v", all)
	}
	volumes := map[string]bool{}
	for _, v := range pod.Volumes {
		if volumes[v.Name] = true; v.EmptyDir == nil && v.ConfigMap == nil {
			t.Errorf("volume %s is nothing", v.Name)
		}
	}
	if len(pod.Containers) != 1 {
		t.Fatalf("%d containers, want 1", len(pod.Containers))
	}
	c := pod.Containers[0]
	understood(t, c.Args)
	var mounted []string
	for _, m := range c.VolumeMounts {
		if mounted = append(mounted, m.MountPath); !volumes[m.Name] {
			t.Errorf("volume %s is mounted, and there is none (have %v)", m.Name, slices.Sorted(maps.Keys(volumes)))
		}
	}
	for _, flag := range []string{"--dir", "--nats-ca"} {
		at := slices.Index(c.Args, flag) + 1
		if !slices.ContainsFunc(mounted, func(m string) bool { return strings.HasPrefix(c.Args[at], m) }) {
			t.Errorf("%s %s is on no volume (have %v)", flag, c.Args[at], mounted)
		}
	}
	if len(c.Env) != 1 || c.Env[0].Name != tokenVariable || c.Env[0].ValueFrom.SecretKeyRef.Key == "" {
		t.Errorf("the token is not in $%s: %+v", tokenVariable, c.Env)
	}
}
