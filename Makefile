# SPDX-License-Identifier: ISC
#
# One Makefile, GNU make, no configure step.  Everything built goes into $(B).
#
#   make                    build/smcroute, which is all programs
#   make check              all tests; T="WORD..." those whose names hold a word
#   make install            what was built; nothing is built again
#   make install-strip      the same without what debuggers need
#   make uninstall          takes it away again
#   make static             build/smcroute-static, by musl-gcc where that is
#   make demo               a router and two hosts in namespaces
#   make clean, distclean   removes build, and all else that was made
#   make dist               smcroute-VERSION.tar.gz of what is committed, or of what such a tarball held
#   make deb                a package for Debian, in build/deb: needs build-essential and debhelper
#
#   Settings, here as in the environment:
#     CC CPPFLAGS CFLAGS LDFLAGS STRIP INSTALL   as everywhere; these flags have the last word
#     PREFIX=/usr/local SYSCONFDIR=/etc RUNSTATEDIR=/var/run DESTDIR=
#     OS=linux                or freebsd: the system that the program is for
#     WITH_HOST=no            without `smcroute-check -H` and `doctor`, for an initramfs
#     WITH_MRDISC=no          without discovery of multicast routers (RFC 4286)
#     WITH_LIBCAP=yes         privileges are dropped by libcap
#     B=build V=1             the folder to build in; commands are shown
#
# For who changes it, see CONTRIBUTING.md and tests/README.md:
#	make SANITIZE=address,undefined | test-programs | handover [T=] | handover-faults | doctor | cures | successors
#	make vm KERNEL=IMAGE MODULES=lib/modules/VERSION [T=] | bench [N=...] | profile [N=...] | bloat
#	make check-vm [KERNELS="SUITE[:ARCH]..."] [CASES="..."] | check-init ROOT="DIR..."
#	make check-freebsd [ZIG="python3 -m ziglang"] | check-vm-freebsd KERNEL=IMAGE ROOT=DIR [SMCROUTE=FILE]
#	make check-cross [ARCH="NAME..."] [WITH="zig gcc"] [T=]
#	make fuzz [FUZZ_SECONDS=60] [FUZZERS="NAME..."] | coverage | mutants | cppcheck | clang-tidy
#	make soak [SOAK_SECONDS=3600] | failures [FAIL_SECONDS=300]
#
# A change of compiler or flags rebuilds what depends on it: see $(B)/.flags.

RELEASE     = 1.0

B           = build
V           = 0
PREFIX      ?= /usr/local
SYSCONFDIR  ?= /etc
RUNSTATEDIR ?= /var/run
WITH_LIBCAP ?= no
WITH_MRDISC ?= yes
WITH_HOST   ?= yes
SANITIZE    ?=
STRIP       ?= $(shell $(CC) -print-prog-name=strip 2>/dev/null || echo strip)
INSTALL     ?= install
CFLAGS      ?= -O2 -gdwarf-4

SBINDIR     ?= $(PREFIX)/sbin
MANDIR      ?= $(PREFIX)/share/man
BASHDIR     ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR      ?= $(PREFIX)/share/zsh/site-functions
DOCDIR      ?= $(PREFIX)/share/doc/smcroute
APPLETS     = smcrouted smcroutectl smcroute-check

# Names of files with blanks are two names for make: a folder of such a name is reached by a link.
ifneq ($(word 2,$(B)),)
override B := $(shell link=build-$$(printf %s '$(B)' | cksum | cut -d ' ' -f 1) && mkdir -p '$(B)' && \
	ln -sfn "$$(cd '$(B)' && pwd)" "$$link" && echo "$$link")
endif

# Whoever installs, maybe another user with another environment and without git, installs what was built, unless the
# command line says otherwise.
ifeq ($(if $(MAKECMDGOALS),$(filter-out install install-strip,$(MAKECMDGOALS)),all),)
AS_BUILT   := $(wildcard $(B)/.version)
-include $(B)/.flags
endif

