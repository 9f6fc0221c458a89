"""The set-up of Swellbound: finds or builds an environment with DOLFINx and enters it.

Runs on the bare machine, before anything is installed: Python 3.9 and its standard library only.
"""
