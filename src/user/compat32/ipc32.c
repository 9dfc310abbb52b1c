/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System V IPC and message queues of 32-bit guests (ipc(2), msgctl(2), semctl(2), shmctl(2), mq_open(3)). */
#include "user/compat32/compat32.h"

#include <limits.h>
#include <mqueue.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

enum { NEW_LAYOUT = 0x100 /* IPC_64 */, STAT_ANY_SHM = 15, STAT_ANY_SEM = 20, STAT_ANY_MSG = 13 };

struct perm32 {
    int32_t key;
    uint32_t uid, gid, cuid, cgid;
    uint16_t mode, pad1, seq, pad2;
    uint32_t unused[2];
};

static struct perm32 perm_to_32(const struct ipc_perm *p)
{
    return (struct perm32){.key = p->__key, .uid = p->uid, .gid = p->gid, .cuid = p->cuid, .cgid = p->cgid,
                           .mode = (uint16_t)p->mode, .seq = p->__seq};
}

static void perm_from_32(struct ipc_perm *p, const struct perm32 *g)
{
    p->uid = g->uid;
    p->gid = g->gid;
    p->mode = g->mode;
}

static uint32_t low(uint64_t v)
{
    return (uint32_t)v;
}

static uint32_t high(uint64_t v)
{
    return (uint32_t)(v >> 32);
}

/* --- Semaphores --- */

struct semid32 {
    struct perm32 perm;
    uint32_t otime, otime_high, ctime, ctime_high, nsems, unused[2];
};

static long sem_stat32(struct task *t, const uint64_t *a, int cmd)
{
    struct semid_ds h;
    struct semid32 g;
    long r = HOST(__NR_semctl, a[0], a[1], cmd, &h);

    if (r < 0)
        return r;
    g = (struct semid32){perm_to_32(&h.sem_perm), low((uint64_t)h.sem_otime), high((uint64_t)h.sem_otime),
                         low((uint64_t)h.sem_ctime), high((uint64_t)h.sem_ctime), (uint32_t)h.sem_nsems, {0}};
    return guest_write(t->cpu, a[3], &g, sizeof(g)) < 0 ? -EFAULT : r;
}

long sys32_semctl(struct task *t, const uint64_t *a)
{
    int cmd = (int)a[2] & ~NEW_LAYOUT;
    struct semid_ds h = {0};
    struct semid32 g;

    switch (cmd) {
    case IPC_STAT:
    case SEM_STAT:
    case STAT_ANY_SEM:
        return sem_stat32(t, a, cmd);
    case IPC_SET:
        if (guest_read(t->cpu, &g, a[3], sizeof(g)) < 0)
            return -EFAULT;
        perm_from_32(&h.sem_perm, &g.perm);
        return HOST(__NR_semctl, a[0], a[1], cmd, &h);
    case SETVAL:
        return HOST(__NR_semctl, a[0], a[1], cmd, (int)a[3]);
    default: /* arrays of 16-bit numbers; struct seminfo is of ints */
        return HOST(__NR_semctl, a[0], a[1], cmd, host_addr(t, a[3]));
    }
}

/* --- Shared memory --- */

struct shmid32 {
    struct perm32 perm;
    uint32_t segsz, atime, atime_high, dtime, dtime_high, ctime, ctime_high;
    int32_t cpid, lpid;
    uint32_t nattch, unused[2];
};

static long shm_stat32(struct task *t, const uint64_t *a, int cmd)
{
    struct shmid_ds h;
    struct shmid32 g;
    long r = HOST(__NR_shmctl, a[0], cmd, &h);

    if (r < 0)
        return r;
    g = (struct shmid32){perm_to_32(&h.shm_perm), h.shm_segsz > UINT32_MAX ? UINT32_MAX : (uint32_t)h.shm_segsz,
                         low((uint64_t)h.shm_atime), high((uint64_t)h.shm_atime), low((uint64_t)h.shm_dtime),
                         high((uint64_t)h.shm_dtime), low((uint64_t)h.shm_ctime), high((uint64_t)h.shm_ctime),
                         h.shm_cpid, h.shm_lpid, (uint32_t)h.shm_nattch, {0}};
    return guest_write(t->cpu, a[2], &g, sizeof(g)) < 0 ? -EFAULT : r;
}

/* IPC_INFO, SHM_INFO: numbers of the host's word size. */
static long shm_info32(struct task *t, const uint64_t *a, int cmd)
{
    unsigned long h[16] = {0};
    uint32_t g[9] = {0};
    long r = HOST(__NR_shmctl, 0, cmd, h);
    unsigned n = cmd == IPC_INFO ? 9 : 6;

    if (cmd == SHM_INFO) { /* the first is an int */
        g[0] = (uint32_t)h[0];
        for (unsigned i = 1; i < n; i++)
            g[i] = (uint32_t)h[i];
    } else {
        for (unsigned i = 0; i < n; i++)
            g[i] = h[i] > INT32_MAX ? INT32_MAX : (uint32_t)h[i];
    }
    return r < 0 ? r : guest_write(t->cpu, a[2], g, n * 4) < 0 ? -EFAULT : r;
}

