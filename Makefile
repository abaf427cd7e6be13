# SPDX-License-Identifier: ISC
#
# One Makefile, GNU make, no configure step.  Everything built goes into $(B).
#
#   make [CC= STRIP= CFLAGS= LDFLAGS= SANITIZE=address,undefined V=1 B=dir]
#        [WITH_LIBCAP=yes WITH_MRDISC=no WITH_HOST=no]
#   make static | check | bench [N=...] | profile [N=...] | fuzz | bloat | demo | clean
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
	{ test -e .git && git describe --always --dirty --exclude '*' 2>/dev/null | sed 's/^/$(RELEASE)-g/' | grep . ; } || \
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

COMPILE     = $(CC) -std=c11 $(WARNINGS) $(DEFINES) -I. $(MUSL_FLAGS) $(CFLAGS) $(SANFLAGS)
# Where a route of a config or of a batch spends its time, 100,000 of them at a time: it is for speed in the
# small build as well, which costs that 2 kB.  The rest of the way of a route would cost 4 kB more, for 1 % of
# the instructions.
HOT         = $(patsubst %,$(B)/%.o,conf/flow conf/lex lib/addr lib/hash lib/small/memory tests/bench/floor)
HOT_CFLAGS  =
LIBC_CFLAGS =

LINK        = $(CC) $(CFLAGS) $(SANFLAGS) $(LDFLAGS)

# The program itself tells what there is to complete.  For another machine than this one NATIVE is
# a build that runs here, or nothing.
NATIVE      = $(B)/smcroute
COMPLETION := $(if $(NATIVE),$(B)/completion/smcroutectl.bash $(B)/completion/_smcroutectl)

