/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The signal frame on an x86-64 guest's stack (asm/sigcontext.h, asm/ucontext.h; System V ABI, AMD64 supplement 3.2.2: the
 * 128 bytes below the stack pointer are the program's). */
#include "user/x86/x86_abi.h"

#include <string.h>

enum { RED_ZONE = 128, UC_FP_XSTATE = 1, UC_SIGCONTEXT_SS = 2, UC_STRICT_RESTORE_SS = 4 };

struct context {
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15, di, si, bp, bx, dx, ax, cx, sp, ip, flags;
    uint16_t cs, gs, fs, ss;
    uint64_t err, trapno, oldmask, cr2, fpstate, reserved[8];
};

struct frame {
    uint64_t pretcode;
    uint64_t uc_flags, uc_link;
    struct guest_stack uc_stack;
    struct context c;
    uint64_t uc_sigmask;
    uint8_t info[128];
};
_Static_assert(sizeof(struct context) == 256, "struct sigcontext");
_Static_assert(offsetof(struct frame, info) == 312, "struct rt_sigframe");

static void save(const struct task *t, struct context *c, uint64_t mask, uint64_t fpstate)
{
    const uint64_t *r = x86(t->cpu)->r;

    *c = (struct context){
        .r8 = r[8], .r9 = r[9], .r10 = r[10], .r11 = r[11], .r12 = r[12], .r13 = r[13], .r14 = r[14], .r15 = r[15],
        .di = r[X86_DI], .si = r[X86_SI], .bp = r[X86_BP], .bx = r[X86_BX], .dx = r[X86_DX], .ax = r[X86_AX],
        .cx = r[X86_CX], .sp = r[X86_SP], .ip = t->cpu->pc, .flags = x86_get_eflags(t->cpu),
        .cs = X86_USER_CS, .ss = x86(t->cpu)->seg[X86_SS].selector,
        .err = t->trap_error, .trapno = t->trap_number, .oldmask = mask, .cr2 = t->trap_addr, .fpstate = fpstate,
    };
}

static void enter(struct task *t, const struct guest_sigaction *sa, int sig, uint64_t sp)
{
    struct x86_state *s = x86(t->cpu);

    s->r[X86_DI] = (uint64_t)sig;
    s->r[X86_SI] = sp + offsetof(struct frame, info);
    s->r[X86_DX] = sp + offsetof(struct frame, uc_flags);
    s->r[X86_AX] = 0;
    s->r[X86_SP] = sp;
    x86_set_eflags(t->cpu, x86_get_eflags(t->cpu) & ~(uint32_t)(X86_FL_DF | X86_FL_RF | X86_FL_TF));
    x86_program_load(t->cpu, X86_SS, X86_USER_DS);
    t->cpu->pc = sa->handler;
}

bool x86_push_frame64(struct task *t, const struct guest_sigaction *sa, const siginfo_t *info, uint64_t saved_mask)
{
    uint64_t sp = x86(t->cpu)->r[X86_SP], top = stack_for(t, sa, sp - RED_ZONE);
    uint64_t fp = (top - xstate_bytes(t->cpu)) & ~63ull, at = ((fp - sizeof(struct frame)) & ~15ull) - 8;
    struct frame f = {.pretcode = sa->restorer,
                      .uc_flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS |
                                  (xstate_bytes(t->cpu) > X86_FXSAVE_BYTES ? UC_FP_XSTATE : 0),
                      .uc_stack = t->sig->alt,
                      .uc_sigmask = saved_mask};

    if (!(sa->flags & 0x04000000 /* SA_RESTORER */))
        return false; /* there is nowhere to return to */
    f.uc_stack.pad = 0;
    save(t, &f.c, saved_mask, fp);
    memcpy(f.info, info, sizeof(f.info));
    if (!xstate_put(t->cpu, fp, true) || guest_write(t->cpu, at, &f, sizeof(f)) < 0)
        return false;
    enter(t, sa, info->si_signo, at);
    stack_used(t);
    return true;
}

static void restore(struct task *t, const struct context *c)
{
    uint64_t *r = x86(t->cpu)->r;
    uint32_t flags = x86_get_eflags(t->cpu) & ~X86_FL_RESTORED;

    r[8] = c->r8, r[9] = c->r9, r[10] = c->r10, r[11] = c->r11, r[12] = c->r12, r[13] = c->r13, r[14] = c->r14;
    r[15] = c->r15, r[X86_DI] = c->di, r[X86_SI] = c->si, r[X86_BP] = c->bp, r[X86_BX] = c->bx, r[X86_DX] = c->dx;
    r[X86_AX] = c->ax, r[X86_CX] = c->cx, r[X86_SP] = c->sp;
    t->cpu->pc = c->ip;
    x86_set_eflags(t->cpu, flags | ((uint32_t)c->flags & X86_FL_RESTORED));
}

bool x86_pop_frame64(struct task *t, uint64_t *mask)
{
    struct frame f;

    /* The handler's return has taken pretcode off the stack. */
    if (guest_read(t->cpu, &f, x86(t->cpu)->r[X86_SP] - 8, sizeof(f)) < 0 || !xstate_get(t->cpu, f.c.fpstate, true))
        return false;
    restore(t, &f.c);
    *mask = f.uc_sigmask;
    stack_set(t, &f.uc_stack, true);
    return true;
}
