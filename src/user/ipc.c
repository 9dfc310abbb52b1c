/* SPDX-License-Identifier: GPL-2.0-or-later */
/* semctl(2): the host's struct semid64_ds has two words more than asm-generic's. */
#include "user/sys.h"

#include <string.h>
#include <sys/ipc.h>
#include <sys/sem.h>

struct guest_semid { /* asm-generic/sembuf.h */
    uint8_t perm[48];
    int64_t otime, ctime;
    uint64_t nsems, unused[2];
};

struct host_semid { /* x86's sembuf.h */
    uint8_t perm[48];
    int64_t otime;
    uint64_t unused1;
    int64_t ctime;
    uint64_t unused2;
    uint64_t nsems, unused[2];
};

static long sem_stat(struct task *t, const uint64_t *a, int cmd)
{
    struct host_semid h;
    struct guest_semid g = {.nsems = 0};
    long r = HOST(__NR_semctl, a[0], a[1], cmd, &h), w;

    if (r < 0)
        return r;
    memcpy(g.perm, h.perm, sizeof(g.perm));
    g.otime = h.otime;
    g.ctime = h.ctime;
    g.nsems = h.nsems;
    w = guest_write(t->cpu, a[3], &g, sizeof(g));
    return w < 0 ? w : r;
}

static long sem_set(struct task *t, const uint64_t *a)
{
    struct host_semid h = {.nsems = 0};
    struct guest_semid g;
    int r = guest_read(t->cpu, &g, a[3], sizeof(g));

    if (r < 0)
        return r;
    memcpy(h.perm, g.perm, sizeof(h.perm));
    return HOST(__NR_semctl, a[0], a[1], IPC_SET, &h);
}

long sys_semctl(struct task *t, const uint64_t *a)
{
    bool generic = t->proc->abi->call.generic_sem;
    int cmd = (int)a[2];

    switch (cmd) {
    case IPC_STAT:
    case SEM_STAT:
    case 20: /* SEM_STAT_ANY */
        return generic ? sem_stat(t, a, cmd) : HOST(__NR_semctl, a[0], a[1], cmd, host_addr(t, a[3]));
    case IPC_SET:
        return generic ? sem_set(t, a) : HOST(__NR_semctl, a[0], a[1], cmd, host_addr(t, a[3]));
    case SETVAL:
        return HOST(__NR_semctl, a[0], a[1], cmd, a[3]);
    default:
        return HOST(__NR_semctl, a[0], a[1], cmd, host_addr(t, a[3]));
    }
}