SRCS       := smcroute.c $(sort $(wildcard $(addsuffix /*.c,applets router conf kernel lib)))
OBJS       := $(SRCS:%.c=$(B)/%.o)
MAIN_OBJS  := $(filter $(B)/smcroute.o $(B)/applets/%,$(OBJS))
LIB_OBJS   := $(filter-out $(MAIN_OBJS),$(OBJS))
# Parts of libc in small, for the static build.
SMALL_OBJS := $(patsubst %.c,$(B)/%.o,$(sort $(wildcard lib/small/*.c)))
# What touches the kernel; tests link tests/fake_kernel.o in its place.
REAL_OBJS  := $(filter $(B)/kernel/linux_%.o $(B)/kernel/membership.o,$(OBJS))
PURE_OBJS  := $(filter-out $(REAL_OBJS),$(LIB_OBJS)) $(patsubst %.c,$(B)/%.o,$(wildcard tests/fake_kernel.c))

UNIT       := $(patsubst tests/unit/%.c,$(B)/tests/%,$(sort $(wildcard tests/unit/test_*.c)))
SCENARIO   := $(patsubst tests/scenario/%.c,$(B)/tests/%,$(sort $(wildcard tests/scenario/*.c)))
NETPROBES  := $(patsubst tests/net/%.c,$(B)/tests/%,$(sort $(wildcard tests/net/*.c)))
BENCHES    := $(patsubst %,$(B)/tests/%,floor clock traffic turns.so)
FUZZERS    := $(patsubst tests/fuzz/%.c,%,$(sort $(wildcard tests/fuzz/*.c)))

Q           = $(if $(filter 1,$(V)),,@)
say         = $(if $(filter 1,$(V))$(findstring s,$(firstword -$(MAKEFLAGS))),@:,@printf '  %-6s %s\n')

all: $(B)/smcroute $(COMPLETION)

$(B)/smcroute: $(OBJS) $(EXTRA_OBJS) $(B)/.flags
	$(say) LD $@
	$(Q)$(LINK) -o $@ $(OBJS) $(EXTRA_OBJS) $(LDLIBS)

$(B)/%.o: %.c $(B)/.flags | $(MUSL_STAMP)
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(COMPILE) $(if $(filter $@,$(HOT)),$(HOT_CFLAGS)) $(if $(filter $@,$(SMALL_OBJS)),$(LIBC_CFLAGS)) $(VERSION_FLAG) -MMD -MP -c -o $@ $<

# Only these know the version, so that a commit does not rebuild the rest.
$(B)/smcroute.o $(B)/applets/%.o $(B)/router/%.o: VERSION_FLAG = -DVERSION='"$(VERSION)"'
$(filter $(B)/smcroute.o $(B)/applets/% $(B)/router/%,$(OBJS)): $(B)/.version

$(COMPLETION): tests/tools/completion.sh $(NATIVE)
	$(say) GEN $@
	@mkdir -p $(@D)
	$(Q)sh tests/tools/completion.sh $(NATIVE) $(if $(filter %.bash,$@),bash,zsh) >$@

# Written only when the contents differ.
stamp = @mkdir -p $(@D); printf '%s\n' '$(subst ','\'',$(1))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(1))' >$@
$(B)/.flags: FORCE
	$(call stamp,$(COMPILE) | $(HOT_CFLAGS) | $(LIBC_CFLAGS) | $(LINK) $(LDLIBS))
$(B)/.version: FORCE
	$(call stamp,$(VERSION))

$(B)/linux-headers/linux:
	@mkdir -p $(@D)
	@ln -sfn "$$(ls -d /usr/include/$$(gcc -print-multiarch 2>/dev/null)/asm /usr/include/asm 2>/dev/null | head -n 1)" $(@D)/asm
	@ln -sfn /usr/include/asm-generic $(@D)/asm-generic
	@ln -sfn /usr/include/linux $@

# ---- tests ----

.SECONDARY:
test-programs: $(UNIT) $(SCENARIO) $(NETPROBES) $(BENCHES)

$(UNIT): $(B)/tests/%: $(B)/tests/unit/%.o $(PURE_OBJS)
	$(say) LD $@
	$(Q)$(LINK) -o $@ $^ $(LDLIBS)
$(SCENARIO): $(B)/tests/%: $(B)/tests/scenario/%.o $(PURE_OBJS)
	$(say) LD $@
	$(Q)$(LINK) -o $@ $^ $(LDLIBS)
$(NETPROBES): $(B)/tests/%: $(B)/tests/net/%.o $(LIB_OBJS)
	$(say) LD $@
	$(Q)$(LINK) -o $@ $^ $(LDLIBS)
$(filter-out %.so,$(BENCHES)): $(B)/tests/%: $(B)/tests/bench/%.o
	$(say) LD $@
	$(Q)$(LINK) -o $@ $^
$(B)/tests/turns.so: tests/bench/turns.c $(B)/.flags | $(MUSL_STAMP)
	$(say) CC $@
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -fPIC -shared -o $@ $< -ldl

# The program that the tests and benchmarks run.
SMCROUTE    = $(B)/smcroute
TEST_ENV = B='$(B)' SANITIZE='$(SANITIZE)' SMCROUTE='$(abspath $(SMCROUTE))' COMPILE='$(subst ','\'',$(COMPILE))'

check: all test-programs
	@$(TEST_ENV) sh tests/run.sh

demo: all
	@$(TEST_ENV) sh tests/demo.sh

# Sizes, files for the results: see tests/bench/bench.py.
bench profile: all $(BENCHES) bench-static
	@$(TEST_ENV) STATIC_CC='$(STATIC_CC)' PYTHONDONTWRITEBYTECODE=1 python3 tests/bench/$@.py $(N)

# The static program, and its floor linked as it is; what fails is left out, and said so.
bench-static: all
	@rm -f $(B)/smcroute-static $(B)/tests/floor-static $(B)/nohost/smcroute-static
	@{ $(MAKE) --no-print-directory static && $(STATIC_MAKE) $(B)/static/tests/floor && mkdir -p $(B)/tests && \
		strip -s -R .comment -o $(B)/tests/floor-static $(B)/static/tests/floor && \
		$(MAKE) --no-print-directory static B=$(B)/nohost WITH_HOST=no; } >$(B)/bench-static.log 2>&1 || true

# ---- fuzzing: FUZZ_SECONDS each, seeds in tests/data/NAME, findings in $(B)/fuzz ----

FUZZ_SECONDS = 60
fuzz:
	@$(MAKE) --no-print-directory fuzz-run B=$(B)/fuzz CC=clang CFLAGS='-O1 -g' \
		SANITIZE=address,undefined,fuzzer-no-link
fuzz-run: $(FUZZERS:%=$(B)/%)
	@for f in $(FUZZERS); do mkdir -p $(B)/corpus/$$f; \
		echo "== $$f, $(FUZZ_SECONDS) s"; seeds=; test ! -d tests/data/$$f || seeds=tests/data/$$f; \
		$(B)/$$f -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 -verbosity=0 \
			-artifact_prefix=$(B)/$$f- $(B)/corpus/$$f $$seeds || exit 1; done
$(FUZZERS:%=$(B)/%): $(B)/%: $(B)/tests/fuzz/%.o $(PURE_OBJS)
	$(say) LD $@
	$(Q)$(LINK) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)

# ---- the small static binary ----

STATIC_CC  := $(if $(filter command line,$(origin CC)),$(CC),$(if $(shell command -v musl-gcc),musl-gcc,$(CC)))
# Those of the flags that the compiler takes without a word; the same for all as one, when it links.
has         = $(foreach f,$(1),$(if $(shell $(STATIC_CC) $(f) -E -xc /dev/null 2>&1 >/dev/null),,$(f)))
# Not into /dev/null, which root's linker might replace.
links       = $(if $(shell o=$$(mktemp 2>&1) && { echo 'int main(void) { return 0; }' | \
		$(STATIC_CC) $(1) -o "$$o" -xc - -xnone 2>&1; rm -f "$$o"; } || echo no),,$(1))
# -Oz is 2.7 kB less than -Os, -flto, where it is gcc's, 5 kB.  A program at a fixed address needs neither position
# independent code (4 kB) nor tables of pointers that are written at start and then made read-only.
# Without SSE, or its like, what takes a format does not save registers of floating point (1 kB).  What is switched
# off makes code for speed that is longer, -Oz or not (3.5 kB in all).  -g is for `make bloat`.
# Nothing: --icf, -fmerge-all-constants, -fno-stack-protector, three dozen further optimizations.
SMALL       = $(eval SMALL := $(SMALL_FLAGS))$(SMALL)
SMALL_FLAGS = $(or $(call has,-Oz),-Os) $(or $(call has,-mno-sse),$(call has,-mgeneral-regs-only)) -fno-pie -ffunction-sections \
	      -fdata-sections -fno-asynchronous-unwind-tables -fno-unwind-tables -g $(call links,-flto -flto-partition=one) \
	      $(call has,-fno-caller-saves -fno-expensive-optimizations -fno-inline-functions-called-once \
		-fno-jump-tables -fno-move-loop-invariants -fno-optimize-sibling-calls -fno-tree-dominator-opts)
QUICK       = $(eval QUICK := $(QUICK_FLAGS))$(QUICK)
QUICK_FLAGS = -O2 $(call has,-msse2 -fno-lto -fno-inline-functions -fno-partial-inlining \
		$(addprefix -fno-align-,functions jumps labels loops))
# What a compiler knows by name may be made to call itself, and be gone when it is looked for after -flto.
LIBC_CFLAGS = -ffreestanding $(call has,-fno-lto)
# Only beside musl, which has everything in files of its own.
LIBC_PARTS  = $(if $(findstring musl,$(STATIC_CC) $(shell $(STATIC_CC) -dumpmachine)),$$(SMALL_OBJS))
STATIC_MAKE = $(MAKE) --no-print-directory B=$(B)/static CC='$(STATIC_CC)' \
		CFLAGS='$(SMALL)' HOT_CFLAGS='$(QUICK)' LIBC_CFLAGS='$(LIBC_CFLAGS)' EXTRA_OBJS='$(LIBC_PARTS)' \
		LDFLAGS='-static -Wl,--gc-sections -Wl,-z,noseparate-code -Wl,-z,norelro \
			-Wl,--build-id=none -Wl,-O2 -Wl,-z,common-page-size=256 -Wl,--sort-section=alignment $(LDFLAGS)'
static:
	+@$(STATIC_MAKE) $(B)/static/smcroute
	$(say) STRIP $(B)/smcroute-static
	$(Q)$(STRIP) -s -R .comment -o $(B)/smcroute-static $(B)/static/smcroute
	@wc -c $(B)/smcroute-static

bloat: static
	@$(MAKE) --no-print-directory -s static B=$(B)/nohost WITH_HOST=no >/dev/null
	@sh tests/tools/bloat.sh $(B) $(B)/nohost

# ---- ----

install: all
	install -d $(addprefix $(DESTDIR),$(SBINDIR) $(DOCDIR) $(MANDIR)/man5 $(MANDIR)/man8)
	install -m 755 $(B)/smcroute $(DESTDIR)$(SBINDIR)/smcroute
	for a in $(APPLETS); do ln -sf smcroute $(DESTDIR)$(SBINDIR)/$$a; done
	install -m 644 smcroute.conf README.md LICENSE $(DESTDIR)$(DOCDIR)
	$(if $(COMPLETION),install -d $(addprefix $(DESTDIR),$(BASHDIR) $(ZSHDIR)))
	$(if $(COMPLETION),install -m 644 $(B)/completion/smcroutectl.bash $(DESTDIR)$(BASHDIR)/smcroutectl)
	$(if $(COMPLETION),install -m 644 $(B)/completion/_smcroutectl $(DESTDIR)$(ZSHDIR)/_smcroutectl)
	for s in 5 8; do for m in man/*.$$s; do test ! -f $$m || \
		install -m 644 $$m $(DESTDIR)$(MANDIR)/man$$s || exit 1; done; done

clean:
	rm -rf $(B)

FORCE:
.PHONY: all check demo bench bench-static profile fuzz fuzz-run static bloat install clean test-programs FORCE
.DELETE_ON_ERROR:

-include $(shell find $(B) -type f -name '*.d' 2>/dev/null)
