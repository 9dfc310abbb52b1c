/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the decoder share (decode.h): rows as decoding reads them. */
#ifndef GUEST_X86_DECODE_PRIV_H
#define GUEST_X86_DECODE_PRIV_H

#include "guest/x86/decode.h"

#include <string.h>

enum { MAPS = 4, ANY = 0xff, VARIES = 0xff };
enum prefix { PFX_ANY, PFX_NP, PFX_66, PFX_F3, PFX_F2 };
enum { MOD_ANY, MOD_MEM, MOD_REG };
enum { ONLY_64 = 1, NOT_64 = 2, ONLY_PE = 4, REX_W = 8, ONLY_SYSTEM = 16 };

/* What rows ask of an instruction, in one word: a row says which bits it looks at, and what they must be. */
enum key {
    KEY_MODRM = 0xff,
    KEY_REG = 1 << 8, /* ModRM has no memory operand */
    KEY_PREFIX = 9,   /* shift: mandatory prefix less PFX_NP, 2 bits */
    KEY_L = 1 << 11,
    KEY_W = 1 << 12,
    KEY_64 = 1 << 13,
    KEY_PE = 1 << 14,
    KEY_SYSTEM = 1 << 15,
};

struct rule {
    uint8_t map, opcode, span; /* opcodes opcode .. opcode + span - 1 */
    uint8_t prefix, vex, length, w; /* length, w: ANY, 0, 1 */
    uint8_t modrm;  /* follows */
    uint8_t digit, mod, exact; /* digit, exact: ANY: not asked; exact only with @fixed */
    bool fixed;
    uint8_t where;
    uint8_t end, flags, feat;
    bool lock, d64, f64, sx, rep, full, vsib;
    uint16_t key, looks_at; /* enum key */
    uint8_t n_ops;
    uint8_t size[X86_MAX_OPERANDS]; /* of the operand; VARIES */
    char method[X86_MAX_OPERANDS], type[X86_MAX_OPERANDS]; /* method 'r': fixed register, type its number; 'i': fixed 1 */
};

/* decode_rows.c */
extern struct rule x86_rules[X86_NUM_ROWS];
/** x86_want_rows - before anything else: the tables are read. */
void x86_want_rows(void);
/** x86_rules_of - the rows of @opcode of @map, X86_NO_ROW ends them; NULL: there are none. */
const uint16_t *x86_rules_of(bool vex, unsigned map, uint8_t opcode);

/* decode_quick.c: what most instructions are, by prefix, opcode and ModRM's mod and reg. */
enum { X86_MODELS = 4096 };

/** struct x86_front - what is in front of ModRM, where there is at most one prefix besides REX. */
struct x86_front {
    uint8_t prefix, rex, opcode, n; /* prefix: 0, 66, F3, F2; n: bytes */
    bool map1, is64;
};

/** x86_read_signed - a displacement or an immediate of @n bytes: none, 1, 2, 4 or 8. */
static inline int64_t x86_read_signed(const uint8_t *p, unsigned n)
{
    int16_t v2;
    int32_t v4;
    int64_t v8;

    switch (n) {
    case 0:
        return 0;
    case 1:
        return (int8_t)*p;
    case 2:
        memcpy(&v2, p, 2);
        return v2;
    case 4:
        memcpy(&v4, p, 4);
        return v4;
    default:
        memcpy(&v8, p, 8);
        return v8;
    }
}

/** x86_quick_find - the number, below X86_MODELS, of what the instruction at @code is but for registers, address and immediate; 0: not known,
 * and *@f is not set then. */
unsigned x86_quick_find(uint32_t mode, const uint8_t *code, struct x86_front *f);
/** x86_quick_immediate - bytes of its immediate, the last ones. */
unsigned x86_quick_immediate(unsigned model, bool *is_unsigned);
/** x86_quick_decode - as x86_decode, of @code of X86_MAX_LEN bytes at least; false: it is not known. */
bool x86_quick_decode(uint32_t mode, uint64_t pc, const uint8_t *code, struct x86_insn *out);
/** x86_quick_learn - @i, which was decoded from @code, may be known from now on. */
void x86_quick_learn(uint32_t mode, const uint8_t *code, const struct x86_insn *i);

/* idle.c */
/** x86_modrm_length - bytes of ModRM at @p and of what belongs to it, with addresses of 32 or 64 bits. */
unsigned x86_modrm_length(const uint8_t *p);

#endif
