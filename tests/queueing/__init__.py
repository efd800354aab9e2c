"""Hold every queue to the one contract."""
