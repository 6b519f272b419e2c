.PHONY: demo test setup help
help:  ## show this
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*## /\t/'
setup:  ## make .venv with everything but torch
	scripts/setup all
demo:  ## open the workbench: make demo [FOLDER=path/to/real/files]
	scripts/demo $(FOLDER)
test:  ## all checks and tests
	scripts/test
