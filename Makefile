# `make` says what there is. Everything works in a fresh clone on Debian 12 or 13 with git and make; what is
# missing is installed with apt-get, as root or by sudo.
.DEFAULT_GOAL := help
ASTERISK ?= 20
SCENARIO ?=
SITE ?=
FUZZ_SECONDS ?= 20
MINUTES ?= 2
TAKEOVERS ?= 8
COUNT ?= 200
SEED ?= 1
FILES ?= common services
DOCS ?= build/site
RELEASE ?=

.PHONY: help deps build build-tests packages packages-test docs run test chaos asan tsan fuzz mutate lint bench compose-test format clean

help:
	@echo "make run           build, and run ctibus with a simulated company (ASTERISK=1.8: an old one;"
	@echo "                   SITE=/etc/ctibus: your own Asterisk and configuration, nothing simulated;"
	@echo "                   SCENARIO=11-queue-answered: a recorded Asterisk, of tests/data/ami/;"
	@echo "                   SCENARIO=freepbx-queue: a FreePBX, Issabel, MikoPBX, Wazo or queues.conf, of"
	@echo "                   tests/handmade (tests/handmade/write lists them))"
	@echo "make build         release build of the programs, in build/bin/"
	@echo "make packages      Debian packages of this version, in build/packages/"
	@echo "make packages-test installs, boots, upgrades and purges them on a bare Debian (RELEASE=trixie: built in a Debian 13)"
	@echo "make docs          the documents as a site with search, in $(DOCS)/"
	@echo "make test          all tests; the last line counts them"
	@echo "make chaos         a site under load for MINUTES=$(MINUTES), to which one fault after another happens, and one"
	@echo "                   with two states and TAKEOVERS=$(TAKEOVERS) from one to the other"
	@echo "make asan, tsan    all tests with sanitizers"
	@echo "make fuzz          each fuzz target for FUZZ_SECONDS=$(FUZZ_SECONDS)"
	@echo "make mutate        COUNT=$(COUNT) small changes of the sources (FILES=...), one at a time: which does no test notice?"
	@echo "make lint          formatting, layers, clang-tidy, cppcheck"
	@echo "make format        formats the sources"
	@echo "make bench         the load generators in bench/"
	@echo "make compose-test  builds the image and tries the containers"
	@echo "make deps          only installs the Debian packages that are missing"
	@echo "make clean         removes what was built"
	@echo ".ci/run            everything that a change must pass"

deps:
	@scripts/deps build test

# Configured once: ninja does it again by itself when a CMakeLists.txt or the set of files changes. Programs need neither
# the tests nor their packages; `make test` adds both to the same folder. Whoever begins with `make run` wants to see
# something soon: that build is not optimized, until `make build` or `make test` makes it the one that is installed.
is_set = grep -q '^$(1):BOOL=ON' build/CMakeCache.txt 2>/dev/null

build:
	@scripts/deps build
	@[ -f build/build.ninja ] && ! $(call is_set,CTIBUS_QUICK) || \
		cmake --preset release -DBUILD_TESTING=OFF -DCTIBUS_QUICK=OFF >/dev/null
	@cmake --build --preset release --target programs

build-tests: deps
	@$(call is_set,BUILD_TESTING) && ! $(call is_set,CTIBUS_QUICK) || \
		cmake --preset release -DBUILD_TESTING=ON -DCTIBUS_QUICK=OFF >/dev/null
	@cmake --build --preset release

run:
	@scripts/deps build run
	@[ -f build/build.ninja ] || cmake --preset release -DBUILD_TESTING=OFF -DCTIBUS_QUICK=ON >/dev/null
	@cmake --build --preset release --target programs
	@scripts/run --asterisk $(ASTERISK) $(if $(SCENARIO),--scenario $(SCENARIO)) $(if $(SITE),--site $(SITE))

test: build-tests
	@scripts/deps browser || echo "skipped: Chromium cannot be installed here; the web client is not tested in it"
	@scripts/deps packages || echo "skipped: what makes and tries Debian packages cannot be installed here; they are not tested"
	@scripts/deps docs || echo "skipped: mkdocs cannot be installed here; the site of the documents is not tested"
	@scripts/test

chaos: build-tests
	@CTIBUS_BIN=$(CURDIR)/build/bin CHAOS_SECONDS=$$(($(MINUTES) * 60)) CHAOS_TAKEOVERS=$(TAKEOVERS) \
		/usr/bin/python3 -m pytest -q -s -p no:cacheprovider tests/chaos

asan tsan: deps
	@cmake --preset $@ >/dev/null
	@cmake --build --preset $@
	@scripts/test --build build-$@

fuzz: deps
	@scripts/deps lint
	@cmake --preset fuzz >/dev/null
	@scripts/fuzz --build build-fuzz --seconds $(FUZZ_SECONDS)

# One for each service, in build/packages/; for the Debian on which it is run.
packages: build
	@scripts/deps packages
	@cmake --build --preset release
	@cd build && cpack -G DEB -B packages >packages.log || { cat packages.log; exit 1; }
	@ls build/packages/*.deb

# RELEASE: in a Debian of that release, which debootstrap makes, where the unit tests are run, too.
packages-test: build
	@scripts/deps test packages
	@cmake --build --preset release
	@CTIBUS_BIN=$(CURDIR)/build/bin $(if $(RELEASE),CTIBUS_DEBIAN="$(RELEASE)") \
		/usr/bin/python3 -m pytest -q -rs -p no:cacheprovider --durations=5 tests/system/test_debian.py

docs:
	@scripts/deps docs
	@mkdocs build --quiet --strict --site-dir $(abspath $(DOCS))
	@echo "$(DOCS)/index.html; for its search: /usr/bin/python3 -m http.server --bind 127.0.0.1 --directory $(DOCS)"

# For a night: with the tests of the whole system it is scripts/mutate --system.
mutate: deps
	@scripts/mutate --count $(COUNT) --seed $(SEED) $(FILES)

lint: deps
	@scripts/deps lint
	@cmake --preset dev >/dev/null
	@scripts/lint --build build-dev format layers tidy cppcheck

format:
	@scripts/deps lint
	@scripts/lint --fix format

bench: build-tests
	@bench/run

compose-test:
	@tests/compose/run

clean:
	rm -rf build build-*
