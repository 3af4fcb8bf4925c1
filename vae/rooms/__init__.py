"""Rooms in which a class votes: counts in memory, two rounds, and nothing about a person."""
