# What there is to do here. Each target can be run first, and alone, in a fresh clone.

.PHONY: help setup build demo test bench soak lint clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' $(MAKEFILE_LIST)

setup: ## install and download what the demo and the tests need
	@scripts/setup

build: ## build the library and its program, as they are released
	cargo build --release --locked -p loopback-odbc

demo: ## run the Python and the R example as SQL Server would, and show what happens
	@scripts/demo

test: ## formatting, lints, and all tests
	@scripts/test

bench: setup ## what the library adds to a connect
	cargo build --release --locked -p loopback-odbc -p standin
	@scripts/satellite --script benches/connect.py --script tests/programs/odbc.py --script tests/programs/fake_target.c \
		--prepare 'cc -shared -fPIC -I$$STAGE/unixodbc/usr/include -I$$STAGE/unixodbc/usr/include/$$(uname -m)-linux-gnu fake_target.c -o fake.so' \
		-- /usr/bin/python3 connect.py

soak: ## the property tests with a million cases each
	PROPTEST_CASES=1000000 cargo test --release --locked --lib connection_string

lint: ## formatting and lints alone; with shellcheck, where it is installed, for the scripts
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	@if command -v shellcheck >/dev/null; then shellcheck -x scripts/env scripts/lib.sh scripts/setup scripts/satellite scripts/demo scripts/test .ci/run; else echo "shellcheck is not installed: the scripts were not checked"; fi

clean: ## remove everything that was built or downloaded
	rm -rf build target