# A tag when there is one, else the release with the commit; a VERSION file in a tarball.
VERSION    := $(shell cat $(or $(AS_BUILT),VERSION) 2>/dev/null || \
	{ test -e .git && git describe --tags --match 'v[0-9]*' --dirty 2>/dev/null | sed 's/^v//' | grep . ; } || \
	{ test -e .git && git describe --always --dirty --exclude '*' 2>/dev/null | \
		sed 's/^/$(RELEASE)-g/' | grep . ; } || \
	echo $(RELEASE))

# linux or freebsd; what -v says of each.
OS         ?= $(shell uname -s | tr A-Z a-z)
SYSTEM_linux   = tables
SYSTEM_freebsd = freebsd

WARNINGS    = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	      -Wpointer-arith -Wcast-qual -Wsign-compare -Wvla -Wformat=2
# Inodes, sizes and times of files have 64 bits on machines of 32 too.
DEFINES     = -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 -DSYSTEM_WORD='"$(SYSTEM_$(OS))"' \
	      -DSYSCONFDIR='"$(SYSCONFDIR)"' -DRUNSTATEDIR='"$(RUNSTATEDIR)"' \
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

# Armour.  CPPFLAGS, CFLAGS and LDFLAGS stand behind it and have the last word.  _FORTIFY_SOURCE does nothing but warn
# without optimization, and hides calls from the sanitizers.
FORTIFY     = $(if $(SANITIZE)$(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS)),,$(if \
		$(filter-out -O0,$(lastword $(filter -O%,$(CFLAGS)))),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2))
ARMOUR      = -fPIE -fstack-protector-strong -fno-strict-overflow $(FORTIFY)
ARMOUR_LINK = $(if $(filter -static -static-pie -no-pie,$(CFLAGS) $(LDFLAGS)),,-pie) -Wl,-z,relro,-z,now,-z,noexecstack

# Where it was built is no part of the program.
SAME_BYTES  = -ffile-prefix-map='$(CURDIR)'=.

COMPILE     = $(CC) -std=c11 $(WARNINGS) $(DEFINES) -I. $(MUSL_FLAGS) $(SAME_BYTES) $(ARMOUR) $(CPPFLAGS) $(CFLAGS) \
	      $(SANFLAGS)
LINK        = $(CC) $(ARMOUR) $(CFLAGS) $(SANFLAGS) $(ARMOUR_LINK) $(LDFLAGS)

