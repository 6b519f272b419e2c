"""Maps as samples: scenes of bands on one grid, labels on them, pixels, segments, and outlines of what was found."""
