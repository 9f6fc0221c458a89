# Swellbound: every target sets up what it needs first (setup/, python3 and its standard library only).
#
#   make demo              the two demonstration electrodes, on all cores
#   make test              style, types, tests in serial, on 2 and on 3 ranks
#   make shell             a prompt inside the environment
#   make run ARGS="..."    the command line inside the environment; NP=4 starts it on 4 ranks
#   make soak              the slow tests as well
#   make setup             only the set-up
#   make clean             removes what building and testing left in this folder
#   make remove            removes the environment itself
#
# SUITE=sid make TARGET    the same on DOLFINx 0.11, in a private root of Debian sid

PYTHON ?= python3
NP     ?= 1
ARGS   ?= --help
SETUP  := $(PYTHON) setup

export SUITE

.PHONY: help demo test shell run soak setup clean remove
.NOTPARALLEL:

help:
	@sed -n 's/^#   //p' Makefile

setup:
	@$(SETUP) prepare

demo:
	@$(SETUP) enter -- python3 -m run.demo

test:
	@$(SETUP) enter -- python3 -m setup.check

soak:
	@$(SETUP) enter -- python3 -m setup.check --slow

shell:
	@$(SETUP) shell

run:
	@$(SETUP) enter --ranks $(NP) -- python3 -m run.cli $(ARGS)

clean:
	@rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

remove:
	@$(SETUP) remove
