# What people type. How it is done is in tools/ and in the modules that are run.
.PHONY: help install install-test run test lint check bench lock
.SILENT:

PYTHON = .venv/bin/python
# twice the processors: tests also wait, for processes that die and come back and for deadlines
WORKERS ?= 4

help:
	echo "make run      install and start the whole service; Ctrl-C stops it"
	echo "make test     install what tests need and run them all (ARGS='-k word' for some)"
	echo "make check    formatter, linter, types, import rules, then the tests"
	echo "make bench    the benchmarks"
	echo "make install  only install; the others do it by themselves"
	echo "make lock     resolve setup.cfg into the lock files (ARGS=--upgrade for newer ones)"

install:
	sh tools/install.sh requirements.lock

install-test:
	sh tools/install.sh requirements-test.lock

run: install
	exec $(PYTHON) -m service

test: install-test
	sh tools/browser.sh
	$(PYTHON) -m tests.programs
	exec $(PYTHON) -m pytest --numprocesses=$(WORKERS) --dist=worksteal $(ARGS)

lint: install-test
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	$(PYTHON) -c 'from importlinter.cli import lint_imports_command as lint; lint()' --no-logo

# side by side, for types are checked on one processor
check:
	$(MAKE) --jobs=2 lint test

bench:
	sh tools/install.sh requirements-bench.lock
	exec $(PYTHON) -m tests.bench $(ARGS)

lock:
	sh tools/lock.sh $(ARGS)
