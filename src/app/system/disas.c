/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Instructions as text by libcapstone (its documentation, "Programming with C"); it stays out of the programs for programs, which are static. */
#include "app/system/sys.h"
#include "guest/disas.h"

#ifndef HAVE_CAPSTONE

void begin_disas(void)
{
}

#else

#include <capstone.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

enum { PER_LINE = 8 }; /* bytes of code, where instructions have several lengths */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    csh handle;
    cs_insn *insn; /* NULL: not opened yet */
} opened[DISAS_KINDS]; /* [lock] */

static bool open_kind(enum disas_code kind)
{
    static const struct {
        cs_arch arch;
        cs_mode mode;
    } what[DISAS_KINDS] = {[DISAS_A64] = {CS_ARCH_ARM64, CS_MODE_LITTLE_ENDIAN},
                           [DISAS_X86_16] = {CS_ARCH_X86, CS_MODE_16},
                           [DISAS_X86_32] = {CS_ARCH_X86, CS_MODE_32},
                           [DISAS_X86_64] = {CS_ARCH_X86, CS_MODE_64}};

    if (opened[kind].insn)
        return true;
    if (cs_open(what[kind].arch, what[kind].mode, &opened[kind].handle) != CS_ERR_OK)
        return false;
    if (what[kind].arch == CS_ARCH_X86)
        cs_option(opened[kind].handle, CS_OPT_SYNTAX, CS_OPT_SYNTAX_ATT);
    opened[kind].insn = cs_malloc(opened[kind].handle);
    if (!opened[kind].insn)
        cs_close(&opened[kind].handle);
    return opened[kind].insn;
}

struct text {
    char *buf;
    size_t at, len;
};

static void __attribute__((format(printf, 2, 3))) put(struct text *t, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = t->at < t->len ? vsnprintf(t->buf + t->at, t->len - t->at, fmt, ap) : 0;
    va_end(ap);
    t->at += n > 0 ? (size_t)n : 0;
}

static void put_insn(struct text *t, enum disas_code kind, const cs_insn *i)
{
    if (kind == DISAS_A64) {
        put(t, "%02x%02x%02x%02x  ", i->bytes[3], i->bytes[2], i->bytes[1], i->bytes[0]);
    } else {
        for (unsigned n = 0; n < PER_LINE; n++)
            if (n < i->size)
                put(t, "%02x ", i->bytes[n]);
            else
                put(t, "   ");
        put(t, " ");
    }
    put(t, "%-8s %s", i->mnemonic, i->op_str);
    if (kind == DISAS_A64 || i->size <= PER_LINE)
        return;
    put(t, "\n0x%08" PRIx64 ":  ", i->address + PER_LINE);
    for (unsigned n = PER_LINE; n < i->size; n++)
        put(t, n > PER_LINE ? " %02x" : "%02x", i->bytes[n]);
}

static unsigned assembly(enum disas_code kind, uint64_t pc, const uint8_t *code, size_t avail, char *buf, size_t len)
{
    struct text t = {buf, 0, len};
    unsigned size = 0;

    pthread_mutex_lock(&lock);
    if (open_kind(kind) && cs_disasm_iter(opened[kind].handle, &code, &avail, &pc, opened[kind].insn)) {
        size = opened[kind].insn->size;
        put_insn(&t, kind, opened[kind].insn);
    }
    pthread_mutex_unlock(&lock);
    return size;
}

void begin_disas(void)
{
    disas_use(assembly);
}

#endif
