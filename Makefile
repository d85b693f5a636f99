# Polyshop: `make run` starts the fleet, `make help` says the rest.
PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: run stop status logs reset test test-long bench load staff help

run: .venv/run ## Start the stores and the fourteen services; Ctrl-C ends them
	@$(BIN)/python -m shopkit.runner run $(SERVICES)

stop: .venv/run ## End a fleet that runs in another terminal
	@$(BIN)/python -m shopkit.runner stop

status: .venv/run ## What runs where, and how much memory it takes
	@$(BIN)/python -m shopkit.runner status

logs: .venv/run ## Follow the logs (SERVICES="gateway book_service" for some)
	@$(BIN)/python -m shopkit.runner logs $(SERVICES)

reset: .venv/run ## Delete all data; the next run loads the sample data anew
	@$(BIN)/python -m shopkit.runner reset

load: .venv/run ## Load the sample data into the running fleet
	@./load_initial_data.sh

staff: .venv/run ## Make EMAIL=… an account of staff, or promote the one that is there
	@test -n "$(EMAIL)" || { echo "make: name the account: make staff EMAIL=you@example.com" >&2; exit 1; }
	@$(BIN)/python manage.py registered_customer make_staff "$(EMAIL)"

test: .venv/test ## Lint, types, import rules, and all tests
	@$(BIN)/python -m tests

test-long: .venv/test ## The checkout's simulation with 10,000 seeds (SHOP_SIMULATION_SEEDS)
	@SHOP_SIMULATION_SEEDS=$${SHOP_SIMULATION_SEEDS:-10000} $(BIN)/python -m pytest -q --tb=short -n auto order_service/tests/test_simulation.py

bench: .venv/test ## Measure the way through (needs nginx and wrk)
	@$(BIN)/python -m bench

help: ## This list
	@echo "Polyshop. Settings by environment: SHOP_DATA (folder), SHOP_PORT_OFFSET (number), SHOP_ACCESS (open|secure)."
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "make: Polyshop needs Python 3.11 or newer, and there is no $(PYTHON); install it, or name it: make run PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: Polyshop needs Python 3.11 or newer, and $(PYTHON) is older; name a newer one: make run PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "make: $(PYTHON) can't make a virtual environment; on Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }

.venv/run: requirements.txt | .venv/bin/python
	@echo "Installing what Polyshop needs into .venv (once) …"
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/test: requirements-dev.txt .venv/run
	@echo "Installing what the tests need into .venv (once) …"
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
