/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signal frames on an i386 guest's stack, the old form and the one with siginfo (asm/sigcontext.h, asm/ucontext.h). */
#include "user/compat32/compat32.h"
#include "user/x86/frame32.h"

#include <string.h>

enum { FSAVE_PART = 112, MAGIC_FXSR = 0, FPSTATE = FSAVE_PART + X86_FXSAVE_BYTES };

struct context {
    uint32_t gs, fs, es, ds, di, si, bp, sp, bx, dx, cx, ax, trapno, err, ip, cs, flags, sp_at_signal, ss;
    uint32_t fpstate, oldmask, cr2;
};

struct old_frame {
    uint32_t pretcode;
    int32_t sig;
    struct context c;
    uint8_t fpstate_unused[FPSTATE];
    uint32_t extramask;
    uint8_t retcode[8];
};

struct rt_frame {
    uint32_t pretcode;
    int32_t sig;
    uint32_t pinfo, puc;
    struct siginfo32 info;
    uint32_t uc_flags, uc_link;
    struct stack32 uc_stack;
    struct context c;
    u64_4 uc_sigmask;
    uint8_t retcode[8];
};
_Static_assert(sizeof(struct context) == 88 && sizeof(struct old_frame) == 732, "struct sigframe_ia32");
_Static_assert(sizeof(struct rt_frame) == 16 + 128 + 116 + 8, "struct rt_sigframe_ia32");

/* What unwinders and debuggers look for behind a frame; nobody executes it. */
static const uint8_t retcode[8] = {0x58, 0xb8, 0x77, 0, 0, 0, 0xcd, 0x80};    /* pop %eax; mov $119, %eax; int $0x80 */
static const uint8_t rt_retcode[8] = {0xb8, 0xad, 0, 0, 0, 0xcd, 0x80, 0}; /* mov $173, %eax; int $0x80 */

static void save(const struct task *t, struct context *c, uint64_t mask, uint64_t fpstate)
{
    const struct x86_state *s = x86(t->cpu);

    *c = (struct context){
        .gs = s->seg[X86_GS].selector, .fs = s->seg[X86_FS].selector, .es = s->seg[X86_ES].selector,
        .ds = s->seg[X86_DS].selector, .di = (uint32_t)s->r[X86_DI], .si = (uint32_t)s->r[X86_SI],
        .bp = (uint32_t)s->r[X86_BP], .sp = (uint32_t)s->r[X86_SP], .bx = (uint32_t)s->r[X86_BX],
        .dx = (uint32_t)s->r[X86_DX], .cx = (uint32_t)s->r[X86_CX], .ax = (uint32_t)s->r[X86_AX],
        .trapno = (uint32_t)t->trap_number, .err = (uint32_t)t->trap_error, .ip = (uint32_t)t->cpu->pc,
        .cs = s->seg[X86_CS].selector, .flags = x86_get_eflags(t->cpu), .sp_at_signal = (uint32_t)s->r[X86_SP],
        .ss = s->seg[X86_SS].selector, .fpstate = (uint32_t)fpstate, .oldmask = (uint32_t)mask,
        .cr2 = (uint32_t)t->trap_addr,
    };
}

/* The x87 state in its old form goes before the XSAVE image, which is aligned. */
static bool put_fp(struct cpu *cpu, uint64_t at)
{
    struct {
        uint8_t fsave[X86_FSAVE_BYTES];
        uint16_t status, magic;
    } f;

    x86_put_fsave(cpu, f.fsave);
    memcpy(&f.status, f.fsave + 4, 2);
    f.magic = MAGIC_FXSR;
    return guest_write(cpu, at, &f, sizeof(f)) == 0 && xstate_put(cpu, at + FSAVE_PART, false);
}

static bool get_fp(struct cpu *cpu, uint64_t at)
{
    uint8_t f[FSAVE_PART];

    if (!at)
        return xstate_get(cpu, 0, false);
    if (guest_read(cpu, f, at, sizeof(f)) < 0 || !xstate_get(cpu, at + FSAVE_PART, false))
        return false;
    x86_get_fsave(cpu, f);
    return true;
}

static void enter(struct task *t, const struct guest_sigaction *sa, const uint32_t regs[3], uint64_t sp)
{
    struct x86_state *s = x86(t->cpu);

    s->r[X86_AX] = regs[0];
    s->r[X86_DX] = regs[1];
    s->r[X86_CX] = regs[2];
    s->r[X86_SP] = sp;
    x86_set_eflags(t->cpu, x86_get_eflags(t->cpu) & ~(uint32_t)(X86_FL_DF | X86_FL_RF | X86_FL_TF));
    for (unsigned seg = X86_ES; seg <= X86_DS; seg++)
        if (seg != X86_CS)
            x86_program_load(t->cpu, seg, X86_USER_DS);
    t->cpu->pc = (uint32_t)sa->handler;
}

/* Handlers find the stack as a function does: 4 above a multiple of 16 bytes. */
static uint64_t place(uint64_t below, size_t size)
{
    return (uint32_t)(((below - size + 4) & ~15ull) - 4);
}

