// Command duckload verifies rate limits of HTTP APIs.
package main

func main() {}
