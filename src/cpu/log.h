/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine's log: what was translated, into what, and what ran (items: enum engine_log_item). */
#ifndef CPU_LOG_H
#define CPU_LOG_H

#include "cpu/jit.h"

/** log_code - guest code [start, end), disassembled. */
void log_code(const struct engine *e, uint32_t mode, uint64_t start, uint64_t end);
/** log_ir - the IR of the region at @pc, when @item is asked for. */
void log_ir(const struct engine *e, enum engine_log_item item, uint64_t pc, const struct ir *ir);
/** log_region - a new region: guest code, optimised IR, host code. */
void log_region(const struct engine *e, const struct region *r, const struct span *spans,
                unsigned n_spans, const struct ir *ir);
/** log_entry - the run loop is about to enter @r, NULL: to interpret the block at cpu->pc. */
void log_entry(struct cpu *cpu, const struct region *r);
/** log_stop - cpu_run() is about to return @stop. */
void log_stop(const struct cpu *cpu, enum cpu_stop stop);

#endif
