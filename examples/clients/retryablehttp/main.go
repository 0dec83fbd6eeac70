// Command retryablehttp makes one call with hashicorp/go-retryablehttp, as it is
// without options.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/hashicorp/go-retryablehttp"
)

func main() {
	if err := call(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func call() error {
	client := retryablehttp.NewClient()
	client.Logger = nil
	request, err := retryablehttp.NewRequest(http.MethodGet, os.Getenv("DUCKLOAD_BASE_URL")+"/beak/metrics", nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("DUCKLOAD_KEY"))
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("got %s", answer.Status)
	}
	return nil
}
