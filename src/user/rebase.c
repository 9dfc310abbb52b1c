/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pointers inside of structures, for guests whose address 0 is not the host's (-B, or programs linked
 * where the host maps nothing): the host gets copies with its own addresses.  Layouts: Linux's uapi headers.
 */
#include "user/sys.h"

#include <limits.h>
#include <linux/aio_abi.h>
#include <linux/blkpg.h>
#include <linux/filter.h>
#include <linux/fsverity.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/kd.h>
#include <linux/keyctl.h>
#include <linux/ppp-ioctl.h>
#include <linux/sockios.h>
#include <linux/usbdevice_fs.h>
#include <net/if.h>
#include <net/route.h>
#include <scsi/sg.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define MAX_STRUCT  256
#define MAX_SEVERAL 128 /* structures in one call */

/* struct pointers - where a structure of @size bytes has some; offset 0 ends the list after the first. */
struct pointers {
    uint8_t size, at[4];
};

static uint64_t word(const void *p)
{
    uint64_t v;

    memcpy(&v, p, 8);
    return v;
}

static void set_word(void *p, uint64_t v)
{
    memcpy(p, &v, 8);
}

static int next_pointer(const struct pointers *l, unsigned i)
{
    return i < sizeof(l->at) && (i == 0 || l->at[i]) ? l->at[i] : -1;
}

/* The guest's structure with the host's addresses. */
static int take(struct task *t, uint8_t *to, uint64_t addr, const struct pointers *l)
{
    int r = guest_read(t->cpu, to, addr, l->size), at;

    for (unsigned i = 0; r == 0 && (at = next_pointer(l, i)) >= 0; i++)
        set_word(to + at, (uint64_t)host_addr(t, word(to + at)));
    return r;
}

/* The other way: what the host has changed. */
static void give_back(struct task *t, uint8_t *from, uint64_t addr, const struct pointers *l)
{
    uint8_t old[MAX_STRUCT];
    int at;

    if (guest_read(t->cpu, old, addr, l->size) < 0)
        return;
    for (unsigned i = 0; (at = next_pointer(l, i)) >= 0; i++)
        memcpy(from + at, old + at, 8);
    if (memcmp(old, from, l->size) != 0)
        guest_write(t->cpu, addr, from, l->size);
}

/* --- ioctl */

static const struct {
    uint32_t request;
    struct pointers l;
} ioctls[] = {
    {SIOCADDRT, {sizeof(struct rtentry), {offsetof(struct rtentry, rt_dev)}}},
    {SIOCDELRT, {sizeof(struct rtentry), {offsetof(struct rtentry, rt_dev)}}},
    {SIOCGIFCONF, {sizeof(struct ifconf), {offsetof(struct ifconf, ifc_buf)}}},
    {SIOCETHTOOL, {sizeof(struct ifreq), {offsetof(struct ifreq, ifr_data)}}},
    {SIOCSHWTSTAMP, {sizeof(struct ifreq), {offsetof(struct ifreq, ifr_data)}}},
    {SIOCGHWTSTAMP, {sizeof(struct ifreq), {offsetof(struct ifreq, ifr_data)}}},
    {SG_IO,
     {sizeof(struct sg_io_hdr),
      {offsetof(struct sg_io_hdr, dxferp), offsetof(struct sg_io_hdr, cmdp),
       offsetof(struct sg_io_hdr, sbp)}}},
    {BLKPG, {sizeof(struct blkpg_ioctl_arg), {offsetof(struct blkpg_ioctl_arg, data)}}},
    {TUNATTACHFILTER, {sizeof(struct sock_fprog), {offsetof(struct sock_fprog, filter)}}},
    {TUNDETACHFILTER, {sizeof(struct sock_fprog), {offsetof(struct sock_fprog, filter)}}},
    {PPPIOCSPASS, {sizeof(struct sock_fprog), {offsetof(struct sock_fprog, filter)}}},
    {PPPIOCSACTIVE, {sizeof(struct sock_fprog), {offsetof(struct sock_fprog, filter)}}},
    {KDFONTOP, {sizeof(struct console_font_op), {offsetof(struct console_font_op, data)}}},
    {GIO_UNIMAP, {sizeof(struct unimapdesc), {offsetof(struct unimapdesc, entries)}}},
    {PIO_UNIMAP, {sizeof(struct unimapdesc), {offsetof(struct unimapdesc, entries)}}},
    {FS_IOC_ENABLE_VERITY,
     {sizeof(struct fsverity_enable_arg),
      {offsetof(struct fsverity_enable_arg, salt_ptr), offsetof(struct fsverity_enable_arg, sig_ptr)}}},
    {USBDEVFS_CONTROL,
     {sizeof(struct usbdevfs_ctrltransfer), {offsetof(struct usbdevfs_ctrltransfer, data)}}},
    {USBDEVFS_BULK,
     {sizeof(struct usbdevfs_bulktransfer), {offsetof(struct usbdevfs_bulktransfer, data)}}},
};

