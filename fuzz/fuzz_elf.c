/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Headers of programs, property notes and #! lines: any bytes are read or refused, never more. */
#include "user/elf.h"
#include "user/script.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

int fuzz_one(const uint8_t *data, size_t len);

/* What the loader relies on. */
static void check(const struct elf *elf, uint64_t size)
{
    uint64_t end = 0;

    if (elf->n == 0 || elf->n > ELF_MAX_SEGMENTS || elf->high > UINT64_C(1) << 47)
        abort();
    for (unsigned i = 0; i < elf->n; i++) {
        const struct elf_segment *s = &elf->seg[i];

        if (s->vaddr < end || s->filesz > s->memsz || s->vaddr + s->memsz > elf->high ||
            (s->filesz && s->offset + s->filesz > size))
            abort();
        end = s->vaddr + s->memsz;
    }
    if (elf->interp_len > ELF_MAX_INTERP || elf->interp_off + elf->interp_len > size)
        abort();
}

int fuzz_one(const uint8_t *data, size_t len)
{
    static const uint16_t machines[] = {EM_AARCH64, EM_X86_64, EM_386};
    char line[SCRIPT_LINE + 1], *interp, *arg;
    struct err e = {0};
    struct elf elf;

    /* The file is said to be longer than what was read, as it usually is. */
    for (unsigned i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
        if (elf_parse(data, len, len + 65536, machines[i], &elf, &e) == 0)
            check(&elf, len + 65536);
    elf_property(&elf, data, len);
    memcpy(line, data, len < SCRIPT_LINE ? len : SCRIPT_LINE);
    script_parse(line, len, &interp, &arg);
    return 0;
}
