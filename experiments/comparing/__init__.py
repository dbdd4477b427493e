"""An arm against the control: estimates, intervals, tests, and families of them; one by one or many at once."""
