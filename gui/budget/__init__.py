"""Memory budgets from the window: a set of maps, how many bytes they must fit, and what each of them then becomes."""
