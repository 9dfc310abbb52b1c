/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a number to what serves it, and the calls that go to the host as they are. */
#include "user/sys.h"

#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

const struct sys_row *sys_row(const struct user_abi *abi, uint64_t nr)
{
    return nr < abi->call.n_rows && abi->call.rows[nr].name ? &abi->call.rows[nr] : NULL;
}

/* With a guest base, addresses inside structures need it too. */
static int convert_iovec(struct task *t, uint64_t addr, uint64_t n, struct iovec *out)
{
    int r;

    if (n > IOV_MAX)
        return -EINVAL;
    if ((r = guest_read(t->cpu, out, addr, n * sizeof(*out))) < 0)
        return r;
    for (uint64_t i = 0; i < n; i++)
        out[i].iov_base = (void *)host_addr(t, (uint64_t)out[i].iov_base);
    return 0;
}

static long pass_iovec(struct task *t, const struct sys_row *row, const uint64_t *a)
{
    struct iovec iov[IOV_MAX];
    int r = convert_iovec(t, a[1], a[2], iov);

    return r < 0 ? r : HOST_WAIT(t, row->host, a[0], iov, a[2], a[3], a[4], a[5]);
}

static long pass_msghdr(struct task *t, int nr, const uint64_t *a)
{
    struct iovec iov[IOV_MAX];
    struct msghdr m;
    long r;

    if ((r = guest_read(t->cpu, &m, a[1], sizeof(m))) < 0)
        return r;
    if (m.msg_iovlen > IOV_MAX)
        return -EMSGSIZE;
    if ((r = convert_iovec(t, (uint64_t)m.msg_iov, m.msg_iovlen, iov)) < 0)
        return r;
    m.msg_iov = iov;
    m.msg_name = (void *)host_addr(t, (uint64_t)m.msg_name);
    m.msg_control = (void *)host_addr(t, (uint64_t)m.msg_control);
    r = HOST_WAIT(t, nr, a[0], &m, a[2]);
    if (r >= 0 && nr == __NR_recvmsg) {
        guest_write(t->cpu, a[1] + offsetof(struct msghdr, msg_namelen), &m.msg_namelen, 4);
        guest_write(t->cpu, a[1] + offsetof(struct msghdr, msg_controllen), &m.msg_controllen, 8);
        guest_write(t->cpu, a[1] + offsetof(struct msghdr, msg_flags), &m.msg_flags, 4);
    }
    return r;
}

/* One message after another; only the first one waits if MSG_WAITFORONE is given. */
static long pass_mmsghdr(struct task *t, int nr, const uint64_t *a)
{
    int one = nr == __NR_recvmmsg ? __NR_recvmsg : __NR_sendmsg;
    uint64_t b[6] = {a[0], a[1], a[3] & ~(uint64_t)MSG_WAITFORONE};
    long done = 0, r = 0;

    for (; done < (long)a[2] && done < IOV_MAX; done++, b[1] += sizeof(struct mmsghdr)) {
        uint32_t len;

        if ((r = pass_msghdr(t, one, b)) < 0)
            break;
        len = (uint32_t)r;
        guest_write(t->cpu, b[1] + offsetof(struct mmsghdr, msg_len), &len, 4);
        if (a[3] & MSG_WAITFORONE)
            b[2] |= MSG_DONTWAIT;
    }
    return done ? done : r;
}

long sys_pass(struct task *t, const struct sys_row *row, const uint64_t *a)
{
    uint64_t v[6] = {a[0], a[1], a[2], a[3], a[4], a[5]};
    const char *k = row->kinds;

    if (t->proc->guest_base) {
        long r = rebase_call(t, row, a);

        if (r != REBASE_NONE)
            return r;
    }
    for (int i = 0; i < 6 && k[i] && k[i] != '='; i++) {
        if (k[i] >= 'A' && k[i] <= 'Z') {
            if (t->proc->guest_base && k[i] == 'I')
                return pass_iovec(t, row, a);
            if (t->proc->guest_base && k[i] == 'M')
                return pass_msghdr(t, row->host, a);
            if (t->proc->guest_base && k[i] == 'N')
                return pass_mmsghdr(t, row->host, a);
            v[i] = (uint64_t)host_addr(t, a[i]);
        } else if (t->proc->abi->word == 4 && strchr("dfakw", k[i])) {
            v[i] = (uint64_t)(int32_t)a[i];
        } else if (k[i] == 'q') {
            v[i] = sys_open_flags(t, a[i]);
        }
    }
    return HOST_WAIT(t, row->host, v[0], v[1], v[2], v[3], v[4], v[5]);
}

