/* SPDX-License-Identifier: GPL-2.0-or-later */
/* print, x, xp, sum, memsave, pmemsave, gva2gpa: numbers and memory.  Formats are /COUNTformatSIZE, as gdb has them. */
#include "mon/mon_priv.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct fmt {
    unsigned count, size; /* size 0: not said */
    char format;          /* x d u o c i; 0: not said */
};

static int get_fmt(const char **args, struct fmt *f, struct err *e)
{
    const char *p = *args + strspn(*args, " \t");
    uint64_t n = 0;

    *f = (struct fmt){.count = 1};
    if (*p != '/')
        return 0;
    for (p++; isdigit((unsigned char)*p); p++)
        n = n > 1 << 20 ? n : n * 10 + (unsigned)(*p - '0');
    if (isdigit((unsigned char)p[-1]))
        f->count = n > 65536 ? 65536 : (unsigned)n;
    for (; isalpha((unsigned char)*p); p++) {
        static const char sizes[] = "bhwg";
        const char *s = strchr(sizes, *p);

        if (s)
            f->size = 1u << (s - sizes);
        else if (strchr("xduoci", *p))
            f->format = *p;
        else
            return err_set(e, -EINVAL, "invalid format '%c': x d u o c i, and b h w g for 1 2 4 8 bytes", *p);
    }
    if (*p && !isspace((unsigned char)*p))
        return err_set(e, -EINVAL, "invalid char in format: '%c'", *p);
    *args = p;
    return 0;
}

static void print_char(struct mon *m, unsigned char c)
{
    static const char plain[] = "\'\\\n\r", letters[] = "\'\\nr";
    const char *p = c ? strchr(plain, c) : NULL;

    if (p)
        mon_printf(m, "'\\%c'", letters[p - plain]);
    else if (isprint(c))
        mon_printf(m, "'%c'", c);
    else
        mon_printf(m, "'\\x%02x'", c);
}

static void print_one(struct mon *m, const struct fmt *f, uint64_t v, unsigned size)
{
    int64_t s = (int64_t)(v << (64 - 8 * size)) >> (64 - 8 * size);
    int digits = 2 * (int)size;

    switch (f->format) {
    case 'd': mon_printf(m, "%*" PRId64, size == 1 ? 4 : size == 2 ? 6 : size == 4 ? 11 : 20, s); break;
    case 'u': mon_printf(m, "%*" PRIu64, size == 1 ? 3 : size == 2 ? 5 : size == 4 ? 10 : 20, v); break;
    case 'o': mon_printf(m, "%#*" PRIo64, (8 * (int)size + 2) / 3, v); break;
    case 'c':
        print_char(m, (unsigned char)v);
        break;
    default: mon_printf(m, "0x%0*" PRIx64, digits, v); break;
    }
}

static int print(struct mon *m, const char *args, struct err *e)
{
    struct fmt f;
    uint64_t v;

    if (get_fmt(&args, &f, e) < 0 || mon_expr(m, &args, &v, e) < 0 || mon_end(args, e) < 0)
        return e->code;
    switch (f.format) {
    case 'd': mon_printf(m, "%" PRId64 "\n", v); break;
    case 'u': mon_printf(m, "%" PRIu64 "\n", v); break;
    case 'o': mon_printf(m, "%#" PRIo64 "\n", v); break;
    case 'c':
        print_one(m, &f, v, 1);
        mon_puts(m, "\n");
        break;
    default: mon_printf(m, "%#" PRIx64 "\n", v); break;
    }
    return 0;
}

const struct mon_command cmd_print = {
    .name = "print",
    .alias = "p",
    .args = "/fmt expr",
    .help = "print expression value (use $reg for CPU register access)",
    .run = print,
};

/* Reading memory ------------------------------------------------------------------------------------ */

#define LONGEST_INSN 15 /* an x86's */

struct look {
    struct mon *m;
    bool physical;
    uint64_t at;
    uint8_t *buf;
    size_t len, got;
    char text[256]; /* of one instruction */
    unsigned insn;
};

static void look_virtual(struct cpu *cpu, void *opaque)
{
    struct look *l = opaque;

    l->got = mmu_read(cpu, l->at, l->buf, l->len);
}

static size_t look(struct look *l)
{
    struct access a = {.who = BUS_NOBODY, .debug = true};

    if (l->physical) {
        space_read(machine_space(l->m->env->m), l->at, l->buf, l->len, a); /* nothing there reads as zeros */
        return l->len;
    }
    vcpu_call(mon_vcpu(l->m, ERR_IGNORE), look_virtual, l);
    return l->got;
}

static void disassemble(struct cpu *cpu, void *opaque)
{
    struct look *l = opaque;

    l->insn = cpu->isa->disas ? cpu->isa->disas(cpu->mode, l->at, l->buf, l->got, l->text, sizeof(l->text))
                              : 0;
}

static int dump_insns(struct mon *m, struct look *l, unsigned count)
{
    for (; count; count--, l->at += l->insn) {
        l->len = LONGEST_INSN;
        l->got = look(l); /* less where memory ends */
        l->insn = 0;
        if (l->got)
            vcpu_call(mon_vcpu(m, ERR_IGNORE), disassemble, l);
        if (!l->got || l->insn > l->got) {
            mon_printf(m, "0x%08" PRIx64 ":  unable to read memory\n", l->at);
            return 0;
        }
        if (!l->insn) {
            snprintf(l->text, sizeof(l->text), "(no disassembler)");
            l->insn = 4;
        }
        mon_printf(m, "0x%08" PRIx64 ":  %s\n", l->at, l->text);
    }
    return 0;
}

