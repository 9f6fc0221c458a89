"""Studies: one case, many points, each an ordinary run; what they come to as one table and pictures."""
