/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine's log: what was translated, into what, and what ran (items: enum engine_log_item). */
#include "cpu/log.h"
#include "cpu/vcpu.h"
#include "ir/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool wanted(const struct engine *e, enum engine_log_item item, uint64_t pc)
{
    const struct engine_log *l = e->conf.log;

    if (!l || !(__atomic_load_n(&l->items, __ATOMIC_RELAXED) & item))
        return false;
    for (unsigned i = 0; i < l->n_ranges; i++) {
        if (pc >= l->ranges[i].start && pc < l->ranges[i].end)
            return true;
    }
    return l->n_ranges == 0;
}

/* An entry is gathered in memory and written in one piece: processes may share the file. */
struct entry {
    char *text;
    size_t size;
};

static FILE *begin(struct entry *n)
{
    *n = (struct entry){0};
    return open_memstream(&n->text, &n->size);
}

static void finish(const struct engine *e, struct entry *n, FILE *f)
{
    size_t at = 0;

    if (fclose(f) == 0) {
        while (at < n->size) {
            ssize_t done = write(e->conf.log->fd, n->text + at, n->size - at);

            if (done <= 0)
                break;
            at += (size_t)done;
        }
    }
    free(n->text);
}

static void put_code(FILE *f, const struct engine *e, uint32_t mode, uint64_t start, uint64_t end)
{
    char text[256];

    for (uint64_t pc = start; pc < end;) {
        const uint8_t *code;
        size_t avail = engine_fetch(e, pc, &code, &mode);
        unsigned len = avail ? e->isa->disas(mode, pc, code, avail, text, sizeof(text)) : 0;

        if (!len)
            break;
        fprintf(f, "0x%08" PRIx64 ":  %s\n", pc, text);
        pc += len;
    }
}

void log_code(const struct engine *e, uint32_t mode, uint64_t start, uint64_t end)
{
    struct entry n;
    FILE *f;

    if (!wanted(e, ENGINE_LOG_CODE, start) || !(f = begin(&n)))
        return;
    fprintf(f, "----------------\nIN:\n");
    put_code(f, e, mode, start, end);
    putc('\n', f);
    finish(e, &n, f);
}

void log_ir(const struct engine *e, enum engine_log_item item, uint64_t pc, const struct ir *ir)
{
    struct entry n;
    FILE *f;

    if (!wanted(e, item, pc) || !(f = begin(&n)))
        return;
    fprintf(f, "%s: 0x%08" PRIx64 "\n", item == ENGINE_LOG_IR ? "IR" : "IR after the passes", pc);
    ir_print(ir, f);
    putc('\n', f);
    finish(e, &n, f);
}

static void log_host(const struct engine *e, const struct region *r)
{
    struct entry n;
    FILE *f;

    if (!wanted(e, ENGINE_LOG_HOST, r->pc) || !(f = begin(&n)))
        return;
    fprintf(f, "OUT: [size=%u]", (unsigned)r->code_len);
    for (size_t i = 0; i < r->code_len; i++) {
        if (i % 16 == 0)
            fprintf(f, "\n%p: ", (const void *)(r->code + i));
        fprintf(f, " %02x", r->code[i]);
    }
    fprintf(f, "\n\n");
    finish(e, &n, f);
}

void log_region(const struct engine *e, const struct region *r, const struct span *spans,
                unsigned n_spans, const struct ir *ir)
{
    if (!e->conf.log)
        return;
    for (unsigned i = 0; i < n_spans; i++)
        log_code(e, r->mode, spans[i].start, spans[i].end);
    log_ir(e, ENGINE_LOG_IR_OPT, r->pc, ir);
    log_host(e, r);
}

void log_entry(struct cpu *cpu, const struct region *r)
{
    const struct engine *e = cpu->engine;
    struct entry n;
    FILE *f;

    if (!e->conf.log ||
        !(wanted(e, ENGINE_LOG_EXEC, cpu->pc) || wanted(e, ENGINE_LOG_CPU, cpu->pc)) ||
        !(f = begin(&n)))
        return;
    if (e->conf.log->items & ENGINE_LOG_EXEC) {
        fprintf(f, "Trace %d: 0x%08" PRIx64 " [mode %x, ", gettid(), cpu->pc, cpu->mode);
        if (r)
            fprintf(f, "%s, %u %s, at %p]\n", r->hot ? "hot" : "cold", r->n_blocks,
                    r->n_blocks == 1 ? "block" : "blocks", (const void *)r->code);
        else
            fprintf(f, "interpreted]\n");
    }
    if (e->conf.log->items & ENGINE_LOG_CPU)
        e->isa->dump(cpu, f, e->conf.log->items & ENGINE_LOG_FPU);
    finish(e, &n, f);
}

static void put_stop(FILE *f, const struct cpu *cpu, enum cpu_stop stop)
{
    static const char *const names[] = {
        [CPU_STOP_SYSCALL] = "system call",
        [CPU_STOP_UNDEFINED] = "undefined instruction",
        [CPU_STOP_BREAKPOINT] = "breakpoint instruction",
        [CPU_STOP_FETCH_FAULT] = "not executable",
        [CPU_STOP_ALIGN] = "misaligned",
        [CPU_STOP_BTI] = "branch target",
        [CPU_STOP_PAC] = "pointer authentication",
        [CPU_STOP_ATTENTION] = "attention",
        [CPU_STOP_DEBUG] = "debugger",
        [CPU_STOP_YIELD] = "yield",
    };

    fprintf(f, "Stop %d: ", gettid());
    if (stop == CPU_STOP_FAULT)
        fprintf(f, "cannot %s 0x%08" PRIx64, cpu->fault_write ? "write" : "read", cpu->fault_addr);
    else
        fprintf(f, "%s", stop < sizeof(names) / sizeof(names[0]) && names[stop] ? names[stop] : "?");
    fprintf(f, ", pc 0x%08" PRIx64 "\n", cpu->pc);
}

void log_stop(const struct cpu *cpu, enum cpu_stop stop)
{
    const struct guest_system *system = cpu->engine->isa->system;
    struct entry n;
    FILE *f;

    if ((system && system->own_log) || !wanted(cpu->engine, ENGINE_LOG_STOP, cpu->pc) || !(f = begin(&n)))
        return;
    put_stop(f, cpu, stop);
    finish(cpu->engine, &n, f);
}

void cpu_log(struct cpu *cpu, enum engine_log_item item, bool registers, const char *format, ...)
{
    const struct engine *e = cpu->engine;
    struct entry n;
    va_list args;
    FILE *f;

    if (!wanted(e, item, cpu->pc) || !(f = begin(&n)))
        return;
    va_start(args, format);
    vfprintf(f, format, args);
    va_end(args);
    putc('\n', f);
    if (registers)
        e->isa->dump(cpu, f, e->conf.log->items & ENGINE_LOG_FPU);
    finish(e, &n, f);
}
