// Package fleet sends one plan from many machines: what each of them sends,
// how their clocks are brought together, and how their records become one.
package fleet
