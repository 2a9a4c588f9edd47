# Short names for the commands that build, show, test and install ipc.

TARGET := $(shell uname -m)-unknown-linux-musl
STATIC := target/$(TARGET)/release/ipc
REMOTE := target/$(TARGET)/release/ipc-remote

PREFIX  ?= /usr/local
DESTDIR ?=

.PHONY: all demo test test-long check static remote programs tools generate bench bench-check install clean

all: static remote

# The release that people install: one static file. Where its target is not available, the ordinary
# build takes its place.
static:
	@tests/static-target $(TARGET)
	@if tests/static-target --there $(TARGET); then \
		cargo build --release --target $(TARGET); \
	else \
		cargo build --release && mkdir -p $(dir $(STATIC)) && cp target/release/ipc $(STATIC); \
	fi

# The program for objects on servers, which is executed beside ipc. Its cryptography needs a C compiler for
# the target; without one, it is built for the host. It comes after the release, with which it shares
# crates.
remote: static
	@if tests/static-target --there $(TARGET) && command -v musl-gcc >/dev/null; then \
		cargo build --release --target $(TARGET) --package ipc-remote; \
	else \
		cargo build --release --package ipc-remote && cp target/release/ipc-remote $(REMOTE); \
	fi

# The ordinary build, for the C library of the host, with all tests and comparisons.
programs:
	cargo test --workspace --no-run --lib --tests --benches

# Builds the release and runs a pipeline over every mechanism.
demo: static
	@IPC=$(CURDIR)/$(STATIC) tests/demo

# Installs the programs that the tests need, then runs all tests.
test: tools
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
check:
	$(MAKE) -j2 remote programs
	@rm -f $(SKIPPED)
	$(CLEAN) tests/suite '--workspace --lib'
	$(CLEAN) cargo test --test one_process --test ring
	IPC_PEERS=required IPC_SKIPPED=$(SKIPPED) IPC=$(CURDIR)/$(STATIC) $(CLEAN) tests/suite '--test cli'
	IPC_PEERS=required IPC_SKIPPED=$(SKIPPED) $(CLEAN) tests/suite '--test cli' $(GLIBC)
	IPC=$(CURDIR)/$(STATIC) $(CLEAN) tests/bats/all
	@tests/skipped $(SKIPPED)

# The long form of the tests that repeat: signals, kills and stops, and races that fail rarely.
test-long: static
	IPC_LONG=$${IPC_LONG:-2000} IPC=$(CURDIR)/$(STATIC) $(CLEAN) cargo test --test cli -- long:: storm:: storms killed
	CARGO_PROFILE_TEST_OPT_LEVEL=2 IPC_LONG=1 $(CLEAN) cargo test --target-dir target/ring --test ring

tools:
	@tests/tools

# Writes the manual pages and completions.
generate:
	IPC_GENERATE=1 cargo test --test cli generated

# Compares with other programs, by ratio. Takes minutes, on a quiet machine.
bench: static
	IPC=$(CURDIR)/$(STATIC) cargo bench

# Whether every comparison runs, in a few seconds and with the debug build: its figures mean nothing.
bench-check:
	IPC_BENCH=quick cargo test --benches

# Under sudo there is often no cargo: then the build that is there is installed.
install: $(if $(shell command -v cargo),static remote)
	install -Dm755 $(STATIC) $(DESTDIR)$(PREFIX)/bin/ipc
	if [ -e $(REMOTE) ]; then install -m755 $(REMOTE) $(DESTDIR)$(PREFIX)/bin/ipc-remote; fi
	install -d $(DESTDIR)$(PREFIX)/share/man/man1
	install -m644 man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -d $(DESTDIR)$(PREFIX)/share/man/man5
	install -m644 man/*.5 $(DESTDIR)$(PREFIX)/share/man/man5
	install -d $(DESTDIR)$(PREFIX)/share/man/man7
	install -m644 man/*.7 $(DESTDIR)$(PREFIX)/share/man/man7
	install -Dm644 completions/ipc.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/ipc
	install -Dm644 completions/_ipc $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_ipc
	install -Dm644 completions/ipc.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/ipc.fish

clean:
	cargo clean
