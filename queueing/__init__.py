"""Carry messages from the process that asks for work to the one that does it."""
