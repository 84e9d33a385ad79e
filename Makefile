# Python 3.11 or newer; on Windows use the plain commands in README.md.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo quick test docs bench fuzz train samples office clean

demo: $(VENV)/installed
	$(BIN)/sheetcnn build edges samples/cat.jpg -o edges.xlsx
	$(BIN)/sheetcnn check edges.xlsx

test: $(VENV)/dev office
	$(BIN)/ruff check src tests samples templates docs
	$(BIN)/ruff format --check src tests samples templates docs
	$(BIN)/mypy
	$(BIN)/pytest -n auto --dist worksteal

# Under a minute: what needs no other program and is not marked as slow.
quick: $(VENV)/dev
	$(BIN)/ruff check src tests samples templates docs
	$(BIN)/ruff format --check src tests samples templates docs
	$(BIN)/mypy
	$(BIN)/pytest -q -n auto --dist worksteal -m 'not libreoffice and not gnumeric and not torch and not slow'

# The parts of README.md and docs/ that the code knows.
docs: $(VENV)/installed
	$(BIN)/python docs/make.py

# LARGE=1 takes hours and up to 20 GB: networks of ImageNet size, in LibreOffice too; NETWORKS="squeezenet alexnet" only some.
bench: $(VENV)/bench
	$(BIN)/python $(if $(LARGE),tests/bench_large.py $(NETWORKS),tests/bench.py)

# Minutes: other random networks, formulas, gradients, PyTorch models and damaged files than `make test` has. SEED=… looks at yet others.
fuzz: $(VENV)/dev office
	NETWORKS=$${NETWORKS:-4000} FORMULAS=$${FORMULAS:-100000} SEED=$${SEED:-$$$$} \
	  $(BIN)/pytest -n auto tests/test_random.py tests/test_random_formulas.py
	NETWORKS=$${GRADIENTS:-2000} SEED=$${SEED:-$$$$} $(BIN)/pytest -n auto tests/test_gradients.py tests/test_training_formulas.py
	MODELS=$${MODELS:-200} SEED=$${SEED:-$$$$} $(BIN)/pytest -n auto tests/test_torch_models.py
	SWEEP=all SECONDS=$${SECONDS:-300} SEED=$${SEED:-$$$$} $(BIN)/pytest -n auto -s tests/test_sweep.py

# Minutes; the same weights again, to the last digit that is stored.
train: $(VENV)/installed
	$(BIN)/pip install --quiet -e '.[train]'
	$(BIN)/python templates/train.py

# Photographs come from scikit-image's data, README's pictures from LibreOffice and pdftoppm.
samples: $(VENV)/dev office
	$(BIN)/pip install --quiet scikit-image==0.26.0
	$(BIN)/python samples/make.py
	$(BIN)/python samples/mobilenet.py > samples/mobilenet-v2.toml
	$(BIN)/python templates/make_weights.py
	$(BIN)/python samples/workbooks.py
	$(BIN)/python samples/screenshots.py

# LibreOffice and Gnumeric, where they are missing and Debian's packages can be installed; elsewhere their tests are skipped.
office:
	@if ! command -v soffice >/dev/null || ! command -v ssconvert >/dev/null || ! /usr/bin/python3 -c 'import uno' 2>/dev/null; then \
	  if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qqy --no-install-recommends \
	      libreoffice-calc python3-uno gnumeric poppler-utils fonts-liberation >/dev/null; \
	  else \
	    echo 'LibreOffice or Gnumeric is missing: its tests are skipped (Debian: apt install libreoffice-calc python3-uno gnumeric poppler-utils)'; \
	  fi; \
	fi

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(BIN)/python pyproject.toml
	$(BIN)/pip install --quiet -e .
	@touch $@

$(VENV)/dev: $(BIN)/python pyproject.toml
	$(BIN)/pip install --quiet -e '.[dev]'
	@touch $@

$(VENV)/bench: $(VENV)/installed
	$(BIN)/pip install --quiet -e '.[bench]'
	@touch $@

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis
