/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of verbatim code share: rows found by a table (verbatim_quick.c) are those that reading them in full made (verbatim.c). */
#ifndef GUEST_X86_VERBATIM_PRIV_H
#define GUEST_X86_VERBATIM_PRIV_H

#include "guest/x86/decode_priv.h"

#include "ir/verbatim.h"

/* What an instruction does first with RCX. */
enum rcx_use { RCX_UNUSED, RCX_WRITTEN, RCX_READ };

/* Fields that name integer registers. */
enum { FIELD_REG = 1, FIELD_RM = 2, FIELD_LOW = 4 };

/** struct verbatim_form - all instructions that a model of decode_quick.c stands for. */
struct verbatim_form {
    uint8_t known;                    /* enum form_known [atomic, the last] */
    uint8_t kind;                     /* enum verbatim_kind */
    uint8_t imm_bytes;
    bool imm_unsigned, modrm, mem, may_fault;
    bool byte, high;                  /* an operand is a byte register; is AH, and no field says so */
    uint8_t fields;                   /* FIELD_x that name integer registers; */
    uint8_t byte_fields;              /* byte registers */
    uint8_t reg, rm, low;             /* enum verbatim_use of them */
    uint8_t first;                    /* FIELD_x of the first operand, if that is of 4 or 8 bytes */
    bool only_written;                /* it is not read */
    bool clears;                      /* it is not when both fields are the same */
    bool reads_rcx;                   /* so it must be taken */
    uint16_t named, others;           /* registers that operands are and no field names; without the first operand */
};
enum form_known { FORM_UNKNOWN, FORM_NEVER, FORM_KNOWN };

/** x86_verbatim_row - the instruction at @code, of X86_MAX_LEN bytes at least, as the next row of @v, at v->len, and what it does with RCX
 * (enum rcx_use).  False: read it in full. */
bool x86_verbatim_row(struct verbatim *v, uint32_t mode, uint64_t pc, const uint8_t *code, uint8_t *rcx);
/** x86_verbatim_learn - the instruction at @code is one of @f (without its immediate), if decode_quick.c has a model of it. */
void x86_verbatim_learn(uint32_t mode, const uint8_t *code, const struct verbatim_form *f);

#endif
