# SPDX-License-Identifier: Apache-2.0
# A short front for Meson and the tools. `make help` lists what there is.
.DEFAULT_GOAL := build
SHELL := /bin/bash
B ?= build/main

build: ## build/dari
	@tools/install-packages build
	@[ -f $(B)/build.ninja ] || meson setup $(B) >/dev/null
	@ninja -C $(B) --quiet
	@ln -sf $(CURDIR)/$(B)/src/daemon/dari build/dari

install: ## dari, its manual page, completion and systemd unit, under /usr/local (DESTDIR counts); a debug build aborts at faults
	@tools/install-packages build
	@[ -f build/release/build.ninja ] || meson setup build/release --buildtype=release -Db_lto=true -Dtests=false >/dev/null
	@meson install -C build/release --quiet

deb: ## the Debian packages, into build/deb
	@tools/install-packages build deb
	@tools/deb

source: ## the source archive of the last commit, into build/source
	@tools/source

release: ## the files of a release, from its signed tag, into build/release-VERSION (docs/releasing.md)
	@tools/install-packages build deb
	@tools/release

demo: build ## a region on this machine, and what a newcomer would do with aws; IMAGE=debian: with Debian guests
	@tools/install-packages run sandbox image demo
	@$(if $(IMAGE),DARI_DEMO_IMAGE=$(IMAGE)) tools/demo up

screenshots: build ## pictures of the console's pages, into build/screenshots
	@DARI_BUILD=$(B) tools/screenshots

demo-down: ## ends the demo; leaves nothing behind
	@tools/demo down

dev: build ## a simulated region on this machine: no root, no guest (`build/dari dev --help`)
	@build/dari dev

check: build ## the quick tests: lint, unit, golden, and one machine through each face
	@tools/install-packages lint run test
	@tests/run check

test: build ## what CI runs: what always runs, and what the change concerns (ten minutes on two processors)
	@tools/install-packages
	@tests/run ci

test-all: build ## every test; records the commit in tests/last-pass.txt if all passed; RESUME=1 continues a run that was ended
	@tools/install-packages
	@tools/install-packages slow clients
	@tests/run $(if $(RESUME),--resume) all

unit golden smoke contract simulation real fault fuzz: build ## one level of tests: make real, make fault …
	@tools/install-packages
	@tests/run $@

clients: build ## tours of today's clients: NAME="boto3 az" picks some; UPDATE=1 pins the newest versions first, and prints what changed
	@tools/install-packages run test clients
	@$(if $(UPDATE),tools/clients update runtimes $(NAME))
	@tests/clients/run $(NAME)

simulate: build ## random histories of calls, faults and kills: SEED=7 tells one, HISTORIES=5000 runs many
	@$(B)/tests/simulation/simulate $(if $(SEED),--seed $(SEED)) $(if $(HISTORIES),--histories $(HISTORIES))

golden-accept: build ## rewrites the golden answers and says what changed in them; read the diff, too
	@tests/golden-accept

mutate: build ## breaks rules one by one, and says which no test notices: N=20 SEED=7 TESTS=unit, always or all; a seed goes on where it ended
	@tools/install-packages run test
	@tests/mutate.py --count $(or $(N),20) $(if $(SEED),--seed $(SEED)) $(if $(TESTS),--tests $(TESTS))

coverage: ## lines and branches that the unit and golden tests, a tour of each face and the tests of PostgreSQL take, by folder; those that none takes, and the ten worst files
	@tools/install-packages build lint run test
	@[ -f build/coverage/build.ninja ] || meson setup build/coverage -Db_coverage=true -Doptimization=0 -Ddebug=false -Dwerror=false >/dev/null
	@ninja -C build/coverage --quiet
	@find build/coverage -name '*.gcda' -delete
	@tests/run --build build/coverage unit golden smoke/10 contract/operator/postgresql; status=$$?; tests/coverage.py build/coverage; exit $$status

lint: ## layers, lengths, goto, banned calls, complexity, format
	@tools/install-packages build lint
	@[ -f $(B)/build.ninja ] || meson setup $(B) >/dev/null
	@ninja -C $(B) --quiet src/daemon/dari src/daemon/dari.8 # whose calls and commands are looked at; no test is built
	@/usr/bin/python3 tools/lint.py $(B)

format: ## rewrites the format of every C file
	@git ls-files '*.c' '*.h' | xargs clang-format-14 -i

asan: ## the unit and golden tests under AddressSanitizer and UBSan
	@[ -f build/asan/build.ninja ] || meson setup build/asan -Db_sanitize=address,undefined -Db_lundef=false >/dev/null
	@ninja -C build/asan --quiet && tests/run --build build/asan unit golden

tsan: ## the unit tests that have threads, under ThreadSanitizer
	@[ -f build/tsan/build.ninja ] || meson setup build/tsan -Db_sanitize=thread -Db_lundef=false >/dev/null
	@flock build/tsan ninja -C build/tsan --quiet && $$(setarch -R true 2>/dev/null && echo setarch -R) tests/run --build build/tsan --without stepped unit golden

bench: ## figures beside a peer's, measured in the same run
	@tools/install-packages
	@[ -f build/release/build.ninja ] || meson setup build/release --buildtype=release -Db_lto=true -Dtests=false >/dev/null
	@ninja -C build/release --quiet
	@bench/run build/release

docs: build ## docs/limits.md, and the reference pages into build/docs: coverage.md, actions.json, resources.md, dari.8
	@mkdir -p build/docs && cp $(B)/schema/resources.md build/docs/
	@build/dari dump actions >build/docs/actions.json
	@build/dari dump coverage >build/docs/coverage.md
	@build/dari dump limits >docs/limits.md
	@build/dari dump manual >build/docs/dari.8 && echo build/docs docs/limits.md

clean:
	rm -rf build

help:
	@grep -hE '^[a-z -]+:.*##' Makefile | sed 's/:.*##/ —/'

.PHONY: build install deb source release dev demo demo-down screenshots check test test-all unit golden smoke contract simulation simulate real fault fuzz golden-accept mutate coverage lint format asan tsan bench docs clean help
