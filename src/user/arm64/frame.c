/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The signal frame on an AArch64 guest's stack.  Source: arm64 Linux's uapi headers asm/sigcontext.h and
 * asm/ucontext.h, asm-generic/siginfo.h.
 */
#include "user/arm64/arm64.h"

#include <string.h>

#define FPSIMD_MAGIC   0x46508001u
#define ESR_MAGIC      0x45535201u
#define EXTRA_MAGIC    0x45585401u
#define RESERVED       4096
#define PSTATE_NOT_EL0 0x000003dfu /* mode, AArch32, F, I, A, D: must be clear */
#define BTYPE_CALL     2 /* how the handler was reached, for BTI */

struct ctx_head {
    uint32_t magic, size;
};

struct fpsimd_ctx {
    struct ctx_head head;
    uint32_t fpsr, fpcr;
    union ir_u v[32];
};

struct esr_ctx {
    struct ctx_head head;
    uint64_t esr;
};

/* struct rt_sigframe up to sigcontext.__reserved, all offsets as in the kernel's. */
struct frame_fixed {
    uint8_t info[128];
    uint64_t uc_flags, uc_link;
    struct guest_stack uc_stack;
    uint64_t uc_sigmask;
    uint8_t unused[128];
    uint64_t fault_address, x[31], sp, pc, pstate;
    uint64_t pad;
};

struct frame {
    struct frame_fixed f;
    uint8_t reserved[RESERVED];
};
_Static_assert(offsetof(struct frame_fixed, fault_address) == 128 + 176, "sigcontext");
_Static_assert(sizeof(struct frame_fixed) == 128 + 176 + 288, "__reserved");

/* --- Pushing -----------------------------------------------------------------------------------*/

static void save_regs(struct task *t, struct frame_fixed *f)
{
    struct a64_state *g = a64(t->cpu);

    memcpy(f->x, g->x, sizeof(f->x));
    f->sp = g->sp;
    f->pc = t->cpu->pc;
    f->pstate = a64_get_pstate(t->cpu);
    f->fault_address = t->sig->fault_addr;
}

/* The extended contexts, in the kernel's order; returns their length with the end marker. */
static size_t save_contexts(struct task *t, uint8_t *p)
{
    struct fpsimd_ctx *fp = (struct fpsimd_ctx *)p;
    size_t n = sizeof(*fp);

    fp->head = (struct ctx_head){FPSIMD_MAGIC, sizeof(*fp)};
    fp->fpsr = a64_get_fpsr(t->cpu);
    fp->fpcr = a64(t->cpu)->fpcr;
    memcpy(fp->v, a64(t->cpu)->vreg, sizeof(fp->v));
    if (t->sig->esr) {
        struct esr_ctx e = {{ESR_MAGIC, sizeof(e)}, t->sig->esr};

        memcpy(p + n, &e, sizeof(e));
        n += sizeof(e);
    }
    memset(p + n, 0, sizeof(struct ctx_head));
    return n + sizeof(struct ctx_head);
}

static void enter(struct task *t, const struct guest_sigaction *sa, int sig, uint64_t sp,
                  uint64_t record)
{
    struct a64_state *g = a64(t->cpu);

    g->x[0] = (uint64_t)sig;
    if (sa->flags & SA_SIGINFO) {
        g->x[1] = sp;
        g->x[2] = sp + offsetof(struct frame_fixed, uc_flags);
    }
    g->x[29] = record;
    g->x[30] = sa->flags & 0x04000000 /* SA_RESTORER */ ? sa->restorer : t->proc->vdso_sigreturn;
    g->sp = sp;
    t->cpu->landing = t->proc->guarded ? BTYPE_CALL : 0;
    g->excl_addr = ~0ull;
    t->cpu->pc = sa->handler;
}

bool arm64_push_frame(struct task *t, const struct guest_sigaction *sa, const siginfo_t *info,
                      uint64_t saved_mask)
{
    struct a64_state *g = a64(t->cpu);
    struct task_sig *s = t->sig;
    uint64_t record = (stack_for(t, sa, g->sp) - 16) & ~15ull; /* of x29, x30, for unwinders */
    uint64_t sp = record - sizeof(struct frame);
    uint64_t link[2] = {g->x[29], g->x[30]};
    struct {
        struct frame_fixed f;
        uint8_t contexts[sizeof(struct fpsimd_ctx) + sizeof(struct esr_ctx) + 16];
    } out __attribute__((aligned(16))) = {.f.uc_stack = s->alt, .f.uc_sigmask = saved_mask};
    size_t n;

    memcpy(out.f.info, info, sizeof(out.f.info));
    out.f.uc_stack.pad = 0;
    save_regs(t, &out.f);
    n = sizeof(out.f) + save_contexts(t, out.contexts);
    if (guest_write(t->cpu, record, link, sizeof(link)) < 0 ||
        guest_write(t->cpu, sp, &out, n) < 0)
        return false;
    enter(t, sa, info->si_signo, sp, record);
    stack_used(t);
    return true;
}

/* --- Popping -----------------------------------------------------------------------------------*/

/* The FPSIMD record is mandatory; others are known and skipped, or the frame is bad. */
static const struct fpsimd_ctx *find_fpsimd(const uint8_t *p)
{
    const struct fpsimd_ctx *fp = NULL;
    size_t off = 0;

    while (off + sizeof(struct ctx_head) <= RESERVED) {
        struct ctx_head h;

        memcpy(&h, p + off, sizeof(h));
        if (h.magic == 0)
            return h.size == 0 ? fp : NULL;
        if (h.size < sizeof(h) || h.size > RESERVED - off || (h.size & 15))
            return NULL;
        if (h.magic == FPSIMD_MAGIC && !fp && h.size >= sizeof(*fp))
            fp = (const struct fpsimd_ctx *)(p + off);
        else if (h.magic != ESR_MAGIC && h.magic != EXTRA_MAGIC)
            return NULL;
        off += h.size;
    }
    return NULL;
}

static void restore(struct task *t, const struct frame_fixed *f, const struct fpsimd_ctx *fp)
{
    struct a64_state *g = a64(t->cpu);

    memcpy(g->x, f->x, sizeof(f->x));
    g->sp = f->sp;
    t->cpu->pc = f->pc;
    a64_set_pstate(t->cpu, (uint32_t)f->pstate);
    g->excl_addr = ~0ull;
    memcpy(g->vreg, fp->v, sizeof(fp->v));
    a64_set_fpcr(t->cpu, fp->fpcr);
    a64_set_fpsr(t->cpu, fp->fpsr);
}

bool arm64_pop_frame(struct task *t, uint64_t *mask)
{
    struct frame in __attribute__((aligned(16)));
    const struct fpsimd_ctx *fp;
    uint64_t sp = a64(t->cpu)->sp;

    if ((sp & 15) || guest_read(t->cpu, &in, sp, sizeof(in)) < 0)
        return false;
    fp = find_fpsimd(in.reserved);
    if (!fp || (in.f.pstate & PSTATE_NOT_EL0))
        return false;
    restore(t, &in.f, fp);
    *mask = in.f.uc_sigmask;
    stack_set(t, &in.f.uc_stack, true);
    return true;
}
