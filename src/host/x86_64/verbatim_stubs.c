/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between verbatim code, whose registers are the host's, and everything else, for which they are in the CPU block; see verbatim.c. */
#include "host/x86_64/verbatim.h"

#include <errno.h>

static const uint8_t direct[] = {RAX, RCX, RDX, RBX, RBP, RSI, RDI, R8, R9, R12, R13, R14, R15};

enum { XMMS = 16, HALF = 16 /* bytes of half a YMM register */ };

static struct x64_mem at_cpu(const struct host_layout *lay, uint32_t off)
{
    return x64_at(X_CPU, (int32_t)off - (int32_t)lay->bias);
}

static void vzeroupper(struct x64_asm *a)
{
    if (a->f.avx)
        x64_bytes(a, "\xc5\xf8\x77", 3);
}

/* --- Out --- */

static void spill_flags(struct x64_asm *a, const struct host_layout *lay)
{
    enum { AF = 0x10 };

    x64_setcc_m(a, CC_B, at_cpu(lay, lay->g.cf));
    x64_setcc_m(a, CC_E, at_cpu(lay, lay->g.zf));
    x64_setcc_m(a, CC_S, at_cpu(lay, lay->g.sf));
    x64_setcc_m(a, CC_O, at_cpu(lay, lay->g.of));
    x64_setcc_m(a, CC_NP, at_cpu(lay, lay->g.pf)); /* a byte of odd parity, or 0 */
    x64_bytes(a, "\x9f\x80\xe4", 3);                /* lahf; and ah, AF */
    x64_byte(a, AF);
    x64_bytes(a, "\x0f\xb6\xc4", 3); /* movzx eax, ah */
    x64_store(a, 1, at_cpu(lay, lay->g.af), RAX);
    x64_byte(a, 0xfc); /* cld: C wants it so, and the guest's is in the CPU block */
}

/* vextractf128 of ymm@r's upper half, and vinsertf128. */
static void move_upper(struct x64_asm *a, bool store, unsigned r, struct x64_mem m)
{
    if (store)
        x64_v2mi(a, VX(0x66, 3, 0x19) | VX_L | VX_VEXONLY, r, m, 1);
    else
        x64_v3mi(a, VX(0x66, 3, 0x18) | VX_L | VX_VEXONLY, r, r, m, 1);
}

/* Upper halves are zero in most programs, and the processor knows (XGETBV with ECX 1, SDM 1, 13.6). */
static void spill_vectors(struct x64_asm *a, const struct host_layout *lay)
{
    struct x64_label in_use = {0}, done = {0};

    for (unsigned i = 0; i < XMMS; i++)
        x64_vstore(a, at_cpu(lay, lay->g.xmm + HALF * i), i);
    if (!a->f.avx)
        return;
    if (lay->v.xgetbv1) {
        x64_mov_ri(a, RCX, 1);
        x64_bytes(a, "\x0f\x01\xd0", 3);
        x64_test_ri(a, 4, RAX, 4);
        x64_jcc(a, CC_NE, &in_use);
        x64_v3(a, VX(0x66, 1, 0xef), 0, 0, 0);
        for (unsigned i = 0; i < XMMS; i++)
            x64_vstore(a, at_cpu(lay, lay->g.ymmh + HALF * i), 0);
        x64_jmp(a, &done);
        x64_bind(a, &in_use);
    }
    for (unsigned i = 0; i < XMMS; i++)
        move_upper(a, true, i, at_cpu(lay, lay->g.ymmh + HALF * i));
    vzeroupper(a);
    x64_bind(a, &done);
}

