/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whom to ask for an instruction's assembly. */
#include "guest/disas.h"

static disas_fn *library;

void disas_use(disas_fn *by)
{
    library = by;
}

unsigned disas(enum disas_code kind, uint64_t pc, const uint8_t *code, size_t avail, char *buf, size_t len)
{
    return library ? library(kind, pc, code, avail, buf, len) : 0;
}
