"""What to do: HTTP in front, the work behind. How messages and records are kept is for others."""
