"""Logos drawn by code: the samples that the repository ships, and the truths that tests need."""
