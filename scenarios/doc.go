// Package scenarios says who asks, when, and against which promise. It reads
// scenario files, checks them, and spells them out as a plan. It never sends.
//
// The built-in scenarios lie here as YAML.
package scenarios
