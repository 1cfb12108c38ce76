"""Searching for good configurations: what varies, what judges, what is proposed, what is given up. Knows no Ray."""
