"""Tests are sentences, run on the real thing."""
