"""Interfaces between grains: which facets they are, how they hold, touch and pass lithium."""
