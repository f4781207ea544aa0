"""Telephone systems as kinds of sites have them, and what happens at them, made by hand: see docs/testing.md."""