long sys32_shmctl(struct task *t, const uint64_t *a)
{
    int cmd = (int)a[1] & ~NEW_LAYOUT;
    struct shmid_ds h = {0};
    struct shmid32 g;

    switch (cmd) {
    case IPC_STAT:
    case SHM_STAT:
    case STAT_ANY_SHM:
        return shm_stat32(t, a, cmd);
    case IPC_SET:
        if (guest_read(t->cpu, &g, a[2], sizeof(g)) < 0)
            return -EFAULT;
        perm_from_32(&h.shm_perm, &g.perm);
        return HOST(__NR_shmctl, a[0], cmd, &h);
    case IPC_INFO:
    case SHM_INFO:
        return shm_info32(t, a, cmd);
    default:
        return HOST(__NR_shmctl, a[0], cmd, 0);
    }
}

/* --- Messages --- */

struct msqid32 {
    struct perm32 perm;
    uint32_t stime, stime_high, rtime, rtime_high, ctime, ctime_high, cbytes, qnum, qbytes;
    int32_t lspid, lrpid;
    uint32_t unused[2];
};

static long msg_stat32(struct task *t, const uint64_t *a, int cmd)
{
    struct msqid_ds h;
    struct msqid32 g;
    long r = HOST(__NR_msgctl, a[0], cmd, &h);

    if (r < 0)
        return r;
    g = (struct msqid32){perm_to_32(&h.msg_perm), low((uint64_t)h.msg_stime), high((uint64_t)h.msg_stime),
                         low((uint64_t)h.msg_rtime), high((uint64_t)h.msg_rtime), low((uint64_t)h.msg_ctime),
                         high((uint64_t)h.msg_ctime), (uint32_t)h.__msg_cbytes, (uint32_t)h.msg_qnum,
                         (uint32_t)h.msg_qbytes, h.msg_lspid, h.msg_lrpid, {0}};
    return guest_write(t->cpu, a[2], &g, sizeof(g)) < 0 ? -EFAULT : r;
}

long sys32_msgctl(struct task *t, const uint64_t *a)
{
    int cmd = (int)a[1] & ~NEW_LAYOUT;
    struct msqid_ds h = {0};
    struct msqid32 g;

    switch (cmd) {
    case IPC_STAT:
    case MSG_STAT:
    case STAT_ANY_MSG:
        return msg_stat32(t, a, cmd);
    case IPC_SET:
        if (guest_read(t->cpu, &g, a[2], sizeof(g)) < 0)
            return -EFAULT;
        perm_from_32(&h.msg_perm, &g.perm);
        h.msg_qbytes = g.qbytes;
        return HOST(__NR_msgctl, a[0], cmd, &h);
    default: /* struct msginfo is of ints */
        return HOST(__NR_msgctl, a[0], cmd, host_addr(t, a[2]));
    }
}

enum { MAX_MESSAGE = 1 << 20 };

long sys32_msgsnd(struct task *t, const uint64_t *a)
{
    struct msgbuf *m;
    int32_t type;
    long r = -EFAULT;

    if ((int32_t)a[2] < 0 || a[2] > MAX_MESSAGE)
        return -EINVAL;
    if (!(m = malloc(8 + a[2] + 8)))
        return -ENOMEM;
    if (guest_read(t->cpu, &type, a[1], 4) == 0 && guest_read(t->cpu, m->mtext, a[1] + 4, a[2]) == 0) {
        m->mtype = type;
        r = HOST_WAIT(t, __NR_msgsnd, a[0], m, a[2], a[3]);
    }
    free(m);
    return r;
}

long sys32_msgrcv(struct task *t, const uint64_t *a)
{
    size_t size = a[2] > MAX_MESSAGE ? MAX_MESSAGE : a[2];
    struct msgbuf *m;
    int32_t type;
    long r;

    if ((int32_t)a[2] < 0)
        return -EINVAL;
    if (!(m = malloc(8 + size + 8)))
        return -ENOMEM;
    r = HOST_WAIT(t, __NR_msgrcv, a[0], m, size, (int32_t)a[3], a[4]);
    if (r >= 0) {
        type = (int32_t)m->mtype;
        if (guest_write(t->cpu, a[1], &type, 4) < 0 || guest_write(t->cpu, a[1] + 4, m->mtext, (size_t)r) < 0)
            r = -EFAULT;
    }
    free(m);
    return r;
}

/* --- ipc: all of them behind one number --- */

enum { SEMOP = 1, SEMGET, SEMCTL, SEMTIMEDOP, MSGSND = 11, MSGRCV, MSGGET, MSGCTL, SHMAT = 21, SHMDT, SHMGET, SHMCTL };

static long ipc_msgrcv(struct task *t, const uint64_t *a, unsigned version)
{
    uint32_t v[2] = {(uint32_t)a[4], (uint32_t)a[5]}; /* the message, its type */

    if (version == 0 && guest_read(t->cpu, v, a[4], sizeof(v)) < 0)
        return -EFAULT;
    return sys32_msgrcv(t, (uint64_t[6]){a[1], v[0], a[2], v[1], a[3]});
}

