package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// The README says what is true now.

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheReadmeKnowsEveryCommand(t *testing.T) {
	text := readme(t)
	for _, c := range (process{}).root().Commands() {
		if !strings.Contains(text, "`"+c.Name()) {
			t.Errorf("the README does not mention the command %s", c.Name())
		}
	}
}

func TestThePagesNameOnlyFlagsThatExist(t *testing.T) {
	known := map[string]bool{"--help": true, "--version": true}
	for _, c := range (process{}).root().Commands() {
		for _, line := range strings.Split(c.Flags().FlagUsages(), "\n") {
			for _, word := range strings.Fields(line) {
				if strings.HasPrefix(word, "--") {
					known[word] = true
				}
			}
		}
	}
	for _, name := range documents(t) {
		text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		// What stands after -- is somebody else's command.
		ours := regexp.MustCompile("(?m) -- .*$|curl [^`\n]*|`--retry[^`\n]*`").ReplaceAllString(string(text), "")
		for _, flag := range regexp.MustCompile(`--[a-z][a-z-]+`).FindAllString(ours, -1) {
			if !known[flag] {
				t.Errorf("%s names %s, which no command has", name, flag)
			}
		}
	}
}

func TestTheReadmeHasTheExitCodes(t *testing.T) {
	text := readme(t)
	for _, code := range exitCodes {
		if !regexp.MustCompile(`\|[^|\n]*\b` + strconv.Itoa(code.status) + `\b[^|\n]*\|`).MatchString(text) {
			t.Errorf("the README's table has no row for exit status %d (%s)", code.status, code.meaning)
		}
	}
}

// Every command says what it does, and how it is called.
func TestEveryCommandHelps(t *testing.T) {
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Short == "" {
			t.Errorf("%s says nothing about itself", c.CommandPath())
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk((process{}).root())
}
