# Short names for the commands that build, show, test and install ipc.

TARGET := $(shell uname -m)-unknown-linux-musl
STATIC := target/$(TARGET)/release/ipc
# The second program, for names on other machines.
REMOTE := target/$(TARGET)/release/ipc-remote

PREFIX  ?= /usr/local
DESTDIR ?=
ROOT     = $(DESTDIR)$(PREFIX)

DOCUMENTS := share/doc/ipc-suite
SECTIONS  := $(sort $(patsubst .%,%,$(suffix $(wildcard man/*))))
# The directory of completions that zsh searches: that of packages has another name in Debian.
ZSH := site-functions
# What a package is made of.
FILES = STATIC=$(STATIC) REMOTE=$(REMOTE)

.PHONY: all help demo test test-long check static remote programs tools generate bench bench-check \
	install install-files uninstall peers picture deb dist clean

all: remote

help: ## prints this
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | expand -t 14

# The release has the same bytes wherever it is built: not the home of the user in the messages of panics.
ANYWHERE := --config 'target.$(TARGET).rustflags=["--remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)=/cargo"]'

# The release that people install: one static file. Where its target is not available, the ordinary
# build takes its place.
static: ## builds the release: one static file
	@tests/static-target $(TARGET)
	@if tests/static-target --there $(TARGET); then \
		cargo build --release --target $(TARGET) $(ANYWHERE); \
	else \
		echo 'the ordinary build takes its place' >&2; \
		cargo build --release && mkdir -p $(dir $(STATIC)) && cp target/release/ipc $(STATIC); \
	fi

# Both programs, in one build: alone, each would have the shared crates with features of its own, compiled
# for it. The cryptography of ipc-remote needs a C compiler for the target; without one, it is built for the
# host.
remote: ## builds the release with ipc-remote, for objects on servers
	@tests/static-target $(TARGET)
	@if tests/static-target --there $(TARGET) && command -v musl-gcc >/dev/null; then \
		cargo build --release --target $(TARGET) $(ANYWHERE) --package ipc-suite --package ipc-remote; \
	else \
		$(MAKE) static && cargo build --release --package ipc-remote && cp target/release/ipc-remote $(REMOTE); \
	fi

# The ordinary build, for the C library of the host, with all tests and comparisons.
programs:
	cargo test --workspace --no-run --lib --tests --benches

# Builds the release and runs a pipeline over every mechanism.
demo: static ## runs an example of every mechanism
	@IPC=$(CURDIR)/$(STATIC) tests/demo

# Installs the programs that the tests need, then runs all tests.
test: tools ## installs what the tests need, and runs all tests
	$(MAKE) check

# The tests send signals, which a caller in the background or under nohup may have ignored.
CLEAN := env --default-signal=HUP,INT,QUIT

# The tests write here what they skip.
SKIPPED := $(CURDIR)/target/skipped

# The groups of tests that run on the ordinary build as well:
# how the process, its threads and COMMANDs start:       first_process, threads, lock::run
# signals, their numbers, and calls that they interrupt: signal, storm, waiting
# users and hosts by name:                               planted, applets, sock::ports
# memory and stacks that run out:                        memory, shm::loss, mq::exec, mq::worker
# the layout of semaphores beside C programs:            sem
# every verb once, and the words for errors:             readme, machine
GLIBC := first_process threads lock::run signal storm waiting planted applets sock::ports \
	memory shm::loss mq::exec mq::worker sem:: readme machine

# Each profile is built once, both at the same time. The release is tested whole.
check: ## runs all tests
	$(MAKE) -j2 remote programs
	@rm -f $(SKIPPED)
	$(CLEAN) tests/suite '--workspace --lib'
	$(CLEAN) cargo test --workspace --test one_process --test ring
	IPC_PEERS=required IPC_SKIPPED=$(SKIPPED) IPC=$(CURDIR)/$(STATIC) $(CLEAN) tests/suite '--workspace --test cli'
	IPC_PEERS=required IPC_SKIPPED=$(SKIPPED) $(CLEAN) tests/suite '--workspace --test cli' $(GLIBC)
	IPC=$(CURDIR)/$(STATIC) $(CLEAN) tests/bats/all
	@tests/skipped $(SKIPPED)

# The long form of the tests that repeat: signals, kills and stops, and races that fail rarely.
test-long: static ## runs the tests of rare failures for longer
	IPC_LONG=$${IPC_LONG:-2000} IPC=$(CURDIR)/$(STATIC) $(CLEAN) cargo test --workspace --test cli -- long:: storm:: storms killed
	CARGO_PROFILE_TEST_OPT_LEVEL=2 IPC_LONG=1 $(CLEAN) cargo test --workspace --target-dir target/ring --test ring

tools:
	@tests/tools

# Writes the manual pages and completions.
generate: ## writes the manual pages and completions
	IPC_GENERATE=1 cargo test --workspace --test cli generated

# Compares with other programs, by ratio. Takes minutes, on a quiet machine.
bench: static ## compares with other programs, by ratio
	IPC=$(CURDIR)/$(STATIC) cargo bench

# Whether every comparison runs, in a few seconds and with the debug build: its figures mean nothing.
bench-check: ## whether the comparisons run
	IPC_BENCH=quick cargo test --workspace --benches

# Names of links to ipc, whose completion bash and fish search under these names. The scripts complete only
# what leads to ipc. In fish that would still hide the completion of the other program called fd.
NOUNS := $(shell sed -n 's/.*for name in \(.*\); do/\1/p' completions/ipc.bash)

# Under sudo there is often no cargo: then the build that is there is installed.
install: $(if $(shell command -v cargo),remote) ## installs the program, manual, completions and examples below PREFIX
	@$(MAKE) --no-print-directory install-files

# The same without a build, for packages. ipc-remote is installed if it was built.
install-files:
	install -Dm755 $(STATIC) $(ROOT)/bin/ipc
	if [ -e "$(REMOTE)" ]; then install -Dm755 $(REMOTE) $(ROOT)/bin/ipc-remote; fi
	for section in $(SECTIONS); do \
		install -d $(ROOT)/share/man/man$$section && \
		install -m644 man/*.$$section $(ROOT)/share/man/man$$section || exit; \
	done
	install -Dm644 completions/ipc.bash $(ROOT)/share/bash-completion/completions/ipc
	install -Dm644 completions/_ipc $(ROOT)/share/zsh/$(ZSH)/_ipc
	install -Dm644 completions/ipc.fish $(ROOT)/share/fish/vendor_completions.d/ipc.fish
	for noun in $(NOUNS); do \
		ln -sf ipc $(ROOT)/share/bash-completion/completions/$$noun; \
		[ $$noun = fd ] || ln -sf ipc.fish $(ROOT)/share/fish/vendor_completions.d/$$noun.fish; \
	done
	install -d $(ROOT)/$(DOCUMENTS)/docs $(ROOT)/$(DOCUMENTS)/examples
	install -m644 README.md CHANGELOG.md LICENSE $(ROOT)/$(DOCUMENTS)
	install -m644 docs/* $(ROOT)/$(DOCUMENTS)/docs
	install -m755 examples/*.sh $(ROOT)/$(DOCUMENTS)/examples
	install -m644 examples/README.md $(ROOT)/$(DOCUMENTS)/examples

# Removes what 'install' of the same version has installed, and the links of 'ipc applets' beside it.
uninstall: ## removes what 'make install' has installed
	-[ ! -x $(ROOT)/bin/ipc ] || $(ROOT)/bin/ipc applets --remove $(ROOT)/bin
	rm -f $(ROOT)/bin/ipc $(ROOT)/bin/ipc-remote
	for section in $(SECTIONS); do \
		(cd man && ls *.$$section) | (cd $(ROOT)/share/man/man$$section 2>/dev/null && xargs rm -f); \
	done; true
	rm -f $(ROOT)/share/bash-completion/completions/ipc
	rm -f $(ROOT)/share/zsh/$(ZSH)/_ipc
	rm -f $(ROOT)/share/fish/vendor_completions.d/ipc.fish
	for noun in $(NOUNS); do \
		rm -f $(ROOT)/share/bash-completion/completions/$$noun $(ROOT)/share/fish/vendor_completions.d/$$noun.fish; \
	done
	rm -rf $(ROOT)/$(DOCUMENTS)

peers: static ## measures the table of README.md: whole commands beside those of other programs
	@IPC=$(CURDIR)/$(STATIC) benches/peers

# The picture of README.md. On a quiet machine.
picture: static ## draws docs/bench.svg, the picture of README.md
	$(STATIC) bench --plot docs/bench.svg

deb: remote ## builds a package for Debian and Ubuntu in target/packages
	packaging/tree target/packages/deb /usr ZSH=vendor-completions $(FILES)
	packaging/deb target/packages/deb target/packages

dist: remote ## builds a tarball in target/packages, the same bytes on every machine
	packaging/tree target/packages/dist '' $(FILES)
	packaging/tarball target/packages/dist target/packages $(TARGET)

clean: ## removes what was built
	cargo clean
