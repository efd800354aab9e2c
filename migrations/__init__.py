"""The database's schema as SQL files, forward only."""
