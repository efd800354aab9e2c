"""Engines, each held to its part of the port."""