long rebase_ioctl(struct task *t, const uint64_t *a)
{
    uint8_t copy[MAX_STRUCT];
    long r;

    for (size_t i = 0; i < sizeof(ioctls) / sizeof(ioctls[0]); i++) {
        if (ioctls[i].request != (uint32_t)a[1])
            continue;
        if ((r = take(t, copy, a[2], &ioctls[i].l)) < 0)
            return r;
        r = HOST_WAIT(t, __NR_ioctl, a[0], a[1], copy);
        if (r != SYS_RESTART)
            give_back(t, copy, a[2], &ioctls[i].l);
        return r;
    }
    return REBASE_NONE;
}

/* --- setsockopt, mq_notify, keyctl */

static long set_option(struct task *t, const uint64_t *a)
{
    static const struct pointers filter = {sizeof(struct sock_fprog),
                                           {offsetof(struct sock_fprog, filter)}};
    int level = (int)a[1], option = (int)a[2];
    uint8_t copy[MAX_STRUCT];
    long r;

    if (!(level == SOL_SOCKET && (option == SO_ATTACH_FILTER || option == SO_ATTACH_REUSEPORT_CBPF)) &&
        !(level == SOL_PACKET && option == PACKET_FANOUT_DATA && a[4] == filter.size))
        return REBASE_NONE;
    if (a[4] < filter.size)
        return -EINVAL;
    if ((r = take(t, copy, a[3], &filter)) < 0)
        return r;
    return HOST(__NR_setsockopt, a[0], level, option, copy, filter.size);
}

/* The notice of SIGEV_THREAD comes as a message, whose bytes are read now. */
static long notify(struct task *t, const uint64_t *a)
{
    struct sigevent ev;
    long r;

    if (!a[1])
        return REBASE_NONE;
    if ((r = guest_read(t->cpu, &ev, a[1], sizeof(ev))) < 0)
        return r;
    if (ev.sigev_notify != SIGEV_THREAD)
        return REBASE_NONE;
    ev.sigev_value.sival_ptr = (void *)host_addr(t, (uint64_t)ev.sigev_value.sival_ptr);
    return HOST(__NR_mq_notify, a[0], &ev);
}

static unsigned key_pointers(int operation) /* bit n: argument n is one (keyctl(2)) */
{
    switch (operation) {
    case KEYCTL_JOIN_SESSION_KEYRING:
    case KEYCTL_CAPABILITIES:
        return 1 << 1;
    case KEYCTL_UPDATE:
    case KEYCTL_DESCRIBE:
    case KEYCTL_READ:
    case KEYCTL_INSTANTIATE:
    case KEYCTL_GET_SECURITY:
        return 1 << 2;
    case KEYCTL_SEARCH:
    case KEYCTL_RESTRICT_KEYRING:
        return 1 << 2 | 1 << 3;
    case KEYCTL_DH_COMPUTE:
        return 1 << 1 | 1 << 2;
    case KEYCTL_PKEY_QUERY:
        return 1 << 3 | 1 << 4;
    default:
        return 0;
    }
}

static long key(struct task *t, const uint64_t *a)
{
    unsigned pointers = key_pointers((int)a[0]);
    uint64_t v[5];

    for (int i = 0; i < 5; i++)
        v[i] = pointers >> i & 1 ? (uint64_t)host_addr(t, a[i]) : a[i];
    return HOST_WAIT(t, __NR_keyctl, v[0], v[1], v[2], v[3], v[4]);
}

static int take_iovec(struct task *t, uint64_t addr, uint64_t n, struct iovec *out)
{
    static const struct pointers io = {sizeof(struct iovec), {offsetof(struct iovec, iov_base)}};
    int r = 0;

    for (uint64_t i = 0; i < n && r == 0; i++)
        r = take(t, (uint8_t *)&out[i], addr + i * io.size, &io);
    return r;
}

/* --- Asynchronous input and output: the host tells a request by its address */

/* The host reads a request while it is submitted: its buffer is the guest's again afterwards. */
long submit_request(struct task *t, uint64_t context, uint64_t addr,
                    int (*take_vector)(struct task *t, uint64_t addr, uint64_t n, struct iovec *out))
{
    uint64_t at = addr + offsetof(struct iocb, aio_buf), buf;
    struct iovec vector[IOV_MAX];
    struct iocb cb, *one = (struct iocb *)host_addr(t, addr);
    long r = guest_read(t->cpu, &cb, addr, sizeof(cb));

    if (r < 0)
        return r;
    buf = (uint64_t)host_addr(t, cb.aio_buf);
    if (cb.aio_lio_opcode == IOCB_CMD_POLL)
        buf = cb.aio_buf; /* events */
    if (cb.aio_lio_opcode == IOCB_CMD_PREADV || cb.aio_lio_opcode == IOCB_CMD_PWRITEV) {
        r = cb.aio_nbytes > IOV_MAX ? -EINVAL : take_vector(t, cb.aio_buf, cb.aio_nbytes, vector);
        buf = (uint64_t)vector;
    }
    if (r < 0 || (r = guest_write(t->cpu, at, &buf, 8)) < 0)
        return r;
    r = HOST(__NR_io_submit, context, 1, &one);
    guest_write(t->cpu, at, &cb.aio_buf, 8);
    return r;
}

