/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The alternate stack of signal handlers (sigaltstack(2)). */
#include "user/sys.h"

bool stack_on_alt(const struct task_sig *s, uint64_t sp)
{
    if (s->alt.flags & (int32_t)SS_AUTODISARM)
        return false;
    return sp > s->alt.sp && sp - s->alt.sp <= s->alt.size;
}

int stack_set(struct task *t, const struct guest_stack *st, bool check_size)
{
    int32_t mode = st->flags & ~(int32_t)SS_AUTODISARM;
    struct task_sig *s = t->sig;

    if (stack_on_alt(s, t->proc->abi->cpu.sp(t->cpu)))
        return -EPERM;
    if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
        return -EINVAL;
    if (mode == SS_DISABLE) {
        s->alt = (struct guest_stack){.flags = st->flags};
        return 0;
    }
    if (check_size && st->size < t->proc->abi->signal.min_alt)
        return -ENOMEM;
    s->alt = *st;
    return 0;
}

uint64_t stack_for(const struct task *t, const struct guest_sigaction *sa, uint64_t sp)
{
    const struct task_sig *s = t->sig;

    if ((sa->flags & SA_ONSTACK) && s->alt.size && !stack_on_alt(s, sp))
        return s->alt.sp + s->alt.size;
    return sp;
}

void stack_used(struct task *t)
{
    if (t->sig->alt.flags & (int32_t)SS_AUTODISARM)
        t->sig->alt = (struct guest_stack){.flags = SS_DISABLE};
}
