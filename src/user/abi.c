/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of guest architectures, by name and by ELF header. */
#include "user/abi.h"
#include "user/elf.h"

#include <elf.h>
#include <string.h>

#define ABI(name) extern const struct user_abi abi_##name;
#include "user/abis.def"
#undef ABI

static const struct user_abi *const abis[] = {
#define ABI(name) &abi_##name,
#include "user/abis.def"
#undef ABI
    NULL,
};

const struct user_abi *abi_at(unsigned n)
{
    return n < sizeof(abis) / sizeof(abis[0]) ? abis[n] : NULL;
}

const struct user_abi *abi_find(const char *name, size_t len)
{
    for (unsigned i = 0; abis[i]; i++)
        if (strlen(abis[i]->name) == len && memcmp(abis[i]->name, name, len) == 0)
            return abis[i];
    return NULL;
}

const struct user_abi *abi_of_file(const uint8_t *head, size_t len)
{
    uint16_t machine = elf_machine(head, len);

    for (unsigned i = 0; machine && abis[i]; i++)
        if (abis[i]->machine == machine && head[EI_DATA] == ELFDATA2LSB &&
            head[EI_CLASS] == (abis[i]->word == 8 ? ELFCLASS64 : ELFCLASS32))
            return abis[i];
    return NULL;
}
