# Everything runs in .venv, made from constraints.txt. `make demo` and `make test` are all one needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: demo test check slow picture clean

demo: $(INSTALLED)
	@$(BIN)/python examples/photos.py | $(BIN)/monostep predict --list-file - -o demo

test: check
	$(BIN)/python -m pytest

check: $(INSTALLED)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/pyright
	$(BIN)/lint-imports

slow: $(INSTALLED)
	$(BIN)/python -m pytest -m slow

picture: $(INSTALLED)
	$(BIN)/python examples/picture.py docs/picture.png

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) demo dist build
