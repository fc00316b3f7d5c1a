# make report    the demo study, from nothing to a report        (about 4 minutes, no GPU)
# make example   a report on results that came with the project   (half a minute, no training)
# make verify    whether the results that came with the project hold  (seconds)
# make article   the article's own study                         (hours; wants a GPU)
# make test      the tests                                       (about 8 minutes on 2 cores)
# make check-gpu whether this GPU does what training asks of it  (about 8 minutes)
# make bench     the training against a notebook's loop, here    (about 30 minutes)
# make prefetch  what a study needs from the network (study=config/readings.yaml: of another)
# make docs      the documentation as a site                     (seconds)
# Others: setup lint schemas lock audit-dependencies pictures coverage test-all test-cluster test-quarto

.DEFAULT_GOAL := report
.PHONY: setup check-gpu report article example verify docs prefetch bench test test-all test-cluster test-quarto coverage lint schemas lock audit-dependencies pictures
SHELL := /bin/bash

bin := $(CURDIR)/.venv/bin
export PATH := $(bin):$(PATH)
# Names of files are UTF-8, whatever the locale.
export PYTHONUTF8 := 1
# For two cores: two workers compute, and a third fills the time in which tests wait for others.
workers ?= 3

setup:
	@scripts/setup.sh

report: setup
	@snakemake --cores all --resources gpu=1 --configfile config/demo.yaml --quiet host reason rules
	@echo "Open results/demo/report/pt/report.html (English: en/report.html)."

# The forecast advises; it takes a few minutes on a CPU and decides nothing.
article: setup
	-@resnet-sizes forecast
	@snakemake --cores all --resources gpu=1

# The report on results that came with the project, without any training: seconds. Another of
# those in reference/: make example example=NAME.
example ?= cifar10-jpeg-scratch-32-cpu-2026-11-24
example: setup
	@python scripts/unpack_example.py $(example)
	@resnet-sizes evidence $(example) && resnet-sizes report $(example)
	@echo "Open results/$(example)/report/pt/report.html (English: en/report.html)."

# Whether the results in reference/ are what was published, and say what their runs say.
verify: setup
	@while read -r digest name; do \
	  resnet-sizes verify reference/$$name --digest $$digest || exit 1; \
	done < reference/digests.txt

# A link that leads nowhere stops it.
# (With --quiet mkdocs would not count its warnings.)
docs: setup
	@NO_MKDOCS_2_WARNING=1 mkdocs build
	@echo "Open site/index.html."

# Data and weights, for machines whose compute nodes have no network. (Snakemake takes all that
# follows --configfile for its files: the target stands before it.)
prefetch: setup
	@snakemake --cores 1 prefetch $(if $(study),--configfile $(study))

# What it finds goes to device-check.json. Without Snakemake and network: docs/running.md.
check-gpu: setup
	@resnet-sizes check-device

bench: setup
	@python benchmarks/run.py

test: setup lint
	@pytest -n $(workers) --dist loadfile --no-loadscope-reorder

# Which lines the tests reach; counting them slows the suite.
coverage: setup
	@pytest -n $(workers) --dist loadfile --no-loadscope-reorder --cov --cov-report=term

# The suite, and what takes longer: many runs that are killed, hundreds of simulated studies, real
# images, and small faults in the code, which tests should notice.
test-all: test
	@pytest -m long -rA -n $(workers) --dist loadfile --no-loadscope-reorder

# Studies on a Slurm of their own, which Debian's packages give (root; installed if missing).
# Elsewhere they are skipped, with the reason.
test-cluster: setup
	@pytest -m cluster tests/cluster -rA

# The tests of the report, those in a browser too, on what a real Quarto renders: the one on the
# PATH, or another (quarto=/opt/quarto/bin/quarto). Where there is none, its own are skipped.
quarto ?= $(shell command -v quarto)
test-quarto: setup
	@RESNET_SIZES_QUARTO='$(quarto)' pytest -rs -n $(workers) --dist loadfile --no-loadscope-reorder \
	    tests/unit/test_quarto.py tests/unit/test_report_*.py tests/unit/test_hostile_names.py \
	    tests/unit/test_number_check.py tests/browser tests/workflow/test_wrong_input.py

lint: setup
	@ruff check .
	@ruff format --check .
	@mypy
	@lint-imports
	@snakefmt --check Snakefile workflow
	@hadolint Containerfile

# What is derived from the records: JSON schemas and config/README.md.
schemas: setup
	@python scripts/write_reference.py

# The pictures in docs/, from the demo's report; needs Debian's chromium and graphviz.
pictures: report
	@python scripts/pictures.py

# The exact versions and their hashes, for the machines that pyproject.toml names ([tool.uv]). uv
# reads what packages say of themselves and downloads none.
lock: setup
	@pip install --quiet uv
	@printf 'torch==2.14.1\ntorchvision==0.29.1\n' >.venv/torch.txt
	@uv pip compile --quiet --upgrade --universal --python-version 3.11 --extra dev \
	    --generate-hashes --constraint .venv/torch.txt --no-header --no-annotate \
	    --no-emit-index-url --output-file .venv/full.txt pyproject.toml
	@{ echo "# Made by 'make lock': exact versions for Python 3.11 to 3.13 on Linux (x86-64, arm64) and macOS."; \
	   sed "s/ ; python_full_version < '3.14' and ((platform_machine == 'arm64' and sys_platform == 'darwin') or sys_platform == 'linux') / /" \
	       .venv/full.txt; } >requirements.lock

# Whether a version of the lock is known to be vulnerable; a step of docs/releasing.md.
audit-dependencies:
	@scripts/audit_dependencies.sh
