# Emu's build.  `make` builds the programs into build/, `make check` tests them.
# Sources are globbed; nothing here names one.

B        := build
CC       ?= cc
OPT      ?= -O2
WARN     := -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes -Wno-unused-parameter
CPPFLAGS += -Isrc -I. -D_GNU_SOURCE
CFLAGS   += -std=gnu11 -g $(OPT) $(WARN) -fPIE -fno-strict-aliasing -ffp-contract=off -MMD -MP

# V names the variant: each has its own object folder.
V        ?= release
ifeq ($(V),san)
CFLAGS   += -fsanitize=address,undefined -fno-sanitize-recover=undefined
LDFLAGS  += -fsanitize=address,undefined
LINK     := -pie
else
LINK     := -static-pie
endif
O        := $(B)/obj/$(V)

LIB_SRC  := $(filter-out src/app/%,$(shell find src -name '*.c' -o -name '*.S'))
LIB_OBJ  := $(patsubst %,$(O)/%.o,$(basename $(LIB_SRC)))
USER_OBJ := $(patsubst %,$(O)/%.o,$(basename $(wildcard src/app/user*.c)))

all: $(B)/emu-user $(B)/qemu-aarch64

$(B)/emu-user: $(USER_OBJ) $(O)/libemu.a
	$(CC) $(CFLAGS) $(LDFLAGS) $(LINK) -o $@ $^ -lpthread

$(B)/qemu-aarch64: | $(B)/emu-user
	ln -sf emu-user $@

$(O)/libemu.a: $(LIB_OBJ)
	@rm -f $@
	ar rcs $@ $^

$(O)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(O)/%.o: %.S Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

clean:
	rm -rf $(B)

-include $(shell find $(O) -name '*.d' 2>/dev/null)
.PHONY: all clean
