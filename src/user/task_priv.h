/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that make tasks share: task.c and share.c (clone(2)). */
#ifndef USER_TASK_PRIV_H
#define USER_TASK_PRIV_H

#include "user/sys.h"

#include <linux/sched.h> /* before sched.h */

#define HOST_STACK (256 * 1024)

/** struct request - clone3's arguments, its layout; clone's are put into the same form. */
struct request {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
        set_tid_size, cgroup;
};

/** task_for_thread - a task like @t with a CPU of its own and the registers that @q asks for; NULL:
 * no memory. */
struct task *task_for_thread(struct task *t, const struct request *q);
void task_free(struct task *t);

/** task_list_add, task_list_del - the list of all tasks in our memory; del returns whether its process has
 * no other in it. */
void task_list_add(struct task *t);
bool task_list_del(struct task *t);

/** task_share - clone of a process that shares our memory: its pid or a negative errno. */
long task_share(struct task *t, const struct request *q);

#endif