static long ipc_shmat(struct task *t, const uint64_t *a)
{
    int64_t r = sys_shmat(t, (uint64_t[6]){a[1], a[4], a[2]});
    uint32_t at = (uint32_t)r;

    if (r < 0 && r > -4096)
        return r;
    return guest_write(t->cpu, a[3], &at, 4);
}

static long ipc_semctl(struct task *t, const uint64_t *a)
{
    uint32_t arg;

    if (guest_read(t->cpu, &arg, a[4], 4) < 0)
        return -EFAULT;
    return sys32_semctl(t, (uint64_t[6]){a[1], a[2], a[3], arg});
}

static long ipc_semtimedop(struct task *t, const uint64_t *a)
{
    struct timespec ts, *p;

    if (get_timespec32(t, a[5], &ts, &p) < 0)
        return -EFAULT;
    return HOST_WAIT(t, __NR_semtimedop, a[1], host_addr(t, a[4]), a[2], p);
}

long sys32_ipc(struct task *t, const uint64_t *a)
{
    unsigned version = (unsigned)a[0] >> 16;

    switch (a[0] & 0xffff) {
    case SEMOP: return HOST_WAIT(t, __NR_semop, a[1], host_addr(t, a[4]), a[2]);
    case SEMGET: return HOST(__NR_semget, a[1], a[2], a[3]);
    case SEMCTL: return ipc_semctl(t, a);
    case SEMTIMEDOP: return ipc_semtimedop(t, a);
    case MSGSND: return sys32_msgsnd(t, (uint64_t[6]){a[1], a[4], a[2], a[3]});
    case MSGRCV: return ipc_msgrcv(t, a, version);
    case MSGGET: return HOST(__NR_msgget, a[1], a[2]);
    case MSGCTL: return sys32_msgctl(t, (uint64_t[6]){a[1], a[2], a[4]});
    case SHMAT: return version == 1 ? -EINVAL : ipc_shmat(t, a);
    case SHMDT: return sys_shmdt(t, (uint64_t[6]){a[4]});
    case SHMGET: return HOST(__NR_shmget, a[1], a[2], a[3]);
    case SHMCTL: return sys32_shmctl(t, (uint64_t[6]){a[1], a[2], a[4]});
    default: return -ENOSYS;
    }
}

/* --- POSIX message queues --- */

static int get_attr(struct task *t, uint64_t addr, struct mq_attr *h, struct mq_attr **p)
{
    int32_t g[8];

    *p = addr ? h : NULL;
    if (!addr)
        return 0;
    if (guest_read(t->cpu, g, addr, sizeof(g)) < 0)
        return -EFAULT;
    *h = (struct mq_attr){.mq_flags = g[0], .mq_maxmsg = g[1], .mq_msgsize = g[2], .mq_curmsgs = g[3]};
    return 0;
}

long sys32_mq_open(struct task *t, const uint64_t *a)
{
    struct mq_attr h, *p;

    if (get_attr(t, a[1] & 0100 /* O_CREAT */ ? a[3] : 0, &h, &p) < 0)
        return -EFAULT;
    return HOST(__NR_mq_open, host_addr(t, a[0]), a[1], a[2], p);
}

long sys32_mq_getsetattr(struct task *t, const uint64_t *a)
{
    struct mq_attr new, old, *p;
    int32_t g[8] = {0};
    long r;

    if (get_attr(t, a[1], &new, &p) < 0)
        return -EFAULT;
    if ((r = HOST(__NR_mq_getsetattr, a[0], p, &old)) < 0 || !a[2])
        return r;
    g[0] = (int32_t)old.mq_flags, g[1] = (int32_t)old.mq_maxmsg, g[2] = (int32_t)old.mq_msgsize;
    g[3] = (int32_t)old.mq_curmsgs;
    return guest_write(t->cpu, a[2], g, sizeof(g));
}

long sys32_mq_timedsend(struct task *t, const uint64_t *a)
{
    struct timespec ts, *p;

    if (get_timespec32(t, a[4], &ts, &p) < 0)
        return -EFAULT;
    return HOST_WAIT(t, __NR_mq_timedsend, a[0], host_addr(t, a[1]), a[2], a[3], p);
}

long sys32_mq_timedreceive(struct task *t, const uint64_t *a)
{
    struct timespec ts, *p;

    if (get_timespec32(t, a[4], &ts, &p) < 0)
        return -EFAULT;
    return HOST_WAIT(t, __NR_mq_timedreceive, a[0], host_addr(t, a[1]), a[2], host_addr(t, a[3]), p);
}

long sys32_mq_notify(struct task *t, const uint64_t *a)
{
    struct sigevent ev, *p;

    return get_sigevent32(t, a[1], &ev, &p) < 0 ? -EFAULT : HOST(__NR_mq_notify, a[0], p);
}