static bool push_old(struct task *t, const struct guest_sigaction *sa, int sig, uint64_t mask, uint64_t fp)
{
    uint64_t at = place(fp, sizeof(struct old_frame));
    struct old_frame f = {.pretcode = (uint32_t)(sa->flags & 0x04000000 ? sa->restorer : t->proc->vdso_sigreturn),
                          .sig = sig, .extramask = (uint32_t)(mask >> 32)};

    save(t, &f.c, mask, fp);
    memcpy(f.retcode, retcode, sizeof(retcode));
    if (guest_write(t->cpu, at, &f, sizeof(f)) < 0)
        return false;
    enter(t, sa, (uint32_t[3]){(uint32_t)sig, 0, 0}, at);
    return true;
}

static bool push_rt(struct task *t, const struct guest_sigaction *sa, const siginfo_t *info, uint64_t mask, uint64_t fp)
{
    uint64_t at = place(fp, sizeof(struct rt_frame));
    uint32_t pinfo = (uint32_t)at + offsetof(struct rt_frame, info), puc = (uint32_t)at + offsetof(struct rt_frame, uc_flags);
    struct rt_frame f = {
        .pretcode = (uint32_t)(sa->flags & 0x04000000 ? sa->restorer : t->proc->vdso_sigreturn + VDSO32_RT),
        .sig = info->si_signo, .pinfo = pinfo, .puc = puc,
        .uc_flags = xstate_bytes(t->cpu) > X86_FXSAVE_BYTES, /* UC_FP_XSTATE */
        .uc_stack = {(uint32_t)t->sig->alt.sp, t->sig->alt.flags, (uint32_t)t->sig->alt.size},
        .uc_sigmask = mask,
    };

    siginfo_to_32(&f.info, info);
    save(t, &f.c, mask, fp);
    memcpy(f.retcode, rt_retcode, sizeof(rt_retcode));
    if (guest_write(t->cpu, at, &f, sizeof(f)) < 0)
        return false;
    enter(t, sa, (uint32_t[3]){(uint32_t)info->si_signo, pinfo, puc}, at);
    return true;
}

bool x86_push_frame32(struct task *t, const struct guest_sigaction *sa, const siginfo_t *info, uint64_t saved_mask)
{
    uint64_t top = stack_for(t, sa, (uint32_t)x86(t->cpu)->r[X86_SP]);
    uint64_t fp = ((top - xstate_bytes(t->cpu)) & ~63ull) - FSAVE_PART;
    bool done;

    if (top < 8192 || !put_fp(t->cpu, fp))
        return false;
    done = sa->flags & SA_SIGINFO ? push_rt(t, sa, info, saved_mask, fp)
                                  : push_old(t, sa, info->si_signo, saved_mask, fp);
    if (done)
        stack_used(t);
    return done;
}

static bool restore(struct task *t, const struct context *c)
{
    static const struct { uint8_t seg, at; } segs[] = {
        {X86_GS, offsetof(struct context, gs)}, {X86_FS, offsetof(struct context, fs)},
        {X86_DS, offsetof(struct context, ds)}, {X86_ES, offsetof(struct context, es)},
        {X86_SS, offsetof(struct context, ss)},
    };
    struct x86_state *s = x86(t->cpu);
    uint32_t flags = x86_get_eflags(t->cpu) & ~X86_FL_RESTORED;

    if (!get_fp(t->cpu, c->fpstate))
        return false;
    for (unsigned i = 0; i < sizeof(segs) / sizeof(segs[0]); i++) {
        uint16_t selector;

        memcpy(&selector, (const uint8_t *)c + segs[i].at, 2);
        if (x86_program_load(t->cpu, segs[i].seg, selector & ~3 ? selector | 3 : selector) != 0)
            return false;
    }
    s->r[X86_DI] = c->di, s->r[X86_SI] = c->si, s->r[X86_BP] = c->bp, s->r[X86_SP] = c->sp, s->r[X86_BX] = c->bx;
    s->r[X86_DX] = c->dx, s->r[X86_CX] = c->cx, s->r[X86_AX] = c->ax;
    t->cpu->pc = c->ip;
    x86_set_eflags(t->cpu, flags | (c->flags & X86_FL_RESTORED));
    return true;
}

/* The handler's return has taken pretcode off the stack. */
bool x86_pop_frame32(struct task *t, uint64_t *mask)
{
    struct guest_stack alt;
    struct rt_frame f;

    if (guest_read(t->cpu, &f, (uint32_t)x86(t->cpu)->r[X86_SP] - 4, sizeof(f)) < 0 || !restore(t, &f.c))
        return false;
    *mask = f.uc_sigmask;
    alt = (struct guest_stack){.sp = f.uc_stack.sp, .flags = f.uc_stack.flags, .size = f.uc_stack.size};
    stack_set(t, &alt, true);
    return true;
}

/* And this one's restorer the signal's number. */
long sys32_sigreturn(struct task *t, const uint64_t *a)
{
    struct old_frame f;

    if (guest_read(t->cpu, &f, (uint32_t)x86(t->cpu)->r[X86_SP] - 8, sizeof(f)) < 0 || !restore(t, &f.c))
        signal_fault(t, SIGSEGV, SEGV_MAPERR, x86(t->cpu)->r[X86_SP], 0);
    else
        signal_set_mask(t, pair32(f.c.oldmask, f.extramask));
    return SYS_QUIET;
}
