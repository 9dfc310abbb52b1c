/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What isa.c takes from lift.c and model.c: the functions of struct guest_isa (cpu/cpu.h). */
#ifndef GUEST_AARCH64_LIFT_PRIV_H
#define GUEST_AARCH64_LIFT_PRIV_H

#include "cpu/cpu.h"

extern const struct ir_slot a64_slots[];

uint32_t a64_lift(struct ir *ir, uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail,
                  uint64_t end, unsigned limit);
uint32_t a64_flat(struct flat *f, uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail,
                  uint64_t end, unsigned limit);
bool a64_idle_dead(uint32_t mode, uint64_t pc, const uint8_t *(*code)(void *opaque, uint64_t pc, size_t *avail), void *opaque);
enum guest_idle a64_idle_effect(uint32_t mode, const uint8_t *code, size_t avail, unsigned *len);
unsigned a64_lands(uint32_t mode, const uint8_t *code, size_t avail);
void a64_scan(uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail, unsigned limit,
              struct guest_scan *out);
unsigned a64_disas(uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail, char *buf, size_t len);
uint64_t a64_id_register(uint32_t mode, unsigned crm, unsigned op2);

#endif