/* r11: where to go on. */
static void stub_spill(struct x64_asm *a, const struct host_layout *lay)
{
    for (unsigned i = 0; i < sizeof(direct); i++)
        x64_store(a, 8, xv_cpu(lay->g.gpr + 8u * direct[i]), direct[i]);
    x64_store(a, 8, xv_cpu(lay->g.gpr + 8 * RSP), XV_SP);
    x64_load(a, 8, X_CPU, xv_cpu(lay->v.self));
    spill_flags(a, lay);
    spill_vectors(a, lay);
    x64_store(a, 8, at_cpu(lay, lay->v.shadow), RSP);
    x64_load(a, 8, RSP, at_cpu(lay, lay->shadow));
    x64_jmp_r(a, XV_TEMP);
}

/* --- In --- */

static void load_vectors(struct x64_asm *a, const struct host_layout *lay)
{
    struct x64_label zero = {0}, done = {0};

    if (a->f.avx) {
        x64_vload(a, 0, at_cpu(lay, lay->g.ymmh));
        for (unsigned i = 1; i < XMMS; i++)
            x64_v3m(a, VX(0, 1, 0x56), 0, 0, at_cpu(lay, lay->g.ymmh + HALF * i)); /* orps; they are aligned */
        x64_v2(a, VX(0x66, 2, 0x17), 0, 0);                                        /* ptest */
        x64_jcc(a, CC_E, &zero);
        for (unsigned i = 0; i < XMMS; i++) {
            x64_vload(a, i, at_cpu(lay, lay->g.xmm + HALF * i));
            move_upper(a, false, i, at_cpu(lay, lay->g.ymmh + HALF * i));
        }
        x64_jmp(a, &done);
        x64_bind(a, &zero);
    }
    for (unsigned i = 0; i < XMMS; i++)
        x64_vload(a, i, at_cpu(lay, lay->g.xmm + HALF * i));
    vzeroupper(a);
    x64_bind(a, &done);
}

static void load_byte(struct x64_asm *a, const struct host_layout *lay, unsigned r, uint32_t off)
{
    x64_load(a, 1, r, at_cpu(lay, off));
}

/* The guest's flags into AH as SAHF has them, OF by an addition. */
static void load_flags(struct x64_asm *a, const struct host_layout *lay)
{
    struct x64_label up = {0};

    x64_alu_mi(a, ALU_CMP, 8, at_cpu(lay, lay->g.df), 0);
    x64_jcc(a, CC_GE, &up);
    x64_byte(a, 0xfd); /* std */
    x64_bind(a, &up);
    load_byte(a, lay, RAX, lay->g.sf);
    load_byte(a, lay, RCX, lay->g.zf);
    x64_lea(a, 4, RAX, (struct x64_mem){.base = RCX, .index = RAX, .scale = 1});
    x64_shift_ri(a, SH_SHL, 4, RAX, 6);
    load_byte(a, lay, RCX, lay->g.pf);
    load_byte(a, lay, RDX, lay->g.af);
    x64_alu_rr(a, ALU_XOR, 4, RDX, RCX);
    x64_alu_ri(a, ALU_AND, 4, RDX, 0x10);
    x64_alu_rr(a, ALU_OR, 4, RAX, RDX);
    x64_bytes(a, "\x84\xc9", 2); /* test cl, cl */
    x64_setcc(a, CC_P, RCX);
    x64_movzx(a, 1, RCX, RCX);
    x64_lea(a, 4, RAX, (struct x64_mem){.base = RAX, .index = RCX, .scale = 2});
    load_byte(a, lay, RCX, lay->g.cf);
    x64_alu_rr(a, ALU_OR, 4, RAX, RCX);
    load_byte(a, lay, RCX, lay->g.of);
    x64_bytes(a, "\x88\xc4\x80\xc1\x7f\x9e", 6); /* mov ah, al; add cl, 0x7f; sahf */
}

/* rax: where to go on. */
static void stub_load(struct x64_asm *a, const struct host_layout *lay)
{
    x64_store(a, 8, at_cpu(lay, lay->v.scratch), RAX);
    x64_store(a, 8, at_cpu(lay, lay->shadow), RSP);
    x64_load(a, 8, RSP, at_cpu(lay, lay->v.shadow));
    load_vectors(a, lay);
    load_flags(a, lay);
    for (unsigned i = 0; i < sizeof(direct); i++)
        x64_load(a, 8, direct[i], xv_cpu(lay->g.gpr + 8u * direct[i]));
    x64_load(a, 8, XV_SP, xv_cpu(lay->g.gpr + 8 * RSP));
    x64_jmp_m(a, xv_cpu(lay->v.scratch));
}

