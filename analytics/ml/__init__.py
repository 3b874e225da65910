"""Models and statistics on data frames: a plain library that knows no web framework."""
