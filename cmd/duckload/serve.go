package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"duckload/emulator"
	"duckload/limiter"
)

func (p process) emulateCommand() *cobra.Command {
	var addr, model string
	var window, service time.Duration
	var defects, variations []string
	var hooks emulator.Webhooks
	c := &cobra.Command{
		Use:   "emulate",
		Short: "Serve the Space Duck API on loopback, with a chosen limiter and defects",
		Long: "Serves the Space Duck API on loopback until it is interrupted. It keeps the\npublished limits unless it is given defects.\n\nLimiters:\n" +
			modelList() + "\nDefects:\n" + defectList() + "\nHonest variations:\n" + variationList(),
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			config, err := emulation(model, window, defects, variations)
			if service < 0 {
				err = errors.Join(err, fmt.Errorf("--service: %s is not a length of time (write 200ms)", service))
			}
			if err != nil {
				return usage(err)
			}
			config.Service, config.Webhooks = service, hooks
			config.Webhooks.Secret, _ = p.lookup("DUCKLOAD_WEBHOOK_SECRET")
			t, err := start(c.Context(), config, addr)
			if err != nil {
				return err
			}
			defer t.close()
			if err := writeTo(p.stdout, t.url+"\n"); err != nil {
				return err
			}
			<-c.Context().Done()
			return nil
		},
	}
	c.Flags().StringVar(&addr, "listen", "127.0.0.1:8080", "loopback address; port 0 takes a free one, which is printed")
	c.Flags().StringVar(&model, "limiter", "", "keep every limit with this limiter instead of the documented one")
	c.Flags().DurationVar(&window, "window", 0, "length of every window instead of a minute, such as 2s")
	c.Flags().DurationVar(&service, "service", 0, "how long each admitted request takes, such as 200ms; a limit of requests at once needs it")
	c.Flags().StringVar(&hooks.URL, "webhook", "", "deliver events to this URL; signed if DUCKLOAD_WEBHOOK_SECRET is set")
	c.Flags().StringSliceVar(&defects, "defect", nil, "break the promise in this way; may be repeated")
	c.Flags().StringSliceVar(&variations, "variation", nil, "keep the promise in this other way; may be repeated")
	return c
}

// emulation puts a configuration together; every unknown name is a mistake.
func emulation(model string, window time.Duration, defects, variations []string) (emulator.Config, error) {
	config := emulator.SpaceDuck()
	var mistakes []error
	if model != "" {
		if _, err := limiter.ModelNamed(model); err != nil {
			mistakes = append(mistakes, fmt.Errorf("--limiter: %w", err))
		}
		config.Model = model
	}
	if window < 0 {
		mistakes = append(mistakes, fmt.Errorf("--window: %s is not a length of time (write 2s)", window))
	} else if window > 0 {
		config = config.Scaled(window)
	}
	for _, name := range defects {
		d, err := emulator.DefectNamed(name)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("--defect: %w", err))
			continue
		}
		config = d.Apply(config)
	}
	for _, name := range variations {
		v, err := emulator.VariationNamed(name)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("--variation: %w", err))
			continue
		}
		config = v.Apply(config)
	}
	return config, errors.Join(mistakes...)
}

func modelList() string {
	var b strings.Builder
	for _, m := range limiter.Models {
		fmt.Fprintf(&b, "  %-26s %s\n", m.Name, m.Doc)
	}
	return b.String()
}

func defectList() string {
	var b strings.Builder
	for _, d := range emulator.Defects {
		fmt.Fprintf(&b, "  %-26s %s\n", d.Name, d.Doc)
	}
	return b.String()
}

func variationList() string {
	var b strings.Builder
	for _, v := range emulator.Variations {
		fmt.Fprintf(&b, "  %-26s %s\n", v.Name, v.Doc)
	}
	return b.String()
}

func (p process) exportCommand() *cobra.Command {
	var to, out string
	c := &cobra.Command{
		Use:   "export RUN",
		Short: "Hand the observations of a run to other tools",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			h, err := openRun(args[0])
			if err != nil {
				return err
			}
			if out == "" || out == "-" {
				err = exportRun(p.stdout, h, to)
			} else {
				err = exportFile(out, h, to)
			}
			return usage(err)
		},
	}
	var names []string
	for _, f := range exportFormats {
		names = append(names, fmt.Sprintf("%s (%s)", f.name, f.doc))
	}
	c.Flags().StringVar(&to, "to", "vegeta", strings.Join(names, "; "))
	c.Flags().StringVar(&out, "out", "", "write to this file instead of standard output")
	return c
}
