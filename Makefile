# Two commands: `make serve` starts the server, `make test` checks everything. Both set up what they need.
PYTHON ?= python3
VENV := .venv

.PHONY: serve test bench soak hosts languages tried setup engine images server-image packages lint types pytest clean

serve: setup
	@exec $(VENV)/bin/python server.py

test: setup tried server-image packages $(VENV)/test lint types pytest

# Ours, a plain docker run and the bare interpreter side by side: make bench ARGS='--quick --json figures.json'
bench: setup $(VENV)/test
	@$(VENV)/bin/python -m tests.bench $(ARGS)

# What takes long: 3,000 runs at saturation, 200 around kills of the server, floods, an engine that fails again and again
soak: setup $(VENV)/test
	@$(VENV)/bin/python -m tests.soak $(ARGS)
	@SOAK=1 $(VENV)/bin/pytest --no-cov -s tests/runs/test_killed_server.py \
		tests/sandbox/test_engine_faults.py tests/web/test_hostile_clients.py tests/web/page/test_terminal.py

# Other hosts, booted in an emulator: make hosts ARGS='trixie sid --json hosts.json'. As root on Debian, hours
hosts: setup server-image $(VENV)/test
	@sh .ci/packages qemu-system-x86_64=qemu-system-x86 qemu-system-aarch64=qemu-system-arm \
		qemu-aarch64-static=qemu-user-static debootstrap=debootstrap ssh=openssh-client slirp4netns=slirp4netns
	@$(VENV)/bin/python -m tests.hosts $(ARGS)

# Every language there is: builds its image, proves its policy, tries its programs. Some 4 GB, a quarter of an hour
languages: setup $(VENV)/test
	@sh images/build all
	@$(VENV)/bin/pytest --no-cov -m languages tests/images

setup: $(VENV)/serve images

engine:
	@sh images/engine

# Those that are served, or others: make images LANGUAGES="java go", make images LANGUAGES=all
images: engine
	@sh images/build $(LANGUAGES)

# What the tests try beside those that are served: small images, built in seconds. `make languages` tries the others.
TRIED := c javascript bash sql perl lua
tried: engine
	@sh images/build $(TRIED)

# The server in a container, see compose.yaml.
server-image: engine $(VENV)/bin/python
	@sh images/server/build $(VENV)/bin/python

# What the tests try the server with: a Redis, the proxies, systemd's own check of the unit, gVisor, a browser, a registry.
packages:
	@sh .ci/packages redis-server=redis-server nginx=nginx caddy=caddy systemd-analyze=systemd \
		runsc=runsc chromium-headless-shell=chromium-headless-shell docker-registry=docker-registry

$(VENV)/bin/python:
	@sh .ci/python $(PYTHON) $(VENV)

$(VENV)/serve: $(VENV)/bin/python runner/requirements.txt
	@echo "python: installing the service's packages into $(VENV) ..."
	@sh .ci/install $(VENV)/bin/python runner/requirements.txt
	@touch $@

$(VENV)/test: $(VENV)/serve tests/requirements.txt runner/mcp/requirements.txt
	@echo "python: installing the tests' packages into $(VENV) ..."
	@sh .ci/install $(VENV)/bin/python tests/requirements.txt
	@touch $@

lint: $(VENV)/test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

types: $(VENV)/test
	$(VENV)/bin/mypy

# A file's tests run in one process, the longest files first, see tests/conftest.py.
pytest: $(VENV)/test
	$(VENV)/bin/pytest --numprocesses=2 --dist=loadfile --no-loadscope-reorder -m "not alone and not languages"
	$(VENV)/bin/coverage report
	$(VENV)/bin/pytest --no-cov -m alone

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .screenshots