/* --- System calls --- */

/* JRCXZ: to @to when rcx is 0, which is near.  No flag of the guest's may change here. */
static void jump_if_rcx_is_0(struct x64_asm *a, uint32_t *to)
{
    x64_byte(a, 0xe3);
    x64_byte(a, 0);
    *to = a->n;
}

static void come_to(struct x64_asm *a, uint32_t from)
{
    if (!a->full)
        a->buf[from - 1] = (uint8_t)(a->n - from);
}

static void go_unless_rcx_is_0(struct x64_asm *a, struct x64_label *other)
{
    uint32_t zero;

    jump_if_rcx_is_0(a, &zero);
    x64_jmp(a, other);
    come_to(a, zero);
}

/* Is the call that eax says one of v.calls? */
static void look_whether_quick(struct x64_asm *a, const struct host_layout *lay, struct x64_label *slow)
{
    uint32_t no, over;

    x64_mov_rr(a, 4, RCX, RAX);
    x64_bswap(a, 4, RCX);
    x64_movzx(a, 2, RCX, RCX); /* bits 16 to 31 */
    go_unless_rcx_is_0(a, slow);
    x64_movzx(a, 2, RCX, RAX);
    x64_load(a, 8, XV_TEMP, xv_cpu(lay->v.calls));
    x64_load(a, 1, RCX, (struct x64_mem){.base = XV_TEMP, .index = RCX});
    jump_if_rcx_is_0(a, &no);
    x64_bytes(a, "\xeb", 1); /* jmp over the next */
    x64_byte(a, 0);
    over = a->n;
    come_to(a, no);
    x64_jmp(a, slow);
    come_to(a, over);
}

/* Inside again: whoever kills code, or throws it away, has seen us inside, or we see that the code we came from may be gone. */
static void go_inside(struct x64_asm *a, const struct host_layout *lay, struct x64_label *leave)
{
    x64_mov_ri(a, RCX, 1);
    x64_xchg_mr(a, 1, xv_cpu(lay->v.in_code), RCX);
    x64_load(a, 1, RCX, xv_cpu(lay->v.forget));
    go_unless_rcx_is_0(a, leave);
    x64_load(a, 4, RCX, xv_cpu(lay->attention));
    go_unless_rcx_is_0(a, leave);
}

/* With -EFAULT, it is done again if pages are closed to writing. */
static void look_for_fault(struct x64_asm *a, const struct host_layout *lay, struct x64_label *again)
{
    enum { CLOSED = 1 << 16 /* behind the table */ };
    uint32_t fault;

    x64_lea(a, 8, RCX, x64_at(RAX, EFAULT));
    jump_if_rcx_is_0(a, &fault);
    x64_load(a, 8, RCX, xv_cpu(lay->v.scratch));
    x64_ret(a, 0);
    come_to(a, fault);
    x64_load(a, 8, XV_TEMP, xv_cpu(lay->v.calls));
    x64_load(a, 4, RCX, x64_at(XV_TEMP, CLOSED));
    go_unless_rcx_is_0(a, again);
    x64_load(a, 8, RCX, xv_cpu(lay->v.scratch));
    x64_ret(a, 0);
}

/*
 * A system call as it is: the kernel keeps all registers but rax, rcx and r11, which get what the guest's would, and flags.  So nothing is put
 * away but the guest's RSP, which makes room for its R10.  As in user/safe_syscall.S, a signal that comes between the look at
 * cpu->attention and the call, or whose handler the kernel wants to run before it restarts the call, moves on to CALL_AGAIN.  While
 * the kernel has us we count as outside, as anywhere else: it may be long.
 *
 * scratch: the address behind; that of the slow way; and the number, which is in RAX's place.
 */
