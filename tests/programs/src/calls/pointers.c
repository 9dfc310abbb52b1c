/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls whose structures hold pointers: also for a guest that does not start at host address 0. */
#define _GNU_SOURCE
#include "../../../test.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/ethtool.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <mqueue.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

static char text[] = "what is at this address";

static int file(void)
{
    char name[] = "/tmp/pointersXXXXXX";
    int fd = mkstemp(name);

    unlink(name);
    return fd;
}

static void request(struct iocb *cb, int fd, int operation, void *buf, size_t n)
{
    *cb = (struct iocb){.aio_fildes = (uint32_t)fd, .aio_lio_opcode = (uint16_t)operation,
                        .aio_buf = (uintptr_t)buf, .aio_nbytes = n, .aio_data = (uintptr_t)text};
}

TEST(pointers, asynchronous_input_and_output)
{
    char back[8] = "", more[8] = "";
    struct iovec io[2] = {{back, 4}, {more, 4}};
    struct iocb cb[3], *list[3] = {&cb[0], &cb[1], &cb[2]};
    struct io_event ev[3];
    struct timespec soon = {1, 0};
    aio_context_t ctx = 0;
    int fd = file(), pipes[2];

    CHECK_EQ(pipe(pipes), 0);
    CHECK_EQ(syscall(SYS_io_setup, 8, &ctx), 0);
    request(&cb[0], fd, IOCB_CMD_PWRITE, text, 8);
    CHECK_EQ(syscall(SYS_io_submit, ctx, 1, list), 1);
    CHECK_EQ(syscall(SYS_io_getevents, ctx, 1, 1, ev, &soon), 1);
    CHECK_EQ(ev[0].obj, (uintptr_t)&cb[0]);
    CHECK_EQ(ev[0].data, (uintptr_t)text);
    CHECK_EQ(ev[0].res, 8);
    CHECK_EQ(cb[0].aio_buf, (uintptr_t)text);
    request(&cb[1], fd, IOCB_CMD_PREADV, io, 2);
    request(&cb[2], pipes[1], IOCB_CMD_POLL, (void *)POLLOUT, 0);
    CHECK_EQ(syscall(SYS_io_submit, ctx, 2, list + 1), 2);
    CHECK_EQ(syscall(SYS_io_pgetevents, ctx, 2, 2, ev, &soon, NULL), 2);
    CHECK((ev[0].obj == (uintptr_t)&cb[1]) != (ev[1].obj == (uintptr_t)&cb[1]));
    CHECK_MEM(back, text, 4);
    CHECK_MEM(more, text + 4, 4);
    list[1] = (struct iocb *)8;
    CHECK_EQ(syscall(SYS_io_submit, ctx, 2, list), 1);
    CHECK(syscall(SYS_io_submit, ctx, 1, list + 1) < 0 && errno == EFAULT);
    CHECK_EQ(syscall(SYS_io_destroy, ctx), 0);
    CHECK(syscall(SYS_io_destroy, ctx) < 0 && errno == EINVAL);
    CHECK(syscall(SYS_io_getevents, ctx, 0, 1, ev, &soon) < 0 && errno == EINVAL);
    CHECK(syscall(SYS_io_setup, 8, &ctx) < 0 && errno == EINVAL); /* it must be 0 before */
}

TEST(pointers, filters)
{
    struct sock_filter drop[] = {{BPF_RET | BPF_K, 0, 0, 0}};
    struct sock_fprog prog = {1, drop};
    int s[2];

    socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
    CHECK_EQ(setsockopt(s[1], SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)), 0);
    send(s[0], text, 4, 0);
    CHECK(recv(s[1], text, 4, MSG_DONTWAIT) < 0 && errno == EAGAIN);
    prog.filter = (struct sock_filter *)8;
    CHECK(setsockopt(s[1], SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) < 0 && errno == EFAULT);
    CHECK(setsockopt(s[1], SOL_SOCKET, SO_ATTACH_FILTER, &prog, 4) < 0 && errno == EINVAL);
}

TEST(pointers, network_interfaces)
{
    char buf[4096];
    struct ifconf c = {sizeof(buf), {buf}};
    struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
    struct ifreq r = {.ifr_data = (void *)&info};
    int s = socket(AF_INET, SOCK_DGRAM, 0);

    if (ioctl(s, SIOCGIFCONF, &c) < 0 || c.ifc_len == 0)
        SKIP("no network interface has an address");
    CHECK_EQ(c.ifc_buf, buf);
    CHECK(c.ifc_len >= (int)sizeof(r) && c.ifc_req[0].ifr_name[0]);
    strcpy(r.ifr_name, "lo");
    CHECK(ioctl(s, SIOCETHTOOL, &r) == 0 || errno == EOPNOTSUPP);
    CHECK_EQ(r.ifr_data, &info);
}

static char *reader(char *from)
{
    static char to[32];
    struct iovec here = {to, 32}, there = {from, sizeof(text)};

    memset(to, 0, sizeof(to));
    return process_vm_readv(getpid(), &here, 1, &there, 1, 0) == sizeof(text) ? to : NULL;
}

