# Emu's build.  `make` builds the programs into build/, `make check` tests them, `make help`
# lists the rest.  Sources and tests are globbed: nothing here names one.

B        := build
CC       ?= cc
AR       ?= ar
OPT      ?= -O2
WARN     := -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes -Wno-unused-parameter
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
else ifeq ($(V),fuzz)
CC       := clang
SAN      := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
LINK     := -pie
endif
CFLAGS   += $(SAN)
LDFLAGS  += $(SAN)
O        := $(B)/obj/$(V)

# The programs ----------------------------------------------------------------------------------
LIB_SRC  := $(filter-out src/app/%,$(shell find src -name '*.c' -o -name '*.S'))
LIB_OBJ  := $(patsubst %,$(O)/%.o,$(basename $(LIB_SRC)))
USER_OBJ := $(patsubst %,$(O)/%.o,$(basename $(wildcard src/app/user*.c)))

all: $(P)/emu-user $(P)/qemu-aarch64

$(P)/emu-user: $(USER_OBJ) $(O)/libemu.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) $(LINK) -o $@ $^ -lpthread

$(P)/qemu-aarch64: | $(P)/emu-user
	ln -sf emu-user $@

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

# Tests: one program per tests/unit/FOLDER/*_test.c and tests/ir/*_test.c -------------------------
UNIT_SRC := $(sort $(wildcard tests/unit/*/*_test.c tests/ir/*_test.c))
UNIT     := $(UNIT_SRC:%.c=$(O)/%)
TEST     := tests/run.py --emu $(P)/qemu-aarch64 --obj $(O)
export ROOTS ?= $(CURDIR)/$(B)/root

$(O)/tests/%_test: $(O)/tests/%_test.o $(O)/libemu.a
	$(CC) $(CFLAGS) $(LDFLAGS) $(LINK) -o $@ $^ -lpthread -lm
.PRECIOUS: $(O)/tests/%_test.o

unit: $(UNIT)

# Less than a minute: what everybody runs before a change goes in.
quick: all unit
	$(TEST) layers lists unit insn

# Everything, on a fresh Debian machine, too.  The packages come first, so the rest is a second
# make: it finds the compiler and libraries that the first one may not have had.
check:
	@tools/deps.sh build root test
	$(MAKE) all unit roots
	$(TEST) layers lists unit insn random cli programs stress

# The long form of the random instruction test: N instructions.
N ?= 2000000
check-random: all
	tests/insn/random_sequences.py --emu $(P)/qemu-aarch64 -n $(N)

check-layers check-lists check-unit check-insn check-cli check-programs check-stress: all unit
	$(TEST) $(@:check-%=%)

demo:
	@tools/deps.sh build root
	$(MAKE) all
	@tools/mk-root.sh demo arm64 $(ROOTS)/demo
	@tools/demo.sh $(P)/qemu-aarch64 $(ROOTS)/demo

# Debian file systems for tests and benchmarks; see tools/mk-root.sh.
roots:
	@tools/mk-root.sh full arm64 $(ROOTS)/arm64
	@tools/mk-root.sh full amd64 $(ROOTS)/amd64

# Debian packages that building and testing need; says nothing when all are there.
deps:
	@tools/deps.sh build root test

fmt:
	clang-format -i $(shell git ls-files '*.c' '*.h')

help:
	@echo 'make            build/qemu-aarch64 and its kin'
	@echo 'make demo       run Debian arm64 programs: shell, Python, the compiler'
	@echo 'make check      all tests (about 15 minutes on two cores); installs what it needs'
	@echo 'make quick      unit and instruction tests, in less than a minute'
	@echo 'make check-X    one group: layers lists unit insn cli programs stress'
	@echo 'make check-random N=2000000   random instruction sequences'
	@echo 'make static     build/qemu-aarch64-static, one stripped file for chroots'
	@echo 'make V=san ...  the same with address and undefined-behaviour sanitizers'
	@echo 'make fmt clean deps roots'

clean:
	rm -rf $(B)

-include $(shell find $(O) -name '*.d' 2>/dev/null)
.DELETE_ON_ERROR:
.PHONY: all static unit quick check demo roots deps fmt help clean