static long submit(struct task *t, const uint64_t *a)
{
    long done = 0, r = (long)a[1] < 0 ? -EINVAL : 0;

    for (; done < (long)a[1]; done++) {
        uint64_t addr;

        if ((r = guest_read(t->cpu, &addr, a[2] + 8 * (uint64_t)done, 8)) < 0 ||
            (r = submit_request(t, a[0], addr, take_iovec)) <= 0)
            break;
    }
    return done ? done : r;
}

/* The addresses that the events in the guest's buffer tell. */
long rebase_events(struct task *t, uint64_t addr, long n)
{
    for (long i = 0; i < n; i++) {
        uint64_t at = addr + (uint64_t)i * sizeof(struct io_event) + offsetof(struct io_event, obj), obj;

        if (guest_read(t->cpu, &obj, at, 8) < 0)
            break;
        obj -= t->proc->guest_base;
        guest_write(t->cpu, at, &obj, 8);
    }
    return n;
}

static long get_events(struct task *t, const uint64_t *a)
{
    long n = HOST_WAIT(t, __NR_io_getevents, a[0], a[1], a[2], host_addr(t, a[3]), host_addr(t, a[4]));

    return n > 0 ? rebase_events(t, a[3], n) : n;
}

/* --- Lists of addresses */

/* futex_waitv, futex_requeue: struct futex_waitv, of which the second word is the address. */
static long futexes(struct task *t, const struct sys_row *row, const uint64_t *a, uint64_t n)
{
    static const struct pointers futex = {24, {8}};
    uint8_t list[MAX_SEVERAL][24];
    int r;

    if (n == 0 || n > MAX_SEVERAL)
        return -EINVAL;
    for (uint64_t i = 0; i < n; i++)
        if ((r = take(t, list[i], a[0] + i * futex.size, &futex)) < 0)
            return r;
    if (row->host == 456)
        return HOST(456, list, a[1], a[2], a[3]);
    return HOST_WAIT(t, row->host, list, a[1], a[2], host_addr(t, a[3]), a[4]);
}

/* Of another process we assume that it lies where we do, as our children do. */
static long other_memory(struct task *t, const struct sys_row *row, const uint64_t *a)
{
    struct iovec ours[MAX_SEVERAL], theirs[MAX_SEVERAL];
    long r;

    if (a[2] > MAX_SEVERAL || a[4] > MAX_SEVERAL)
        return -EINVAL;
    if ((r = take_iovec(t, a[1], a[2], ours)) < 0 || (r = take_iovec(t, a[3], a[4], theirs)) < 0)
        return r;
    return HOST(row->host, a[0], ours, a[2], theirs, a[4], a[5]);
}

/* move_pages: 64 at a time. */
static long move_pages(struct task *t, const uint64_t *a)
{
    uint64_t page[64];
    long failed = 0, r;

    for (uint64_t i = 0, n; i < a[1]; i += n) {
        n = a[1] - i < 64 ? a[1] - i : 64;
        if ((r = guest_read(t->cpu, page, a[2] + 8 * i, 8 * n)) < 0)
            return r;
        for (uint64_t k = 0; k < n; k++)
            page[k] = (uint64_t)host_addr(t, page[k]);
        r = HOST(__NR_move_pages, a[0], n, page, a[3] ? host_addr(t, a[3] + 4 * i) : 0,
                 host_addr(t, a[4] + 4 * i), a[5]);
        if (r < 0)
            return r;
        failed += r;
    }
    return failed;
}

/* setxattrat, getxattrat: struct xattr_args begins with an address. */
static long attribute(struct task *t, const struct sys_row *row, const uint64_t *a)
{
    static const struct pointers args = {16, {0}};
    uint8_t copy[16];
    long r;

    if (a[5] != sizeof(copy))
        return a[5] < sizeof(copy) ? -EINVAL : -E2BIG;
    if ((r = take(t, copy, a[4], &args)) < 0)
        return r;
    return HOST(row->host, a[0], host_addr(t, a[1]), a[2], host_addr(t, a[3]), copy, a[5]);
}

long rebase_call(struct task *t, const struct sys_row *row, const uint64_t *a)
{
    switch (row->host) {
    case __NR_io_submit: return submit(t, a);
    case __NR_io_getevents: return get_events(t, a);
    case __NR_setsockopt: return set_option(t, a);
    case __NR_mq_notify: return notify(t, a);
    case __NR_keyctl: return key(t, a);
    case __NR_process_vm_readv:
    case __NR_process_vm_writev: return other_memory(t, row, a);
    case __NR_move_pages: return move_pages(t, a);
    case 449: return futexes(t, row, a, a[1]);
    case 456: return futexes(t, row, a, 2);
    case 463:
    case 464: return attribute(t, row, a);
    default: return REBASE_NONE;
    }
}
