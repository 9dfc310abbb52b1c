# Emu's build.  `make` builds the programs into build/, `make check` tests them, `make help`
# lists the rest.  Sources and tests are globbed: nothing here names one.

B        := build
CC       ?= cc
AR       ?= ar
OPT      ?= -O2
WARN     := -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes -Wno-unused-parameter \
            -Wno-missing-field-initializers $(WERROR)
WERROR   ?=
CPPFLAGS += -Isrc -I. -D_GNU_SOURCE
CFLAGS   += -std=gnu11 -g $(OPT) $(WARN) -fPIE -fno-strict-aliasing -ffp-contract=off -MMD -MP

# V names the variant: each has its own object folder and, but for release, its own programs.
V        ?= release
LINK     := -static-pie
P        := $(B)/$(V)
ifeq ($(V),release)
P        := $(B)
else ifeq ($(V),san)
SAN      := -fsanitize=address,undefined -fno-sanitize-recover=undefined
LINK     := -pie
else ifeq ($(V),tsan)
SAN      := -fsanitize=thread -Wno-tsan
LINK     := -pie
else ifeq ($(V),fuzz)
CC       := clang
SAN      := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
LINK     := -pie
endif
CFLAGS   += $(SAN)
LDFLAGS  += $(SAN)
O        := $(B)/obj/$(V)

# Libraries of the storage tools.  emu-user links none of them: its objects never name them.
STORAGE_PKGS := json-c zlib libzstd gnutls nettle libcurl libssh libnbd
CPPFLAGS     += $(shell pkg-config --cflags $(STORAGE_PKGS) 2>/dev/null)
STORAGE_LIBS := $(shell pkg-config --libs $(STORAGE_PKGS) 2>/dev/null) -lbz2
STORAGE      := qemu-img qemu-io qemu-nbd

# Linux programs of these architectures; the links are their names.
USERS        := qemu-aarch64 qemu-x86_64 qemu-i386

# And of the machines; the links are the names of their guests.
SYSTEMS      := qemu-system-aarch64 qemu-system-x86_64 qemu-system-i386
SYSTEM_PKGS  := json-c slirp zlib gnutls
CPPFLAGS     += $(shell pkg-config --cflags $(SYSTEM_PKGS) 2>/dev/null)
SYSTEM_LIBS  := $(shell pkg-config --libs $(SYSTEM_PKGS) 2>/dev/null) -lfdt
# Those that are used when they are there: HAVE_LIBPNG and so on.
MAYBE_PKGS   := $(foreach p,libpng libvncserver capstone,$(shell pkg-config --exists $(p) 2>/dev/null && echo $(p)))
CPPFLAGS     += $(foreach p,$(MAYBE_PKGS),-DHAVE_$(shell echo $(p) | tr a-z A-Z) $(shell pkg-config --cflags $(p)))
SYSTEM_LIBS  += $(foreach p,$(MAYBE_PKGS),$(shell pkg-config --libs $(p)))

# The programs ----------------------------------------------------------------------------------
LIB_SRC  := $(filter-out src/app/%,$(shell find src -name '*.c' -o -name '*.S'))
LIB_OBJ  := $(patsubst %,$(O)/%.o,$(basename $(LIB_SRC)))
USER_OBJ := $(patsubst %,$(O)/%.o,$(basename $(wildcard src/app/user*.c)))

