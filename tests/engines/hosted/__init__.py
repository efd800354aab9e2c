"""Hosted engines against one stub of all providers."""
