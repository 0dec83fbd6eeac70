package limiter

var lenientCounter = Model{
	Name: "lenient-counter",
	Doc:  "A sliding-counter that admits while its estimate is below Limit, which is the same as rounding the share of the previous window down.",
	New: func(l Limit) (Limiter, error) {
		if err := windowMistakes(l); err != nil {
			return nil, err
		}
		return counter{limit: &l, down: true}, nil
	},
}