STORAGE_OBJ := $(patsubst %,$(O)/%.o,$(basename $(wildcard src/app/storage*.c src/app/img/*.c \
               src/app/io/*.c src/app/nbd/*.c)))

SYSTEM_OBJ  := $(patsubst %,$(O)/%.o,$(basename $(wildcard src/app/system/*.c)))

all: $(P)/emu-user $(USERS:%=$(P)/%) $(P)/emu-storage $(STORAGE:%=$(P)/%) $(P)/emu-system $(SYSTEMS:%=$(P)/%)

$(P)/emu-user: $(USER_OBJ) $(O)/libemu.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) $(LINK) -o $@ $^ -lpthread

$(USERS:%=$(P)/%): | $(P)/emu-user
	ln -sf emu-user $@

$(P)/emu-storage: $(STORAGE_OBJ) $(O)/libemu.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -pie -o $@ $^ -Wl,--as-needed $(STORAGE_LIBS) -lpthread

$(STORAGE:%=$(P)/%): | $(P)/emu-storage
	ln -sf emu-storage $@

$(P)/emu-system: $(SYSTEM_OBJ) $(O)/libemu.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -pie -o $@ $^ -Wl,--as-needed $(SYSTEM_LIBS) $(STORAGE_LIBS) -lpthread -lm

$(SYSTEMS:%=$(P)/%): | $(P)/emu-system
	ln -sf emu-system $@

$(O)/libemu.a: $(LIB_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

$(O)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(O)/%.o: %.S Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# One file for chroots: no debug sections, nothing looked up at run time.
static: $(B)/qemu-aarch64-static
$(B)/qemu-aarch64-static: $(B)/emu-user
	strip -o $@ $<

# Tests: one program per tests/unit/FOLDER/*_test.c, tests/ir/*_test.c and tests/dev/*_test.c.  OPTS=--hot-after=1 and
# the like: options of Emu itself (qemu-aarch64 -h) for all that the tests run.  SKIPS=listed: what is
# skipped fails unless tests/allowed-skips has it. -----------------------------------------------
UNIT_SRC := $(sort $(wildcard tests/unit/*/*_test.c tests/ir/*_test.c tests/dev/*_test.c))
UNIT     := $(UNIT_SRC:%.c=$(O)/%)
OPTS     ?=
SKIPS    ?= any
TEST     := tests/run.py --emu $(P)/qemu-aarch64 --obj $(O) --opts='$(OPTS)' --skips=$(SKIPS) --flags='$(CPPFLAGS) $(CFLAGS)'
export ROOTS ?= $(CURDIR)/$(B)/root
export GUESTS ?= $(CURDIR)/$(B)/guests

$(O)/tests/%_test: $(O)/tests/%_test.o $(O)/libemu.a
	$(CC) $(CFLAGS) $(LDFLAGS) $(LINK) -o $@ $(filter %.o,$^) $(O)/libemu.a $(LIBS) -lpthread -lm
.PRECIOUS: $(O)/tests/%_test.o

# Tests of floors that use libraries are linked with them, dynamically.
$(O)/tests/unit/block/% $(O)/tests/unit/schema/%: LINK := -pie
$(O)/tests/unit/block/% $(O)/tests/unit/schema/%: LIBS := -Wl,--as-needed $(STORAGE_LIBS)
$(O)/tests/unit/net/% $(O)/tests/unit/ui/%: LINK := -pie
$(O)/tests/unit/net/% $(O)/tests/unit/ui/%: LIBS := -Wl,--as-needed $(SYSTEM_LIBS) $(STORAGE_LIBS)

# Those of machines with theirs; a device's test is driven by a rig (tests/dev/rig.h).  Storage comes too: disks are devices.
MACHINE_TESTS := $(addprefix $(O)/tests/unit/,base/loop% bus/% cpu/mmu% cpu/vcpu% guest/system% net/% ui/% board/% mon/%) $(O)/tests/dev/%
$(MACHINE_TESTS): LINK := -pie
$(MACHINE_TESTS): LIBS := -Wl,--as-needed $(SYSTEM_LIBS) $(STORAGE_LIBS)
$(patsubst %.c,$(O)/%,$(filter tests/dev/%,$(UNIT_SRC))): $(O)/tests/dev/rig.o $(O)/tests/dev/vdrv.o

# What the translator makes of the instruction tests (tests/insn/golden.py).
COUNT    := $(O)/tests/insn/count
$(COUNT): $(COUNT).o $(O)/libemu.a
	$(CC) $(CFLAGS) $(LDFLAGS) $(LINK) -o $@ $^ -lpthread -lm

# The machine that tests of the system level run on (tests/sys/README.md).
MACHINE  := $(O)/tests/sys/machine $(O)/tests/sys/machine_x86
$(MACHINE): %: %.o $(O)/libemu.a
	$(CC) $(CFLAGS) $(LDFLAGS) -pie -o $@ $^ -Wl,--as-needed $(SYSTEM_LIBS) $(STORAGE_LIBS) -lpthread -lm

unit: $(UNIT) $(COUNT) $(MACHINE)

# Fuzz targets: fuzz/fuzz_NAME.c, corpus in fuzz/corpus/NAME.  With V=fuzz, libFuzzer drives them;
# otherwise fuzz/replay.c runs the corpus and random changes of it for some seconds.
FUZZ     := $(patsubst %.c,$(O)/%,$(wildcard fuzz/fuzz_*.c))
DRIVER   := $(if $(filter fuzz,$(V)),fuzz/libfuzzer,fuzz/replay)

$(O)/fuzz/fuzz_%: $(O)/fuzz/fuzz_%.o $(O)/$(DRIVER).o $(O)/libemu.a
	$(CC) $(CFLAGS) $(LDFLAGS) $(if $(filter fuzz,$(V)),-fsanitize=fuzzer) -pie -o $@ $^ \
	    -Wl,--as-needed $(SYSTEM_LIBS) $(STORAGE_LIBS) -lpthread -lm
.PRECIOUS: $(O)/fuzz/fuzz_%.o $(O)/fuzz/replay.o

fuzzers: $(FUZZ)

# make fuzz F=elf T=60: fuzz one target for T seconds; what it finds goes to build/fuzz/NAME.
F ?= elf
T ?= 60
fuzz:
	@tools/deps.sh build fuzz
	$(MAKE) V=fuzz $(B)/obj/fuzz/fuzz/fuzz_$(F)
	@mkdir -p $(B)/fuzz/$(F)
	$(B)/obj/fuzz/fuzz/fuzz_$(F) -max_total_time=$(T) -artifact_prefix=$(B)/fuzz/crash-$(F)- \
	    $(B)/fuzz/$(F) fuzz/corpus/$(F)

# Less than a minute: what everybody runs before a change goes in.
quick: all unit
	$(TEST) layers lists docs unit golden insn sys

# Everything, on a fresh Debian machine, too.  The packages come first, so the rest is a second
# make: it finds the compiler and libraries that the first one may not have had.
check:
	@tools/deps.sh build root test
	$(MAKE) -j$$(nproc) all unit fuzzers
	$(MAKE) -j$$(nproc) roots guests disk
	$(TEST) --again=3 layers lists docs warnings unit golden fuzz insn sys machine boot random cli image programs tiers stress

# The same tests on a build with address and undefined-behaviour sanitizers, without those that only
# take long.
check-san:
	@tools/deps.sh build root test
	$(MAKE) -j$$(nproc) V=san all unit fuzzers
	$(MAKE) roots
	$(MAKE) V=san check-san-tests
check-san-tests:
	$(TEST) $(or $(GROUP),unit fuzz insn sys cli image)

# Unit tests and the storage programs under the thread sanitizer.  It cannot see what translated code
# does, and leaves no room for the address space of guest programs.
check-tsan:
	@tools/deps.sh build test
	$(MAKE) -j$$(nproc) V=tsan unit $(B)/tsan/emu-storage $(STORAGE:%=$(B)/tsan/%)
	$(MAKE) V=tsan check-tsan-tests
check-tsan-tests:
	$(TEST) $(or $(GROUP),unit image)

# The long form of the random instruction test: N instructions.
N ?= 2000000
check-random: all $(O)/tests/unit/host/random_test
	tests/insn/random_sequences.py --emu $(P)/qemu-aarch64 -n $(N)
	HOST_RANDOM=$(N) $(O)/tests/unit/host/random_test

# The same for x86, beside the processor underneath: N sequences for each of 64- and 32-bit code.
check-random-x86: $(O)/tests/unit/guest/x86_native_test
	X86_RANDOM=$(N) $(O)/tests/unit/guest/x86_native_test

# What the translator makes of the instruction tests has changed, and that is meant.
regold: $(COUNT)
	tests/insn/golden.py --count $(COUNT) --write
	git diff --stat tests/insn/golden.txt

check-fuzz: fuzzers
check-layers check-lists check-docs check-warnings check-unit check-golden check-fuzz check-insn check-sys check-machine check-boot check-cli check-image check-programs check-tiers check-stress: all unit
	$(TEST) $(@:check-%=%)

# Benchmarks: native, both references and Emu in turns (bench/README.md).
comma := ,
RUNS ?= 5
ONLY ?=
# GUEST=x86_64 or i386: of that guest.
bench: GUEST ?= aarch64
bench:
	@tools/deps.sh build root test bench
	$(MAKE) all roots
	@tools/mk-reference.sh $(B)/reference
	bench/user/run.py --guest $(GUEST) --roots $(ROOTS) --build $(B)/bench --references $(B)/reference/$(GUEST) \
	    --emu $(P)/qemu-$(GUEST) --runs $(RUNS) --only '$(ONLY)'

bench-translate:
	@tools/deps.sh build root test bench
	$(MAKE) -j$$(nproc) all roots
	bench/user/translate.py --emu $(P)/qemu-aarch64 --roots $(ROOTS) $(if $(ONLY),--only '$(ONLY)',--keep)

bench-insns:
	@tools/deps.sh build test bench
	$(MAKE) -j$$(nproc) all
	bench/user/insns.py --emu $(P)/qemu-aarch64 $(if $(ONLY),--only '$(ONLY)',--keep)

# Debian packages built and tested in an arm64 root, under the references and under Emu.
bench-build:
	@tools/deps.sh build root test bench
	$(MAKE) -j$$(nproc) all
	@tools/mk-reference.sh $(B)/reference
	@tools/mk-root.sh build arm64 $(ROOTS)/build-arm64
	@tools/mk-sources.sh $(B)/sources hello zlib lua5.4
	bench/user/build.py --root $(ROOTS)/build-arm64 --references $(B)/reference/aarch64 \
	    --sources $(B)/sources --logs $(B)/bench/build --emu $(P)/qemu-aarch64 --only '$(ONLY)'

# Converts and random writes killed at random times, and continued.
CRASH_ROUNDS ?= 200
crash: all
	EMU_BIN=$(P) CRASH_ROUNDS=$(CRASH_ROUNDS) tests/image/crash_convert.py
	EMU_BIN=$(P) CRASH_ROUNDS=$(CRASH_ROUNDS) tests/image/crash_write.py

# Disk images beside the reference and the host's limit (bench/README.md).
bench-storage:
	@tools/deps.sh build test
	$(MAKE) $(P)/emu-storage $(STORAGE:%=$(P)/%)
	EMU_BIN=$(P) bench/storage.py -n $(RUNS) $(subst $(comma), ,$(ONLY))

# Debian's arm64 installer in this terminal; UNATTENDED=1: to its first screen, and out.
demo:
	@tools/deps.sh build root
	$(MAKE) -j$$(nproc) all
	@tools/mk-guests.sh $(GUESTS) di
	@tools/demo-machine.sh $(P)/qemu-system-aarch64 $(GUESTS)

# One arm64 program after the other, without a machine.
demo-user:
	@tools/deps.sh build root
	$(MAKE) -j$$(nproc) all
	@tools/mk-root.sh demo arm64 $(ROOTS)/demo
	@tools/demo.sh $(P)/qemu-aarch64 $(ROOTS)/demo

# Debian file systems for tests and benchmarks; see tools/mk-root.sh.
roots: root-arm64 root-amd64 root-i386
root-arm64 root-amd64: root-%:
	@tools/mk-root.sh full $* $(ROOTS)/$*
root-i386: root-%:
	@tools/mk-root.sh programs $* $(ROOTS)/$*

# Kernels, the installer and firmware, for machines.
guests:
	@tools/mk-guests.sh $(GUESTS)

# A whole Debian on a disk, for arm64 and for PCs; without the rights that installing one takes, tests that want it say so and are skipped.
disk: disk-arm64 disk-pc
disk-arm64: $(P)/emu-user $(P)/qemu-aarch64
	-@tools/mk-disk.sh $(P)/qemu-aarch64 $(GUESTS)/disk
disk-pc:
	-@tools/mk-disk-pc.sh $(GUESTS)/disk-pc

# Machines beside the reference: boots, and work in the guest; GUEST=x86_64 for PCs.
bench-system: all guests disk
	@tools/deps.sh build test bench
	bench/system/run.py --guest $(or $(GUEST),aarch64) --bin $(P) --guests $(GUESTS) --disk $(GUESTS)/$(if $(filter x86_64,$(GUEST)),disk-pc,disk) --runs $(RUNS) --only '$(ONLY)'

# A small guest that reboots 200 times.
check-reboots: all guests
	EMU_BIN=$(P) tests/boot/reboots.py

# PCs that take longer to boot: installers, Xen, a whole pass of memtest86+, Debian from every kind of disk.
check-pcs: all guests disk
	EMU_BIN=$(P) tests/boot/guests.py x86 --long
	EMU_BIN=$(P) tests/boot/screen.py --long
	EMU_BIN=$(P) tests/boot/debian_pc.py --long
	EMU_BIN=$(P) tests/boot/debian_words.py
	EMU_BIN=$(P) tests/boot/debian_cards.py

# The whole Debian with stress-ng: six classes, a minute each.
check-debian: all disk
	EMU_BIN=$(P) DISK=$(GUESTS)/disk STRESS=$${STRESS:-60} tests/boot/debian.py

# Debian packages that building and testing need; says nothing when all are there.
deps:
	@tools/deps.sh build root test

fmt:
	clang-format -i $(shell git ls-files '*.c' '*.h')

help:
	@echo 'make            build/qemu-aarch64, build/qemu-img and their kin'
	@echo 'make demo       boot the Debian arm64 installer here (UNATTENDED=1: to its first screen)'
	@echo 'make demo-user  run Debian arm64 programs: shell, Python, the compiler'
	@echo 'make check      all tests (about 15 minutes on two cores); installs what it needs'
	@echo 'make quick      unit and instruction tests, in less than a minute'
	@echo 'make check-X    one group: layers lists docs warnings unit golden fuzz insn sys machine boot random cli image programs tiers stress'
	@echo 'make regold     records what the translator makes of the instruction tests'
	@echo 'make check-programs OPTS=--hot-after=1   with options of the engine (qemu-aarch64 -h)'
	@echo 'make check SKIPS=listed WERROR=-Werror   as CI does: no skips but tests/allowed-skips, no warnings'
	@echo 'make check-random N=2000000   random instruction sequences; check-random-x86: x86, beside the processor underneath'
	@echo 'make static     build/qemu-aarch64-static, one stripped file for chroots'
	@echo 'make check-san  tests with address and undefined-behaviour sanitizers'
	@echo 'make check-tsan  unit and image tests with the thread sanitizer'
	@echo 'make fuzz F=elf T=60   fuzz one target (see fuzz/) for T seconds'
	@echo 'make bench      the benchmarks; ONLY=fib,startup RUNS=3 for some of them'
	@echo 'make crash      kills 200 converts and 200 writers at random times and lets them go on'
	@echo 'make bench-storage  qemu-img beside the reference, cp and cmp'
	@echo 'make bench-system  machines beside the reference: boots, and work in the guest; GUEST=x86_64'
	@echo 'make check-debian  a whole Debian guest with stress-ng, 6 minutes for each number of CPUs'
	@echo 'make check-pcs  PCs that take longer to boot: installers, Xen, a pass of memtest86+, models of -cpu, Debian from every kind of disk'
	@echo 'make check-reboots  a small guest that reboots 200 times'
	@echo 'make bench-insns  host instructions per guest instruction, kept in bench/user/insns.txt'
	@echo 'make bench-build  Debian packages built and tested in an arm64 root, beside the references'
	@echo 'make bench-translate  what translating costs, kept in bench/user/translate.txt'
	@echo 'make fmt clean deps roots guests disk'

clean:
	rm -rf $(B)

-include $(shell find $(O) -name '*.d' 2>/dev/null)
.DELETE_ON_ERROR:
.PHONY: all static unit fuzzers quick regold check check-san check-random check-random-x86 bench bench-translate bench-insns bench-build bench-storage crash demo demo-user roots root-arm64 root-amd64 root-i386 guests disk disk-arm64 disk-pc bench-system check-debian check-reboots check-pcs \
        deps fuzz fmt help clean
