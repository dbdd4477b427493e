"""How large, how long and how costly a test has to be, before it starts and while it runs."""
