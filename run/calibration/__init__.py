"""Fits a few named parameters to what was measured on the electrode without lithium powder."""
