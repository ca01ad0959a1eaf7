"""Equipment and lines: what stands where, and whether the lines answer."""
