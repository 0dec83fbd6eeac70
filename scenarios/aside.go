package scenarios

// aside returns the phases that ask beside what is measured, and after it: what
// they spend of the allowance disturbs nothing then.
func (c *compiler) aside(group int, lanes []int) []Phase {
	return append(c.looking(group, lanes), c.expecting(group, lanes[0])...)
}