COMPLETION := $(B)/completion/smcroutectl.bash $(B)/completion/_smcroutectl
PAGES      := $(patsubst %,$(B)/%,$(wildcard man/*.[1-9]))

# The rooms, and of kernel/ and lib/ the folder of one system.
ROOMS       = applets applets/control applets/doctor router conf kernel kernel/$(OS) lib lib/$(OS)
# Without WITH_HOST what only -H and doctor use stays out.
HOST_ONLY   = applets/doctor/% kernel/probe_% $(filter-out %/probe_ask.c,$(wildcard kernel/$(OS)/probe_*.c)) \
		kernel/$(OS)/nft_% kernel/$(OS)/xt_% kernel/$(OS)/tc_% kernel/$(OS)/filter%
SRCS       := smcroute.c $(filter-out $(if $(filter yes,$(WITH_HOST)),,$(HOST_ONLY)), \
		$(sort $(wildcard $(ROOMS:%=%/*.c))))
OBJS       := $(SRCS:%.c=$(B)/%.o)
LIB_OBJS   := $(filter-out $(B)/smcroute.o,$(OBJS))
# What touches the kernel; tests link tests/fake in its place.  Codecs of FreeBSD are tested on every system.
FREEBSD_CODECS := $(patsubst %,$(B)/kernel/freebsd/%.o,ledger mroute_pack rtmsg)
CODECS     := $(patsubst %,$(B)/kernel/linux/%.o,filter mroute_codec nft_judge nft_load nft_match nft_rules \
		nft_run nft_sets probe_bridge probe_rtnl rtnl tc_judge words xt_judge \
		xt_match xt_target) $(FREEBSD_CODECS)
REAL_OBJS  := $(filter-out $(CODECS),$(filter $(B)/kernel/$(OS)/%.o,$(OBJS)))
FAKE       := $(patsubst %.c,$(B)/%.o,$(sort $(wildcard tests/fake/*.c)))
# Memory that tests/fake/memory.c can refuse, and time that is its own (time.c).
FAKE_LINK   = -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup,--wrap=clock_usec,--wrap=clock_ms
# All but that and main: a test takes from here what it needs.
HOUSE      := $(B)/tests/house.a

UNIT       := $(patsubst tests/unit/%.c,$(B)/tests/%,$(sort $(wildcard tests/unit/test_*.c)))
SCENARIO   := $(patsubst tests/scenario/%.c,$(B)/tests/%,$(sort $(wildcard tests/scenario/*.c)))
NETPROBES  := $(patsubst tests/net/%.c,$(B)/tests/%,$(sort $(wildcard tests/net/*.c)))
BENCHES    := $(patsubst %,$(B)/tests/%,floor clock traffic)
# For LD_PRELOAD.
PRELOADS   := $(patsubst %,$(B)/tests/%.so,turns fault fail)
FUZZERS    := $(patsubst tests/fuzz/%.c,%,$(sort $(wildcard tests/fuzz/*.c)))

Q           = $(if $(filter 1,$(V)),,@)
say         = $(if $(filter 1,$(V))$(findstring s,$(firstword -$(MAKEFLAGS))),@:,@printf '  %-6s %s\n')

all: $(B)/smcroute $(COMPLETION) $(PAGES)

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

# From the source: the program may be one for another machine.
$(COMPLETION): tests/tools/completion.sh applets/control/command.c $(APPLETS:%=applets/%.c) $(B)/.flags | $(MUSL_STAMP)
	$(say) GEN $@
	@mkdir -p $(@D)
	$(Q)sh tests/tools/completion.sh $(if $(filter %.bash,$@),bash,zsh) $(COMPILE) >$@

# With the folders of this build.
$(PAGES): $(B)/%: % $(B)/.flags
	@mkdir -p $(@D)
	@sed -e 's,/etc/\(smcroute\.\|east\.\),$(call page_path,$(SYSCONFDIR))/\1,g' \
		-e 's,/var/run,$(call page_path,$(RUNSTATEDIR)),g' $< >$@
page_path   = $(subst $(blank),\\ ,$(1))
blank      := $(subst x,,x x)

# Written only when the contents differ.
quote = '$(subst ','\'',$(1))'
stamp = @mkdir -p $(@D); printf '%s\n' $(1) | cmp -s - $@ || printf '%s\n' $(1) >$@
# What was built with, as make reads it; the whole of it is a comment there.
$(B)/.flags: FORCE
	$(call stamp,$(foreach v,$(KEPT),'define $(v)' $(call quote,$(value $(v))) endef) \
		$(call quote,# $(subst $(CURDIR),.,$(COMPILE) | $(LINK) $(LDLIBS))))
$(B)/.version: FORCE
	$(call stamp,$(call quote,$(VERSION)))
KEPT        = CC CPPFLAGS CFLAGS LDFLAGS SANITIZE WITH_LIBCAP WITH_MRDISC WITH_HOST SYSCONFDIR RUNSTATEDIR

$(B)/linux-headers/linux:
	@mkdir -p $(@D)
	@ln -sfn "$$(ls -d /usr/include/$$(gcc -print-multiarch 2>/dev/null)/asm /usr/include/asm 2>/dev/null | \
		head -n 1)" $(@D)/asm
	@ln -sfn /usr/include/asm-generic $(@D)/asm-generic
	@ln -sfn /usr/include/linux $@

# ---- tests ----

.SECONDARY:
test-programs: unit-programs $(NETPROBES) $(BENCHES) $(PRELOADS)
# Those that need no kernel of their own.
unit-programs: $(UNIT) $(SCENARIO)

$(HOUSE): $(sort $(FREEBSD_CODECS) $(filter-out $(REAL_OBJS),$(LIB_OBJS)))
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
$(B)/tests/fail.so: tests/tools/fail.c
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

# Static builds for other machines, their tests by qemu-user: see tests/cross.sh.
.PHONY: check-cross
check-cross:
	@B='$(B)' ARCH='$(ARCH)' WITH='$(WITH)' ZIG='$(ZIG)' T='$(T)' bash tests/cross.sh

doctor: all test-programs
	@DOCTOR=all DEADLINE=3600 $(TEST_ENV) sh tests/run.sh _doctor

# The long form of two network tests: so many handovers of each kind, packets a second, entries.
handover: all $(B)/tests/traffic
	@$(TEST_ENV) HANDOVERS=$${HANDOVERS:-20} PPS=$${PPS:-10000} python3 tests/net/test_handover.py $(T)
	@$(TEST_ENV) HANDOVERS=2 ENTRIES=$${ENTRIES:-100000} python3 tests/net/test_ways.py $(T)

# A takeover and an upgrade that end at each call of the system in turn: some minutes.
handover-faults: all test-programs
	@$(TEST_ENV) HANDOVER_FAULTS=1 PYTHONDONTWRITEBYTECODE=1 python3 tests/net/test_faults.py

# Two in a hundred of all calls and pieces of memory of a daemon fail: see tests/net/test_failures.py.
FAIL_SECONDS = 300
.PHONY: failures
failures: all test-programs
	@$(TEST_ENV) FAIL_SECONDS='$(FAIL_SECONDS)' PYTHONDONTWRITEBYTECODE=1 python3 tests/net/test_failures.py

# All that may happen to a daemon, at random, with the sanitizers: see tests/net/soak.py.
SOAK_SECONDS = 3600
soak:
	@$(MAKE) --no-print-directory soak-run B=$(B)/asan SANITIZE=address,undefined
soak-run: all
	@$(TEST_ENV) SOAK_SECONDS='$(SOAK_SECONDS)' PYTHONDONTWRITEBYTECODE=1 python3 tests/net/soak.py

# The init systems of Debian roots for real, each as process 1 of a namespace: see tests/init/machine.py.
.PHONY: check-init
check-init: all $(B)/tests/traffic
	@$(TEST_ENV) ROOT='$(ROOT)' JOBS=1 DEADLINE=900 sh tests/run.sh tests/init

# The port to FreeBSD, as far as it can be tried elsewhere: ZIG="python3 -m ziglang" compiles it.
.PHONY: check-freebsd
check-freebsd: test-programs
	@B='$(B)' ZIG='$(ZIG)' sh tests/freebsd.sh

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

# Kernels of Debian's in qemu, with busybox and the static program alone: see tests/vm/check.py.
.PHONY: check-vm
check-vm:
	@$(TEST_ENV) KERNELS='$(KERNELS)' CASES='$(CASES)' VM_MD='$(VM_MD)' PYTHONDONTWRITEBYTECODE=1 \
		python3 tests/vm/check.py

# What kernel/freebsd/ rests on, asked of a FreeBSD kernel: see tests/vm/freebsd/run.sh.
.PHONY: check-vm-freebsd
check-vm-freebsd:
	@KERNEL='$(KERNEL)' ROOT='$(ROOT)' SMCROUTE='$(filter-out $(B)/smcroute,$(SMCROUTE))' sh tests/vm/freebsd/run.sh

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
# What a fuzzer is to reach is not in these, and to note each of their comparisons took a third of its time.
$(FAKE): SANFLAGS += $(if $(findstring fuzzer,$(SANITIZE)),-fno-sanitize=fuzzer-no-link)
$(FUZZERS:%=$(B)/%): $(B)/%: $(B)/tests/fuzz/%.o $(FAKE) $(HOUSE)
	$(say) LD $@
	$(Q)$(LINK) $(FAKE_LINK) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)

# What they reach with what they have found so far: see tests/tools/coverage.py.
.PHONY: coverage coverage-run
coverage:
	@$(MAKE) --no-print-directory coverage-run B=$(B)/coverage CC=clang SANITIZE=fuzzer-no-link \
		CPPFLAGS='-mllvm -runtime-counter-relocation' \
		CFLAGS='-O1 -g -fprofile-instr-generate -fcoverage-mapping' CORPUS='$(B)/fuzz/corpus'
coverage-run: $(FUZZERS:%=$(B)/%) $(UNIT) $(SCENARIO)
	@python3 tests/tools/coverage.py '$(B)' '$(CORPUS)' '$(FUZZERS)' $(UNIT) $(SCENARIO)

# Whether the tests find wrong decisions: see tests/tools/mutants.py.
.PHONY: mutants
mutants:
	@env -u MAKEFLAGS -u MFLAGS python3 tests/tools/mutants.py '$(B)/mutants'

# ---- the small static binary: stock musl, position independent where that can be linked, without what debuggers
# alone need, symbols and .eh_frame ----

STATIC_CC     := $(if $(filter-out default file,$(origin CC)),$(CC),$(if $(shell command -v musl-gcc),musl-gcc,$(CC)))
STATIC_LTO     = $(shell sh tests/tools/static_flags.sh compile $(STATIC_CC))
STATIC_CFLAGS  = -Os $(STATIC_LTO) -g -fno-asynchronous-unwind-tables -fno-unwind-tables
STATIC_LDFLAGS = $(shell sh tests/tools/static_flags.sh link $(STATIC_CC))
STATIC_MAKE    = $(MAKE) --no-print-directory B=$(B)/static CC='$(STATIC_CC)' \
		 CFLAGS='$(STATIC_CFLAGS) $(if $(filter-out file,$(origin CFLAGS)),$(CFLAGS))' \
		 LDFLAGS='$(STATIC_LDFLAGS) $(LDFLAGS)'
static:
	+@$(STATIC_MAKE) $(B)/static/smcroute
	$(say) STRIP $(B)/smcroute-static
	$(Q)$(STRIP) -s -o $(B)/smcroute-static $(B)/static/smcroute
	@wc -c $(B)/smcroute-static

bloat: static
	@$(MAKE) --no-print-directory -s static B=$(B)/nohost WITH_HOST=no >/dev/null
	@sh tests/tools/bloat.sh $(B) $(B)/nohost

# ---- what is installed: names may hold blanks ----

DOCS        = smcroute.conf README.md CHANGES.md SECURITY.md AUTHORS LICENSE
# Whole folders: set-ups, and what init systems and packagers need.
DOC_DIRS    = examples init
to          = '$(DESTDIR)$(1)'

install: all
	$(INSTALL) -d $(foreach d,SBINDIR DOCDIR MANDIR BASHDIR ZSHDIR,$(call to,$($(d)))) $(call to,$(MANDIR)/man5) \
		$(call to,$(MANDIR)/man8)
	$(INSTALL) -m 755 $(B)/smcroute $(call to,$(SBINDIR)/smcroute)
	for a in $(APPLETS); do ln -sf smcroute $(call to,$(SBINDIR))/$$a || exit 1; done
	for n in 5 8; do $(INSTALL) -m 644 $(B)/man/*.$$n $(call to,$(MANDIR)/man)$$n || exit 1; done
	$(INSTALL) -m 644 $(B)/completion/smcroutectl.bash $(call to,$(BASHDIR)/smcroutectl)
	for a in $(filter-out smcroutectl,$(APPLETS)); do ln -sf smcroutectl $(call to,$(BASHDIR))/$$a || exit 1; done
	$(INSTALL) -m 644 $(B)/completion/_smcroutectl $(call to,$(ZSHDIR)/_smcroutectl)
	$(INSTALL) -m 644 $(DOCS) $(call to,$(DOCDIR))
	for d in $(DOC_DIRS); do test ! -d $$d || { cp -R $$d $(call to,$(DOCDIR)) && \
		chmod -R u=rwX,go=rX $(call to,$(DOCDIR))/$$d; } || exit 1; done

install-strip: install
	$(STRIP) $(call to,$(SBINDIR)/smcroute)

uninstall:
	for a in smcroute $(APPLETS); do rm -f $(call to,$(SBINDIR))/$$a $(call to,$(BASHDIR))/$$a; done
	rm -f $(foreach p,$(PAGES),$(call to,$(MANDIR)/man$(subst .,,$(suffix $(p)))/$(notdir $(p)))) \
		$(call to,$(ZSHDIR)/_smcroutectl) $(foreach d,$(DOCS),$(call to,$(DOCDIR)/$(d)))
	rm -rf $(foreach d,$(DOC_DIRS),$(call to,$(DOCDIR)/$(d)))
	test ! -d $(call to,$(DOCDIR)) || rmdir $(call to,$(DOCDIR))

# Of what is committed, the same bytes each time.
# Without git the tree is what came out of a tarball, and gives the same one again: its files are as old as the commit.
DIST        = smcroute-$(VERSION)
NOT_IN_DIST = ./$(B) ./build-* ./smcroute-*.tar.gz __pycache__ ./debian
FROM_DIST   = $(or $(wildcard VERSION),Makefile)
dist:
	@rm -rf $(B)/dist && mkdir -p $(B)/dist/$(DIST)
	@if [ -e .git ]; then git diff --quiet HEAD || echo "make dist: what is not committed stays out" >&2; \
		git archive HEAD; else tar -c $(NOT_IN_DIST:%=--exclude='%') .; fi | tar -x -C $(B)/dist/$(DIST)
	@echo '$(VERSION)' >$(B)/dist/$(DIST)/VERSION
	@tar -c -C $(B)/dist --format=ustar --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
		--mtime=@$$(if [ -e .git ]; then git log -1 --format=%ct; else stat -c %Y $(FROM_DIST); fi) $(DIST) | \
		gzip -n -9 >$(DIST).tar.gz
	@rm -rf $(B)/dist
	@sha256sum $(DIST).tar.gz

# By the recipe in init/pkg/debian, from the tarball of the release: the packages are in $(B)/deb.
DEB         = $(B)/deb/smcroute-$(RELEASE)
deb:
	@$(MAKE) --no-print-directory dist VERSION=$(RELEASE)
	@rm -rf $(B)/deb && mkdir -p $(B)/deb && mv smcroute-$(RELEASE).tar.gz $(B)/deb/smcrouted_$(RELEASE).orig.tar.gz
	@tar -x -C $(B)/deb -f $(B)/deb/smcrouted_$(RELEASE).orig.tar.gz && cp -R $(DEB)/init/pkg/debian $(DEB)/debian
	cd $(DEB) && dpkg-buildpackage -us -uc

help:
	@sed -n 's/^#   //p' Makefile

# A folder to build in may be reached by a link.
clean:
	rm -rf "$$(readlink -f $(B))" $(B)
distclean: clean
	rm -rf build-* smcroute-*.tar.gz
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

FORCE:
.PHONY: all handover handover-faults check successors doctor demo bench bench-static profile cppcheck clang-tidy \
	fuzz fuzz-run soak soak-run static bloat install install-strip uninstall dist deb help clean distclean \
	test-programs unit-programs FORCE
.DELETE_ON_ERROR:

-include $(shell find $(B)/ -type f -name '*.d' 2>/dev/null)