TEST(pointers, memory_of_processes_and_nodes)
{
    struct iovec lent = {text, sizeof(text)};
    void *pages[2] = {mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), text};
    int status[2] = {7, 7}, fds[2], pid = (int)syscall(SYS_pidfd_open, getpid(), 0);
    char back[sizeof(text)];

    CHECK_STR(reader(text), text);
    CHECK(!reader((char *)8));
    if (syscall(SYS_move_pages, 0, 2, pages, NULL, status, 0) == 0) {
        CHECK(status[0] < 0); /* never touched */
        CHECK_EQ(status[1], 0);
    }
    pipe(fds);
    CHECK_EQ(vmsplice(fds[1], &lent, 1, 0), sizeof(text));
    CHECK_EQ(read(fds[0], back, sizeof(back)), sizeof(text));
    CHECK_STR(back, text);
    lent.iov_base = (void *)((uintptr_t)text & -4096);
    lent.iov_len = 4096;
    CHECK(syscall(440 /* process_madvise */, pid, &lent, 1, MADV_COLD, 0) == 4096 || errno == ENOSYS);
}

/* Linux 5.16; others have no such call. */
TEST(pointers, lists_of_futexes)
{
    static uint32_t words[2];
    struct { uint64_t val, addr; uint32_t flags, pad; } w[2] = {
        {0, (uint64_t)&words[0], 2 | 128, 0}, {5, (uint64_t)&words[1], 2 | 128, 0}};
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    if (syscall(449, w, 2, 0, &ts, CLOCK_MONOTONIC) < 0 && errno == ENOSYS)
        SKIP("the host has no futex_waitv");
    CHECK_EQ(errno, EAGAIN); /* the second one is not 5 */
    words[1] = 5;
    CHECK(syscall(449, w, 2, 0, &ts, CLOCK_MONOTONIC) < 0 && errno == ETIMEDOUT);
    w[0].addr = 8;
    CHECK(syscall(449, w, 2, 0, &ts, CLOCK_MONOTONIC) < 0 && errno == EFAULT);
}

static volatile int noticed;
static void notice(union sigval v)
{
    noticed = v.sival_ptr == text;
}

TEST(pointers, message_queues_start_threads)
{
    struct mq_attr attr = {.mq_maxmsg = 2, .mq_msgsize = 8};
    struct sigevent ev = {.sigev_notify = SIGEV_THREAD, .sigev_value.sival_ptr = text};
    char name[32];
    mqd_t q;

    snprintf(name, sizeof(name), "/emu-test-%d", getpid());
    q = mq_open(name, O_RDWR | O_CREAT, 0600, &attr);
    if (q < 0)
        SKIP("the host has no message queues");
    mq_unlink(name);
    ev.sigev_notify_function = notice;
    CHECK_EQ(mq_notify(q, &ev), 0);
    mq_send(q, "x", 1, 0);
    for (int i = 0; i < 2000 && !noticed; i++)
        usleep(1000);
    CHECK_EQ(noticed, 1);
}

TEST(pointers, keys)
{
    char back[64] = "";
    long key = syscall(SYS_add_key, "user", "emu-test", text, 5, -2 /* process keyring */);

    if (key < 0)
        SKIP("the host has no keys");
    CHECK(syscall(SYS_keyctl, 6 /* describe */, key, back, sizeof(back)) > 0);
    CHECK_MEM(back, "user;", 5);
    CHECK_EQ(syscall(SYS_keyctl, 11 /* read */, key, back, sizeof(back)), 5);
    CHECK_MEM(back, text, 5);
    CHECK_EQ(syscall(SYS_keyctl, 10 /* search */, -2, "user", "emu-test", 0), key);
}

static void *other(void *arg)
{
    void *head = NULL;
    size_t size = 0;

    CHECK_EQ(syscall(SYS_get_robust_list, *(pid_t *)arg, &head, &size), 0);
    return head;
}

TEST(pointers, the_robust_list_of_another_thread)
{
    pid_t me = getpid();
    void *mine = NULL, *seen = NULL;
    size_t size;
    pthread_t t;

    syscall(SYS_get_robust_list, 0, &mine, &size);
    pthread_create(&t, NULL, other, &me);
    pthread_join(t, &seen);
    CHECK_EQ(seen, mine);
}

static const struct test tests[] = {
    CASE(pointers, asynchronous_input_and_output),
    CASE(pointers, filters),
    CASE(pointers, network_interfaces),
    CASE(pointers, memory_of_processes_and_nodes),
#if UINTPTR_MAX > UINT32_MAX /* their structures are written for 64 bits */
    CASE(pointers, lists_of_futexes),
    CASE(pointers, message_queues_start_threads),
    CASE(pointers, keys),
    CASE(pointers, the_robust_list_of_another_thread),
#endif
};
TEST_MAIN(tests)
