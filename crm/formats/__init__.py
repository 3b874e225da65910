"""Where Django's own formats are not what business readers expect."""