static int dump(struct mon *m, const char *args, bool physical, struct err *e)
{
    struct look l = {.m = m, .physical = physical};
    uint8_t buf[16];
    struct fmt f;
    unsigned per_line;

    if (get_fmt(&args, &f, e) < 0 || mon_expr(m, &args, &l.at, e) < 0 || mon_end(args, e) < 0)
        return e->code;
    if ((!physical || f.format == 'i') && !mon_vcpu(m, e))
        return e->code;
    l.buf = buf;
    if (f.format == 'i')
        return dump_insns(m, &l, f.count);
    f.size = f.size ? f.size : f.format == 'c' ? 1 : 4;
    per_line = f.format == 'c' || f.size == 1 ? 8 : 16 / f.size;
    for (unsigned done = 0; done < f.count;) {
        unsigned n = f.count - done < per_line ? f.count - done : per_line;

        mon_printf(m, "%016" PRIx64 ":", l.at);
        for (unsigned i = 0; i < n; i++, l.at += f.size) {
            uint64_t v = 0;

            l.len = f.size;
            if (look(&l) < f.size) {
                mon_printf(m, "\nCannot access memory\n");
                return 0;
            }
            memcpy(&v, buf, f.size);
            mon_puts(m, " ");
            print_one(m, &f, v, f.size);
        }
        mon_puts(m, "\n");
        done += n;
    }
    return 0;
}

static int x(struct mon *m, const char *args, struct err *e)
{
    return dump(m, args, false, e);
}

static int xp(struct mon *m, const char *args, struct err *e)
{
    return dump(m, args, true, e);
}

const struct mon_command cmd_x = {
    .name = "x", .args = "/fmt addr", .help = "virtual memory dump starting at 'addr'", .run = x};
const struct mon_command cmd_xp = {
    .name = "xp", .args = "/fmt addr", .help = "physical memory dump starting at 'addr'", .run = xp};

static int checksum(struct mon *m, const char *args, struct err *e)
{
    uint64_t at, size;
    uint16_t total = 0;

    if (mon_expr(m, &args, &at, e) < 0 || mon_expr(m, &args, &size, e) < 0 || mon_end(args, e) < 0)
        return e->code;
    if (size > 1u << 30)
        return err_set(e, -ERANGE, "size %" PRIu64 " is too large, at most 1 GiB", size);
    for (; size; size--, at++) { /* the BSD checksum */
        uint8_t byte;

        space_read(machine_space(m->env->m), at, &byte, 1, (struct access){.who = BUS_NOBODY, .debug = true});
        total = (uint16_t)((total >> 1 | total << 15) + byte);
    }
    mon_printf(m, "%05u\n", total);
    return 0;
}

const struct mon_command cmd_sum = {
    .name = "sum", .args = "addr size", .help = "compute the checksum of a memory region", .run = checksum};

static int save(struct mon *m, const char *args, bool physical, struct err *e)
{
    struct look l = {.m = m, .physical = physical};
    uint8_t buf[4096];
    uint64_t size;
    char path[1024];
    FILE *f;

    if (mon_expr(m, &args, &l.at, e) < 0 || mon_expr(m, &args, &size, e) < 0)
        return e->code;
    if (!mon_word(&args, path, sizeof(path)))
        return err_set(e, -EINVAL, "expected a file name");
    if (!physical && !mon_vcpu(m, e))
        return e->code;
    if (!(f = fopen(path, "we")))
        return err_set(e, -errno, "Could not open '%s': %s", path, strerror(errno));
    l.buf = buf;
    for (; size && !e->code; size -= l.len, l.at += l.len) {
        l.len = size < sizeof(buf) ? size : sizeof(buf);
        l.len = physical || l.len <= 4096 - (l.at & 4095) ? l.len : 4096 - (l.at & 4095);
        if (look(&l) < l.len)
            err_set(e, -EFAULT, "Invalid addr 0x%016" PRIx64 " specified", l.at);
        else if (fwrite(buf, 1, l.len, f) != l.len)
            err_set(e, -EIO, "Could not write '%s': %s", path, strerror(errno));
    }
    if (fclose(f) != 0 && !e->code)
        err_set(e, -EIO, "Could not write '%s': %s", path, strerror(errno));
    return e->code;
}

static int memsave(struct mon *m, const char *args, struct err *e)
{
    return save(m, args, false, e);
}

static int pmemsave(struct mon *m, const char *args, struct err *e)
{
    return save(m, args, true, e);
}

const struct mon_command cmd_memsave = {
    .name = "memsave",
    .args = "addr size file",
    .help = "save to disk virtual memory dump starting at 'addr' of size 'size'",
    .run = memsave,
};
const struct mon_command cmd_pmemsave = {
    .name = "pmemsave",
    .args = "addr size file",
    .help = "save to disk physical memory dump starting at 'addr' of size 'size'",
    .run = pmemsave,
};

struct walk {
    uint64_t va, pa;
    bool ok;
};

static void walk(struct cpu *cpu, void *opaque)
{
    struct walk *w = opaque;

    w->ok = mmu_debug_walk(cpu, w->va, &w->pa);
}

static int gva2gpa(struct mon *m, const char *args, struct err *e)
{
    struct walk w = {0};

    if (mon_expr(m, &args, &w.va, e) < 0 || mon_end(args, e) < 0 || !mon_vcpu(m, e))
        return e->code;
    vcpu_call(mon_vcpu(m, e), walk, &w);
    if (w.ok)
        mon_printf(m, "gpa: %#" PRIx64 "\n", w.pa);
    else
        mon_printf(m, "Unmapped\n");
    return 0;
}

const struct mon_command cmd_gva2gpa = {
    .name = "gva2gpa",
    .args = "addr",
    .help = "print the guest physical address corresponding to a guest virtual address",
    .run = gva2gpa,
};
