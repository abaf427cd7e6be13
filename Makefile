# SPDX-License-Identifier: ISC
#
# One Makefile, GNU make, no configure step.  Everything built goes into $(B).
#
#   make [CC= STRIP= CFLAGS= LDFLAGS= SANITIZE=address,undefined V=1 B=dir]
#        [WITH_LIBCAP=yes WITH_MRDISC=no WITH_HOST=no]
#   make static | check [T="WORD..."] | handover [T=] | handover-faults | doctor
#   make vm KERNEL=IMAGE MODULES=lib/modules/VERSION [T=] | cures
#   make bench [N=...] | profile [N=...] | fuzz [FUZZ_SECONDS=60] | soak [SOAK_SECONDS=3600]
#   make bloat | demo | clean
#   make cppcheck | clang-tidy
#   make static WITH_HOST=no: for an initramfs, without `smcroute-check -H` and `doctor`
#   make install [PREFIX= DESTDIR= SYSCONFDIR= RUNSTATEDIR= NATIVE=]
#
# A change of compiler or flags rebuilds what depends on it: see $(B)/.flags.

RELEASE     = 0.1

B           = build
PREFIX      = /usr/local
DESTDIR     =
SYSCONFDIR  = /etc
RUNSTATEDIR = /var/run
WITH_LIBCAP = no
WITH_MRDISC = yes
WITH_HOST   = yes
SANITIZE    =
V           = 0
STRIP       = strip
CFLAGS      = -O2 -gdwarf-4
LDFLAGS     =

SBINDIR     = $(PREFIX)/sbin
MANDIR      = $(PREFIX)/share/man
BASHDIR     = $(PREFIX)/share/bash-completion/completions
ZSHDIR      = $(PREFIX)/share/zsh/site-functions
DOCDIR      = $(PREFIX)/share/doc/smcroute
APPLETS     = smcrouted smcroutectl smcroute-check

# A tag when there is one, else the release with the commit; a VERSION file in a tarball.
VERSION    := $(shell cat VERSION 2>/dev/null || \
	{ test -e .git && git describe --tags --match 'v[0-9]*' --dirty 2>/dev/null | sed 's/^v//' | grep . ; } || \
	{ test -e .git && git describe --always --dirty --exclude '*' 2>/dev/null | \
		sed 's/^/$(RELEASE)-g/' | grep . ; } || \
	echo $(RELEASE))

WARNINGS    = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	      -Wpointer-arith -Wcast-qual -Wsign-compare -Wvla -Wformat=2
DEFINES     = -D_GNU_SOURCE -DSYSCONFDIR='"$(SYSCONFDIR)"' -DRUNSTATEDIR='"$(RUNSTATEDIR)"' \
	      -DWITH_LIBCAP=$(if $(filter yes,$(WITH_LIBCAP)),1,0) \
	      -DWITH_MRDISC=$(if $(filter yes,$(WITH_MRDISC)),1,0) \
	      -DWITH_HOST=$(if $(filter yes,$(WITH_HOST)),1,0)
LDLIBS      = $(if $(filter yes,$(WITH_LIBCAP)),-lcap)
SANFLAGS    = $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=undefined -fno-omit-frame-pointer)

# musl-gcc brings a libc without the kernel's headers: link those in, and nothing else.
ifneq ($(filter %musl-gcc,$(CC)),)
MUSL_DIR    = $(B)/linux-headers
MUSL_STAMP  = $(MUSL_DIR)/linux
MUSL_FLAGS  = -isystem $(MUSL_DIR)
endif

# Armour.  CFLAGS and LDFLAGS stand behind it and have the last word.  _FORTIFY_SOURCE does nothing but warn without
# optimization, and hides calls from the sanitizers.
FORTIFY     = $(if $(SANITIZE)$(findstring _FORTIFY_SOURCE,$(CFLAGS)),,$(if \
		$(filter-out -O0,$(lastword $(filter -O%,$(CFLAGS)))),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2))
ARMOUR      = -fPIE -fstack-protector-strong -fno-strict-overflow $(FORTIFY)
ARMOUR_LINK = $(if $(filter -static -static-pie -no-pie,$(CFLAGS) $(LDFLAGS)),,-pie) -Wl,-z,relro,-z,now,-z,noexecstack

COMPILE     = $(CC) -std=c11 $(WARNINGS) $(DEFINES) -I. $(MUSL_FLAGS) $(ARMOUR) $(CFLAGS) $(SANFLAGS)
LINK        = $(CC) $(ARMOUR) $(CFLAGS) $(SANFLAGS) $(ARMOUR_LINK) $(LDFLAGS)

