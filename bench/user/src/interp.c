/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bytecode interpreter: switch and computed goto (indirect jumps). category: call */
#include <stdio.h>
#include <stdlib.h>
#include <stdint.h>
enum { PUSH, ADD, SUB, MUL, DUP, SWAP, JNZ, LD, ST, XOR, SHR, DROP, HALT };
static int32_t prog[] = {PUSH,     12345, ST,   0,          PUSH, 0,    ST,    1,
                         /*8*/ LD, 0,     PUSH, 1103515245, MUL,  PUSH, 12345, ADD, DUP,
                         ST,       0,     PUSH, 16,         SHR,  LD,   1,     XOR, DUP,
                         PUSH,     3,     MUL,  ADD,        ST,   1,    LD,    2,   PUSH,
                         1,        SUB,   DUP,  ST,         2,    JNZ,  8,     HALT};
__attribute__((noinline)) static uint32_t run_switch(uint32_t n)
{
    uint32_t st[64], *sp = st, m[8] = {0};
    m[2] = n;
    const int32_t *p = prog;
    for (;;)
        switch (*p++) {
        case PUSH: *sp++ = *p++; break;
        case ADD:
            sp--;
            sp[-1] += *sp;
            break;
        case SUB:
            sp--;
            sp[-1] -= *sp;
            break;
        case MUL:
            sp--;
            sp[-1] *= *sp;
            break;
        case DUP:
            *sp = sp[-1];
            sp++;
            break;
        case SWAP: {
            uint32_t t = sp[-1];
            sp[-1] = sp[-2];
            sp[-2] = t;
            break;
        }
        case JNZ: {
            int t = *p++;
            if (*--sp)
                p = prog + t;
            break;
        }
        case LD: *sp++ = m[*p++]; break;
        case ST: m[*p++] = *--sp; break;
        case XOR:
            sp--;
            sp[-1] ^= *sp;
            break;
        case SHR:
            sp--;
            sp[-1] >>= (*sp & 31);
            break;
        case DROP: sp--; break;
        case HALT: return m[1];
        }
}
__attribute__((noinline)) static uint32_t run_goto(uint32_t n)
{
    static const void *L[] = {&&PUSH_, &&ADD_, &&SUB_, &&MUL_, &&DUP_,  &&SWAP_, &&JNZ_,
                              &&LD_,   &&ST_,  &&XOR_, &&SHR_, &&DROP_, &&HALT_};
    uint32_t st[64], *sp = st, m[8] = {0};
    m[2] = n;
    const int32_t *p = prog;
#define NEXT goto *L[*p++]
    NEXT;
PUSH_:
    *sp++ = *p++;
    NEXT;
ADD_:
    sp--;
    sp[-1] += *sp;
    NEXT;
SUB_:
    sp--;
    sp[-1] -= *sp;
    NEXT;
MUL_:
    sp--;
    sp[-1] *= *sp;
    NEXT;
DUP_:
    *sp = sp[-1];
    sp++;
    NEXT;
SWAP_ : {
    uint32_t t = sp[-1];
    sp[-1] = sp[-2];
    sp[-2] = t;
    NEXT;
}
JNZ_ : {
    int t = *p++;
    if (*--sp)
        p = prog + t;
    NEXT;
}
LD_:
    *sp++ = m[*p++];
    NEXT;
ST_:
    m[*p++] = *--sp;
    NEXT;
XOR_:
    sp--;
    sp[-1] ^= *sp;
    NEXT;
SHR_:
    sp--;
    sp[-1] >>= (*sp & 31);
    NEXT;
DROP_:
    sp--;
    NEXT;
HALT_:
    return m[1];
}
int main(int c, char **v)
{
    uint32_t n = c > 1 ? atoi(v[1]) : 6000000;
    printf("%u %u\n", run_switch(n), run_goto(n));
    return 0;
}
