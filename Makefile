# Thin names for the commands that build, show, test and install ipc.

TARGET := $(shell uname -m)-unknown-linux-musl
STATIC := target/$(TARGET)/release/ipc
HOST   := target/release/ipc

PREFIX  ?= /usr/local
DESTDIR ?=

.PHONY: all demo test test-long check static host tools generate bench bench-check install clean

all: static

# The release that people install: one static file. Where its target cannot be had, the ordinary
# build takes its place.
static:
	@tests/static-target $(TARGET)
	@if tests/static-target --there $(TARGET); then \
		cargo build --release --target $(TARGET); \
	else \
		cargo build --release && mkdir -p $(dir $(STATIC)) && cp $(HOST) $(STATIC); \
	fi

host:
	cargo build --release

# Builds the release and runs a pipeline over every core mechanism.
demo: static
	@IPC=$(CURDIR)/$(STATIC) tests/demo

# Installs what the tests need, then runs them all, on both builds.
test: tools
	$(MAKE) check

# The tests alone. They send signals, which whoever runs them in the background or under nohup may
# have had ignored.
CLEAN := env --default-signal=HUP,INT,QUIT

# Where tests leave what they had to skip.
SKIPPED := $(CURDIR)/target/skipped

check: static host
	@rm -f $(SKIPPED)
	IPC_PEERS=required IPC_SKIPPED=$(SKIPPED) $(CLEAN) cargo test
	IPC_PEERS=required IPC_SKIPPED=$(SKIPPED) IPC=$(CURDIR)/$(STATIC) $(CLEAN) cargo test --test cli
	IPC=$(CURDIR)/$(HOST) $(CLEAN) tests/bats/all
	IPC=$(CURDIR)/$(STATIC) $(CLEAN) tests/bats/all
	@tests/skipped $(SKIPPED)

# What fails once in thousands of runs, in that many runs.
test-long: static
	IPC_LONG=$${IPC_LONG:-2000} IPC=$(CURDIR)/$(STATIC) $(CLEAN) cargo test --test cli long::

tools:
	@tests/tools

# Writes the manual pages and completions anew.
generate:
	IPC_GENERATE=1 cargo test --test cli generated

# Compares with other programs, by ratio. Takes minutes; wants a quiet machine.
bench: static host
	IPC=$(CURDIR)/$(STATIC) cargo bench

# Whether every comparison runs, in a few seconds and by the debug build: its figures mean nothing.
bench-check:
	IPC_BENCH=quick cargo test --benches

# Under sudo there is often no cargo: what was built before is installed then.
install: $(if $(shell command -v cargo),static)
	install -Dm755 $(STATIC) $(DESTDIR)$(PREFIX)/bin/ipc
	install -d $(DESTDIR)$(PREFIX)/share/man/man1
	install -m644 man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -d $(DESTDIR)$(PREFIX)/share/man/man5
	install -m644 man/*.5 $(DESTDIR)$(PREFIX)/share/man/man5
	install -Dm644 completions/ipc.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/ipc
	install -Dm644 completions/_ipc $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_ipc
	install -Dm644 completions/ipc.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/ipc.fish

clean:
	cargo clean