static void stub_syscall(struct x64_asm *a, const struct host_layout *lay, void **ep)
{
    struct x64_label slow = {0}, leave = {0}, again = {0}, redo = {0};

    x64_store(a, 8, xv_cpu(lay->v.scratch), XV_TEMP);
    x64_store(a, 8, xv_cpu(lay->v.scratch + 8), RCX);
    look_whether_quick(a, lay, &slow);
    x64_store(a, 8, xv_cpu(lay->g.gpr + 8 * RAX), RAX);
    x64_store(a, 8, xv_cpu(lay->g.gpr + 8 * RSP), XV_SP);
    x64_load(a, 8, R10, xv_cpu(lay->g.gpr + 8 * R10));
    x64_store_imm(a, 1, xv_cpu(lay->v.in_code), 0);
    ep[HOST_EP_V_CALL_START] = a->buf + a->n;
    x64_load(a, 4, RCX, xv_cpu(lay->attention));
    go_unless_rcx_is_0(a, &again);
    x64_bytes(a, "\x0f\x05", 2);
    ep[HOST_EP_V_CALL_END] = a->buf + a->n;
    x64_store(a, 8, xv_cpu(lay->g.gpr + 8 * R11), R11);
    x64_load(a, 8, XV_SP, xv_cpu(lay->g.gpr + 8 * RSP));
    go_inside(a, lay, &leave);
    look_for_fault(a, lay, &redo);
    /* not made, or to be made again: the state is that before it, but for what the instruction writes anyway */
    ep[HOST_EP_V_CALL_AGAIN] = a->buf + a->n;
    x64_bind(a, &again);
    x64_load(a, 8, XV_SP, xv_cpu(lay->g.gpr + 8 * RSP));
    x64_load(a, 8, RAX, xv_cpu(lay->g.gpr + 8 * RAX));
    x64_load(a, 8, RCX, xv_cpu(lay->v.scratch));
    x64_lea(a, 8, XV_TEMP, x64_at(RCX, -2));
    x64_store(a, 8, xv_cpu(lay->pc), XV_TEMP);
    x64_lea(a, 8, RSP, x64_at(RSP, 8));
    x64_jmp_m(a, xv_cpu(lay->entry_points + 8 * HOST_EP_V_FAULT));
    x64_bind(a, &leave); /* made, but the run loop has something to do first */
    x64_load(a, 8, RCX, xv_cpu(lay->v.scratch));
    x64_store(a, 8, xv_cpu(lay->pc), RCX);
    x64_lea(a, 8, RSP, x64_at(RSP, 8));
    x64_jmp_m(a, xv_cpu(lay->entry_points + 8 * HOST_EP_V_FAULT));
    x64_bind(a, &redo);
    x64_load(a, 8, RAX, xv_cpu(lay->g.gpr + 8 * RAX));
    x64_bind(a, &slow);
    x64_lea(a, 8, RSP, x64_at(RSP, 8));
    x64_jmp_m(a, xv_cpu(lay->v.scratch + 8));
}

/* --- Services --- */

/* The guest called a function of C, so nobody wants flags, vectors or registers that such functions may change; but rsi and rdi are the code's
 * behind. */
