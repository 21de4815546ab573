# What there is to do here. demo, test, test-windows, test-dist, dist, suites, test-server, bench and setup install what they need, and can be
# run first in a fresh clone; the others need what these install.

.PHONY: help setup build install uninstall try-install demo test test-windows test-dist dist clients suites test-server bench soak fuzz lint clean

# Where `make install` puts the program; the library goes where SQL Server's scripts see it.
PREFIX = /usr

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 14

setup: ## install and download what the demo and the tests need
	@scripts/setup --tests

build: ## build the library and the program as they are released
	LOOPBACK_ODBC_COMMIT=$$(git rev-parse --short=12 HEAD 2>/dev/null) cargo build --release --locked -p loopback-odbc -p loopback-odbc-program

install: ## after build, as root: the program, its manual pages and completions, and `loopback-odbc install`
	@scripts/install install $(PREFIX)

uninstall: ## as root: take all of that away
	@scripts/install uninstall $(PREFIX)

try-install: ## install on this machine, connect, uninstall, and compare it with what it was before
	@scripts/try-install

demo: ## run the Python and the R example as SQL Server would, and show what happens
	@scripts/demo

test: ## formatting, lints, and all tests
	@scripts/test

test-windows: ## library and program for Windows, under Wine (Debian 12)
	@scripts/test-windows

dist: ## the files of a release, in dist/: packages of each system, of Python and of R (Debian 12)
	@scripts/dist

test-dist: ## that, and its tests in roots of Debian 11, 12 and 13, and under Wine (Debian 12)
	@scripts/test-dist

clients: ## the tests with real ODBC clients alone; writes down in docs/clients.md which were run
	@rm -f build/clients.md
	@scripts/test --test clients -- --skip the_committed_table
	cp build/clients.md docs/clients.md

suites: ## the test suites of pyodbc and SQLAlchemy, on Microsoft's driver directly and through the library
	@scripts/suites

# What else scripts/test-server is told: ARGUMENTS="--server HOST,PORT --user NAME --password-file FILE".
ARGUMENTS =

test-server: ## compare the library with Microsoft's driver on any SQL Server: ARGUMENTS="--help" says how; without, on the stand-in
	@scripts/test-server $(ARGUMENTS)

bench: ## what the library costs, into docs/performance.md
	@scripts/bench

soak: ## the property tests with a million cases each, and threads, forks and reloading for long
	cargo build --release --workspace --locked
	PROPTEST_CASES=1000000 cargo test --release --locked --lib connection_string
	bash -c '. scripts/env && LOOPBACK_ODBC_SOAK=1 exec cargo test --locked --test processes'

# How long each target of `make fuzz` runs, as a processor counts.
SECONDS = 600

fuzz: ## each way into the library with what libFuzzer thinks of, ten minutes each, or as SECONDS=60 says
	@scripts/fuzz --seconds $(SECONDS)

lint: ## formatting, lints, and the documentation of the code, below target/doc
	@scripts/lint

clean: ## remove everything that was built or downloaded
	rm -rf target dist
	rm -rf build 2>/dev/null || sudo rm -rf build
