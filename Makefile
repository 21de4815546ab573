# What there is to do here. demo, test, bench and setup install what they need, and can be run first in a fresh clone; the others
# need what these install.

.PHONY: help setup build demo test bench soak lint clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' $(MAKEFILE_LIST)

setup: ## install and download what the demo and the tests need
	@scripts/setup

build: ## build the library as it is released
	cargo build --release --locked -p loopback-odbc

demo: ## run the Python and the R example as SQL Server would, and show what happens
	@scripts/demo

test: ## formatting, lints, and all tests
	@scripts/test

bench: ## what the library costs, into docs/performance.md
	@scripts/bench

soak: ## the property tests with a million cases each
	PROPTEST_CASES=1000000 cargo test --release --locked --lib connection_string

lint: ## formatting and lints alone; with shellcheck, where it is installed, for the scripts
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	@if command -v shellcheck >/dev/null; then shellcheck -x scripts/env scripts/lib.sh scripts/setup scripts/satellite scripts/demo scripts/test scripts/bench .ci/run; else echo "shellcheck is not installed: the scripts were not checked"; fi

clean: ## remove everything that was built or downloaded
	rm -rf build target