static void stub_service(struct x64_asm *a, const struct host_layout *lay)
{
    enum { OUT = 32 };
    static const uint8_t out[] = {RDX, RCX, R8};
    struct x64_label up = {0};

    x64_store(a, 8, xv_cpu(lay->g.gpr + 8 * RSP), XV_SP);
    x64_store(a, 8, xv_cpu(lay->g.gpr + 8 * RSI), RSI);
    x64_store(a, 8, xv_cpu(lay->g.gpr + 8 * RDI), RDI);
    x64_store(a, 8, xv_cpu(lay->v.shadow), RSP);
    x64_load(a, 8, RSP, xv_cpu(lay->c_stack));
    x64_byte(a, 0xfc); /* cld */
    x64_mov_rr(a, 8, RSI, RDI);
    x64_mov_rr(a, 4, RDI, RAX);
    x64_alu_ri(a, ALU_SUB, 8, RSP, OUT);
    x64_mov_rr(a, 8, RDX, RSP);
    x64_call_m(a, xv_cpu(lay->v.service));
    for (unsigned i = 0; i < sizeof(out); i++)
        x64_load(a, 8, out[i], x64_at(RSP, 8 * (int32_t)i));
    x64_load(a, 8, RSP, xv_cpu(lay->v.shadow));
    x64_load(a, 8, XV_SP, xv_cpu(lay->g.gpr + 8 * RSP));
    x64_load(a, 8, RSI, xv_cpu(lay->g.gpr + 8 * RSI));
    x64_load(a, 8, RDI, xv_cpu(lay->g.gpr + 8 * RDI));
    x64_alu_mi(a, ALU_CMP, 8, xv_cpu(lay->g.df), 0);
    x64_jcc(a, CC_GE, &up);
    x64_byte(a, 0xfd); /* std */
    x64_bind(a, &up);
    x64_ret(a, 0);
}

static void spill_to(struct x64_asm *a, const struct host_layout *lay, struct x64_label *next)
{
    x64_lea(a, 8, XV_TEMP, x64_rip(next));
    x64_jmp_m(a, xv_cpu(lay->entry_points + 8 * HOST_EP_V_SPILL));
    x64_bind(a, next);
}

void xv_stubs(struct x64_asm *a, const struct host_layout *lay, void **ep)
{
    struct x64_label miss = {0}, next = {0}, link = {0};

    x64_align(a, 16, 0);
    ep[HOST_EP_V_SPILL] = a->buf + a->n;
    stub_spill(a, lay);
    x64_align(a, 16, 0);
    ep[HOST_EP_V_LOAD] = a->buf + a->n;
    stub_load(a, lay);
    x64_align(a, 16, 0);
    ep[HOST_EP_V_SYSCALL] = a->buf + a->n;
    stub_syscall(a, lay, ep);
    x64_align(a, 16, 0);
    ep[HOST_EP_V_SERVICE] = a->buf + a->n;
    stub_service(a, lay);
    x64_align(a, 16, 0);
    ep[HOST_EP_V_MISS] = a->buf + a->n;
    x64_load(a, 8, RCX, xv_cpu(lay->v.scratch));
    x64_store(a, 8, xv_cpu(lay->pc), XV_TEMP);
    spill_to(a, lay, &miss);
    x64_mov_ri(a, RAX, HOST_LEFT_VERBATIM);
    x64_jmp_m(a, at_cpu(lay, lay->entry_points + 8 * HOST_EP_LEAVE));
    x64_align(a, 16, 0);
    ep[HOST_EP_V_FAULT] = a->buf + a->n;
    spill_to(a, lay, &next);
    x64_jmp_m(a, at_cpu(lay, lay->entry_points + 8 * HOST_EP_STOP));
    x64_align(a, 16, 0);
    ep[HOST_EP_V_LINK] = a->buf + a->n;
    x64_pop(a, XV_TEMP);
    x64_store(a, 8, xv_cpu(lay->v.scratch), XV_TEMP);
    spill_to(a, lay, &link);
    x64_load(a, 8, RAX, at_cpu(lay, lay->v.scratch));
    x64_load(a, 8, RCX, x64_at(RAX, 0));
    x64_store(a, 8, at_cpu(lay, lay->pc), RCX);
    x64_jmp_m(a, at_cpu(lay, lay->entry_points + 8 * HOST_EP_LEAVE));
    x64_align(a, 16, 0);
    ep[HOST_EP_V_RETURN] = a->buf + a->n; /* neither the newest call nor any other is returned to */
    x64_load(a, 8, RSP, xv_cpu(lay->v.shadow_base));
    xv_jump_to(a, lay);
}