static long call(struct task *t, const struct sys_row *row, const uint64_t *a)
{
    if (!row)
        return -ENOSYS;
    if (row->fn)
        return row->fn(t, a);
    return row->host < 0 ? row->host : sys_pass(t, row, a);
}

/* Where code is closed to writing, the host's kernel cannot write either: what it will fill in is opened first, as far as the
 * row tells, and what fails nevertheless is done again. */
static long call_opened(struct task *t, const struct sys_row *row, const uint64_t *a)
{
    enum { UNKNOWN = 256 }; /* bytes of a structure */
    long r;

    for (int i = 0; row && i < 6 && row->kinds[i] && row->kinds[i] != '='; i++) {
        if (row->kinds[i] == 'P')
            mm_open(t->proc, a[i], UNKNOWN);
        else if (row->kinds[i] == 'B')
            mm_open(t->proc, a[i], a[i + 1 < 6 ? i + 1 : i] < 1 << 24 ? a[i + 1 < 6 ? i + 1 : i] : 1 << 24);
    }
    r = call(t, row, a);
    return r == -EFAULT && mm_open_all(t->proc) ? call(t, row, a) : r;
}

static long make_call(struct task *t, const struct sys_row *row, const uint64_t *a)
{
    return t->proc->abi->cpu.checked_mode ? call_opened(t, row, a) : call(t, row, a);
}

static long call_traced(struct task *t, const struct sys_row *row, uint64_t nr, const uint64_t *a)
{
    long r;

    strace_enter(t, row, nr, a);
    r = make_call(t, row, a);
    strace_leave(t, row, a, r);
    return r;
}

long sys_dispatch(struct task *t)
{
    const struct user_abi *abi = t->proc->abi;
    uint64_t a[6], nr = abi->call.fetch(t->cpu, a);
    const struct sys_row *row = sys_row(abi, nr);

    return t->proc->opts.strace ? call_traced(t, row, nr, a) : make_call(t, row, a);
}

/* --- Calls that need not come here (engine_set_quick_calls) --- */

static struct engine_quick_calls quick;
static bool fills_in[512]; /* of those: the kernel writes to memory whose place it is told */

static bool can_be_quick(const struct sys_row *row)
{
    return row->name && !row->fn && row->host >= 0 && !strpbrk(row->kinds, "gq"); /* signals may come with any code; flags are changed */
}

void sys_start_quick_calls(struct process *p)
{
    const struct abi_call *c = &p->abi->call;

    if (!c->as_host || p->guest_base || p->opts.strace || p->opts.log || p->opts.gdb)
        return;
    for (uint32_t nr = 0; nr < c->n_rows && nr < sizeof(fills_in); nr++) {
        quick.quick[nr] = can_be_quick(&c->rows[nr]);
        fills_in[nr] = quick.quick[nr] && strpbrk(c->rows[nr].kinds, "PB");
    }
    engine_set_quick_calls(p->engine, &quick);
}

void sys_quick_calls_closed(bool any)
{
    __atomic_store_n(&quick.closed, any, __ATOMIC_RELEASE);
    for (uint32_t nr = 0; nr < sizeof(fills_in); nr++)
        if (fills_in[nr])
            __atomic_store_n(&quick.quick[nr], !any, __ATOMIC_RELEASE);
}

int sys_path(struct task *t, uint64_t addr, char *buf)
{
    long n = guest_strlen(t->cpu, addr, PATH_MAX - 1);

    if (n < 0)
        return (int)n;
    return guest_read(t->cpu, buf, addr, (size_t)n + 1);
}
