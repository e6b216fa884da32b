# Two commands on a fresh machine: `make demo` and `make test`. Both install what they need first.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv

python := $(VENV)/bin/python
pip := $(python) -m pip --disable-pip-version-check
constraints := requirements/constraints.txt
installed := $(VENV)/.ssd_plugin-installed
docs_installed := $(VENV)/.ssd_plugin-docs-installed

demo_config := configs/shapes/ssd300_r18_shapes.py
demo_dir := work_dirs/ssd300_r18_shapes

.PHONY: help setup demo test test-slow lint model-zoo docs clean
.DEFAULT_GOAL := help

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12
	@echo 'PYTHON=/path/to/python3 and VENV=/path/to/environment choose others than python3.11 and .venv.'

setup: $(installed) ## make the environment (a minute or two, no compiler needed)

# torch goes first and alone: with its version settled nothing that follows can ask for another one.
$(installed): setup.py pyproject.toml $(constraints) ssd_plugin/compatibility.py ssd_plugin/version.py
	$(PYTHON) -m venv $(VENV)
	$(pip) install --constraint $(constraints) torch setuptools wheel
	$(pip) install --constraint $(constraints) --no-build-isolation --editable '.[lite,test]'
	touch $@

data/shapes: | $(installed)
	$(python) tools/make_shapes.py $@ --images 500 --seed 0

demo: $(installed) data/shapes ## train SSD300 on drawn shapes (or go on with that), measure it, draw what it finds
	$(python) tools/train.py $(demo_config) --amp --resume
	$(python) tools/test.py $(demo_config) "$(demo_dir)/$$(cat $(demo_dir)/last_checkpoint)"
	$(python) tools/infer.py $(demo_config) "$(demo_dir)/$$(cat $(demo_dir)/last_checkpoint)" \
		$$(head -n 16 data/shapes/ImageSets/Main/val.txt | sed 's|.*|data/shapes/JPEGImages/&.jpg|') \
		--out-dir $(demo_dir)/pictures

test: $(installed) ## run the tests that take seconds
	OMP_NUM_THREADS=1 $(python) -m pytest --numprocesses auto --dist loadfile

test-slow: $(installed) ## run the tests that take minutes
	$(python) -m pytest -m 'slow or hypothesis' --hypothesis-profile slow

lint: $(installed) ## check style and types
	$(python) -m ruff check .
	$(python) -m ruff format --check .
	$(python) -m mypy ssd_plugin tools/benchmark

model-zoo: $(installed) ## write docs/model_zoo.md from the metafiles of the configs
	$(python) docs/model_zoo.py > docs/model_zoo.md

$(docs_installed): $(installed)
	$(pip) install --constraint $(constraints) --no-build-isolation --editable '.[docs]'
	touch $@

docs: $(docs_installed) ## build the documentation as a site into site/; a broken link fails
	NO_MKDOCS_2_WARNING=1 $(python) -m mkdocs build --strict

clean: ## remove builds and caches; the environment, data and training results stay
	rm -rf build dist site *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find ssd_plugin tools tests configs -name __pycache__ -type d -prune -exec rm -rf {} +