# The program itself tells what there is to complete.  For another machine than this one NATIVE is
# a build that runs here, or nothing.
NATIVE      = $(B)/smcroute
COMPLETION := $(if $(NATIVE),$(B)/completion/smcroutectl.bash $(B)/completion/_smcroutectl)

# The rooms, and of kernel/ the folder of one system.
OS         ?= $(shell uname -s | tr A-Z a-z)
ROOMS       = applets applets/control applets/doctor router conf kernel kernel/$(OS) lib
# Without WITH_HOST what only -H and doctor use stays out.
HOST_ONLY   = applets/doctor/% $(filter-out %/probe_ask.c,$(wildcard kernel/$(OS)/probe_*.c)) kernel/$(OS)/nft_% \
		kernel/$(OS)/xt_% kernel/$(OS)/tc_% kernel/$(OS)/filter%
SRCS       := smcroute.c $(filter-out $(if $(filter yes,$(WITH_HOST)),,$(HOST_ONLY)), \
		$(sort $(wildcard $(ROOMS:%=%/*.c))))
OBJS       := $(SRCS:%.c=$(B)/%.o)
LIB_OBJS   := $(filter-out $(B)/smcroute.o,$(OBJS))
# What touches the kernel; tests link tests/fake in its place.
CODECS     := $(patsubst %,$(B)/kernel/linux/%.o,filter mroute_codec nft_judge nft_load nft_match nft_rules \
		nft_run nft_sets probe_bridge probe_rtnl rtnl tc_judge xt_judge xt_match \
		xt_target)
REAL_OBJS  := $(filter-out $(CODECS),$(filter $(B)/kernel/$(OS)/%.o,$(OBJS)))
FAKE       := $(patsubst %.c,$(B)/%.o,$(sort $(wildcard tests/fake/*.c)))
# Memory that tests/fake/memory.c can refuse.
FAKE_LINK   = -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
# All but that and main: a test takes from here what it needs.
HOUSE      := $(B)/tests/house.a

UNIT       := $(patsubst tests/unit/%.c,$(B)/tests/%,$(sort $(wildcard tests/unit/test_*.c)))
SCENARIO   := $(patsubst tests/scenario/%.c,$(B)/tests/%,$(sort $(wildcard tests/scenario/*.c)))
NETPROBES  := $(patsubst tests/net/%.c,$(B)/tests/%,$(sort $(wildcard tests/net/*.c)))
BENCHES    := $(patsubst %,$(B)/tests/%,floor clock traffic)
# For LD_PRELOAD.
PRELOADS   := $(patsubst %,$(B)/tests/%.so,turns fault)
FUZZERS    := $(patsubst tests/fuzz/%.c,%,$(sort $(wildcard tests/fuzz/*.c)))

Q           = $(if $(filter 1,$(V)),,@)
say         = $(if $(filter 1,$(V))$(findstring s,$(firstword -$(MAKEFLAGS))),@:,@printf '  %-6s %s\n')

all: $(B)/smcroute $(COMPLETION)

$(B)/smcroute: $(OBJS) $(B)/.flags
	$(say) LD $@
	$(Q)$(LINK) -o $@ $(OBJS) $(LDLIBS)

$(B)/%.o: %.c $(B)/.flags | $(MUSL_STAMP)
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(COMPILE) $(VERSION_FLAG) -MMD -MP -c -o $@ $<

# Only these know the version, so that a commit does not rebuild the rest.
$(B)/smcroute.o $(B)/applets/%.o: VERSION_FLAG = -DVERSION='"$(VERSION)"'
$(filter $(B)/smcroute.o $(B)/applets/%,$(OBJS)): $(B)/.version

$(COMPLETION): tests/tools/completion.sh $(NATIVE)
	$(say) GEN $@
	@mkdir -p $(@D)
	$(Q)sh tests/tools/completion.sh $(NATIVE) $(if $(filter %.bash,$@),bash,zsh) >$@

# Written only when the contents differ.
stamp = @mkdir -p $(@D); printf '%s\n' '$(subst ','\'',$(1))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(1))' >$@
$(B)/.flags: FORCE
	$(call stamp,$(COMPILE) | $(LINK) $(LDLIBS))
$(B)/.version: FORCE
	$(call stamp,$(VERSION))

$(B)/linux-headers/linux:
	@mkdir -p $(@D)
	@ln -sfn "$$(ls -d /usr/include/$$(gcc -print-multiarch 2>/dev/null)/asm /usr/include/asm 2>/dev/null | \
		head -n 1)" $(@D)/asm
	@ln -sfn /usr/include/asm-generic $(@D)/asm-generic
	@ln -sfn /usr/include/linux $@

# ---- tests ----

.SECONDARY:
test-programs: $(UNIT) $(SCENARIO) $(NETPROBES) $(BENCHES) $(PRELOADS)

$(HOUSE): $(filter-out $(REAL_OBJS),$(LIB_OBJS))
	$(say) AR $@
	@mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(UNIT): $(B)/tests/%: $(B)/tests/unit/%.o $(FAKE) $(HOUSE)
	$(say) LD $@
	$(Q)$(LINK) $(FAKE_LINK) -o $@ $^ $(LDLIBS)
$(SCENARIO): $(B)/tests/%: $(B)/tests/scenario/%.o $(FAKE) $(HOUSE)
	$(say) LD $@
	$(Q)$(LINK) $(FAKE_LINK) -o $@ $^ $(LDLIBS)
$(NETPROBES): $(B)/tests/%: $(B)/tests/net/%.o $(REAL_OBJS) $(HOUSE)
	$(say) LD $@
	$(Q)$(LINK) -o $@ $^ $(LDLIBS)
$(BENCHES): $(B)/tests/%: $(B)/tests/bench/%.o
	$(say) LD $@
	$(Q)$(LINK) -o $@ $^
$(B)/tests/turns.so: tests/bench/turns.c
$(B)/tests/fault.so: tests/tools/fault.c
$(PRELOADS): $(B)/.flags | $(MUSL_STAMP)
	$(say) CC $@
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -fPIC -shared -o $@ $(filter %.c,$^) -ldl

# The program that the tests and benchmarks run.
SMCROUTE    = $(B)/smcroute
TEST_ENV = B='$(B)' SANITIZE='$(SANITIZE)' SMCROUTE='$(abspath $(SMCROUTE))' COMPILE='$(subst ','\'',$(COMPILE))'

check: all test-programs
	@$(TEST_ENV) sh tests/run.sh $(T)

# A daemon after the other, 50 times, each as soon as the one before was told to end.
successors: all
	@$(TEST_ENV) python3 tests/net/test_successor.py 50 5000

doctor: all test-programs
	@DOCTOR=all DEADLINE=3600 $(TEST_ENV) sh tests/run.sh _doctor

# The long form of two network tests: so many handovers of each kind, packets a second, entries.
handover: all $(B)/tests/traffic
	@$(TEST_ENV) HANDOVERS=$${HANDOVERS:-20} PPS=$${PPS:-10000} python3 tests/net/test_handover.py $(T)
	@$(TEST_ENV) HANDOVERS=2 ENTRIES=$${ENTRIES:-100000} python3 tests/net/test_ways.py $(T)

# A takeover and an upgrade that end at each call of the system in turn: some minutes.
handover-faults: all test-programs
	@$(TEST_ENV) HANDOVER_FAULTS=1 PYTHONDONTWRITEBYTECODE=1 python3 tests/net/test_faults.py

# All that may happen to a daemon, at random, with the sanitizers: see tests/net/soak.py.
SOAK_SECONDS = 3600
soak:
	@$(MAKE) --no-print-directory soak-run B=$(B)/asan SANITIZE=address,undefined
soak-run: all
	@$(TEST_ENV) SOAK_SECONDS='$(SOAK_SECONDS)' PYTHONDONTWRITEBYTECODE=1 python3 tests/net/soak.py

demo: all
	@$(TEST_ENV) sh tests/demo.sh

# What the doctor prints, with the tools of other systems: see tests/cures.sh.
.PHONY: cures
cures: all
	@$(TEST_ENV) ROOTS='$(ROOTS)' sh tests/cures.sh

# Network tests on another kernel, in a virtual machine: see tests/vm.sh.
.PHONY: vm
vm: all
	@$(TEST_ENV) KERNEL='$(KERNEL)' MODULES='$(MODULES)' T='$(T)' sh tests/vm.sh

# Sizes, files for the results: see tests/bench/bench.py.
bench profile: all $(BENCHES) $(PRELOADS) bench-static
	@$(TEST_ENV) STATIC_CC='$(STATIC_CC)' PYTHONDONTWRITEBYTECODE=1 python3 tests/bench/$@.py $(N)

# The static program, and its floor linked as it is; what fails is left out, and said so.
bench-static: all
	@rm -f $(B)/smcroute-static $(B)/tests/floor-static $(B)/nohost/smcroute-static
	@{ $(MAKE) --no-print-directory static && $(STATIC_MAKE) $(B)/static/tests/floor && mkdir -p $(B)/tests && \
		strip -s -o $(B)/tests/floor-static $(B)/static/tests/floor && \
		$(MAKE) --no-print-directory static B=$(B)/nohost WITH_HOST=no; } >$(B)/bench-static.log 2>&1 || true

# ---- what reads the source: silence is good ----

# Its legacyUninitvar takes the address of a buffer for a use of what is in it.
cppcheck:
	@cppcheck -q --std=c11 --error-exitcode=1 --enable=warning,performance,portability --suppress=legacyUninitvar \
		--template='{file}:{line}: {message} [{id}]' $(DEFINES) -DVERSION='""' -I. $(SRCS)

# What it looks for is in .clang-tidy.
clang-tidy:
	@printf '%s\n' $(SRCS) | xargs -P "$$(getconf _NPROCESSORS_ONLN)" -I '{}' sh -c \
		'echo "  TIDY   $$1"; o=$$(clang-tidy --quiet "$$@" 2>&1) || { printf "%s\n" "$$o"; exit 1; }' sh '{}' \
		-- -std=c11 $(DEFINES) -DVERSION='""' -I.

# ---- fuzzing: FUZZ_SECONDS each, seeds in tests/data/NAME, findings in $(B)/fuzz ----

FUZZ_SECONDS = 60
fuzz:
	@$(MAKE) --no-print-directory fuzz-run B=$(B)/fuzz CC=clang CFLAGS='-O1 -g' \
		SANITIZE=address,undefined,fuzzer-no-link
fuzz-run: $(FUZZERS:%=$(B)/%)
	@sh tests/tools/fuzz.sh '$(B)' '$(FUZZ_SECONDS)' $(FUZZERS)
$(FUZZERS:%=$(B)/%): $(B)/%: $(B)/tests/fuzz/%.o $(FAKE) $(HOUSE)
	$(say) LD $@
	$(Q)$(LINK) $(FAKE_LINK) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)

# ---- the small static binary: stock musl, position independent where that can be linked, without what debuggers
# alone need, symbols and .eh_frame ----

STATIC_CC     := $(if $(filter command line,$(origin CC)),$(CC),$(if $(shell command -v musl-gcc),musl-gcc,$(CC)))
STATIC_CFLAGS  = -Os -flto=auto -g -fno-asynchronous-unwind-tables -fno-unwind-tables
STATIC_PIE     = $(shell sh tests/tools/static_pie.sh $(STATIC_CC))
# Code and constants in one segment, as on most other architectures: x86 alone pads them to pages of their own.
STATIC_LDFLAGS = $(STATIC_PIE) -Wl,-z,noseparate-code
STATIC_MAKE    = $(MAKE) --no-print-directory B=$(B)/static CC='$(STATIC_CC)' \
		 CFLAGS='$(STATIC_CFLAGS)' LDFLAGS='$(STATIC_LDFLAGS) $(LDFLAGS)'
static:
	+@$(STATIC_MAKE) $(B)/static/smcroute
	$(say) STRIP $(B)/smcroute-static
	$(Q)$(STRIP) -s -o $(B)/smcroute-static $(B)/static/smcroute
	@wc -c $(B)/smcroute-static

bloat: static
	@$(MAKE) --no-print-directory -s static B=$(B)/nohost WITH_HOST=no >/dev/null
	@sh tests/tools/bloat.sh $(B) $(B)/nohost

# ---- ----

install: all
	install -d $(addprefix $(DESTDIR),$(SBINDIR) $(DOCDIR) $(MANDIR)/man5 $(MANDIR)/man8)
	install -m 755 $(B)/smcroute $(DESTDIR)$(SBINDIR)/smcroute
	for a in $(APPLETS); do ln -sf smcroute $(DESTDIR)$(SBINDIR)/$$a; done
	install -m 644 smcroute.conf README.md CHANGES.md LICENSE $(DESTDIR)$(DOCDIR)
	$(if $(COMPLETION),install -d $(addprefix $(DESTDIR),$(BASHDIR) $(ZSHDIR)))
	$(if $(COMPLETION),install -m 644 $(B)/completion/smcroutectl.bash $(DESTDIR)$(BASHDIR)/smcroutectl)
	$(if $(COMPLETION),for a in $(filter-out smcroutectl,$(APPLETS)); do \
		ln -sf smcroutectl $(DESTDIR)$(BASHDIR)/$$a; done)
	$(if $(COMPLETION),install -m 644 $(B)/completion/_smcroutectl $(DESTDIR)$(ZSHDIR)/_smcroutectl)
	for s in 5 8; do for m in man/*.$$s; do test ! -f $$m || \
		install -m 644 $$m $(DESTDIR)$(MANDIR)/man$$s || exit 1; done; done

clean:
	rm -rf $(B)

FORCE:
.PHONY: all handover handover-faults check successors doctor demo bench bench-static profile cppcheck clang-tidy \
	fuzz fuzz-run soak soak-run static bloat install clean test-programs FORCE
.DELETE_ON_ERROR:

-include $(shell find $(B) -type f -name '*.d' 2>/dev/null)
