"""Reads report files as they come: encoding, line ends, separators, numbers and days; nothing is guessed."""
