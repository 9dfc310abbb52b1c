/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets through a tap interface (Linux, Documentation/networking/tuntap.rst), with virtio's header before each
 * (virtio 1.2, 5.1.6) where the interface does that, so that segmentation and checksums are the kernel's work.
 */
#include "net/net_tap_priv.h"

#include <endian.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* The kernel's, little-endian as we ask for below or the host's, which is the same. */
struct vnet_header {
    uint8_t flags, gso_type;
    uint16_t hdr_len, gso_size, csum_start, csum_offset;
};
enum { HEADER = 10, BATCH = 64 /* packets in one turn of the loop, so that others get theirs */ };
_Static_assert(sizeof(struct vnet_header) == HEADER, "virtio_net_hdr");

static void update(struct tap_queue *q)
{
    if (q->watch)
        loop_set_fd(q->watch, (net_can_deliver(&q->t->net, q->number) ? LOOP_READ : 0) |
                                  (q->wants_room ? LOOP_WRITE : 0));
}

/* One packet from the interface; false: there is none now. */
static bool take_one(struct tap_queue *q)
{
    struct vnet_header h = {0};
    uint8_t packet[NET_MAX_PACKET];
    struct iovec v[] = {{&h, HEADER}, {packet, sizeof(packet)}};
    bool hdr = q->t->vnet_hdr;
    ssize_t r = readv(q->fd, hdr ? v : v + 1, hdr ? 2 : 1);
    struct net_meta m;

    if (r <= 0)
        return r < 0 && errno == EINTR;
    r -= hdr ? HEADER : 0;
    if (r <= 0)
        return true;
    m = (struct net_meta){h.flags,
                          h.gso_type,
                          le16toh(h.hdr_len),
                          le16toh(h.gso_size),
                          le16toh(h.csum_start),
                          le16toh(h.csum_offset)};
    net_deliver(&q->t->net, q->number, packet, (size_t)r, &m);
    return true;
}

static void on_ready(void *opaque, int ready)
{
    struct tap_queue *q = opaque;

    if ((ready & LOOP_WRITE) && q->wants_room) {
        q->wants_room = false;
        net_room(&q->t->net, q->number);
    }
    if (ready & (LOOP_READ | LOOP_HANGUP))
        for (int i = 0; i < BATCH && net_can_deliver(&q->t->net, q->number) && take_one(q); i++)
            ;
    update(q);
}

bool tap_send(struct net *n, unsigned queue, const struct iovec *iov, int cnt,
              const struct net_meta *m)
{
    struct tap_queue *q = &((struct net_tap *)n)->q[queue];
    struct vnet_header h = {m->flags & NET_CSUM,    m->gso_type,
                            htole16(m->hdr_len),    htole16(m->gso_size),
                            htole16(m->csum_start), htole16(m->csum_offset)};
    struct iovec v[128] = {{&h, HEADER}};
    uint8_t packet[NET_MAX_PACKET];
    bool hdr = q->t->vnet_hdr;
    ssize_t r;

    if (cnt < (int)ARRAY_LEN(v)) {
        memcpy(v + 1, iov, (size_t)cnt * sizeof(*iov));
    } else {
        v[1] = (struct iovec){packet, net_iov_copy(packet, sizeof(packet), iov, cnt)};
        cnt = 1;
    }
    do
        r = writev(q->fd, hdr ? v : v + 1, hdr ? cnt + 1 : cnt);
    while (r < 0 && errno == EINTR);
    if (r < 0 && errno == EAGAIN) {
        q->wants_room = true;
        update(q);
        return false;
    }
    return true; /* an interface that is down, or a header that is wrong, loses the packet */
}

void tap_ready(struct net *n, unsigned queue)
{
    update(&((struct net_tap *)n)->q[queue]);
}

void tap_offloads(struct net *n)
{
    struct net_tap *t = (struct net_tap *)n;
    unsigned o = n->offloads, f = 0;

    if (!t->vnet_hdr)
        return;
    if (o & NET_OFF_CSUM)
        f = TUN_F_CSUM | (o & NET_OFF_TSO4 ? TUN_F_TSO4 : 0u) |
            (o & NET_OFF_TSO6 ? TUN_F_TSO6 : 0u) |
            (o & NET_OFF_ECN && o & (NET_OFF_TSO4 | NET_OFF_TSO6) ? TUN_F_TSO_ECN : 0u) |
            (o & NET_OFF_UFO ? TUN_F_UFO : 0u);
    for (unsigned i = 0; i < t->opened; i++)
        if (ioctl(t->q[i].fd, TUNSETOFFLOAD, f) < 0)
            ioctl(t->q[i].fd, TUNSETOFFLOAD,
                  f & ~(unsigned)TUN_F_UFO); /* Linux 4.14 to 6.1 have none */
}

int tap_add(struct net_tap *t, int fd, struct err *e)
{
    struct tap_queue *q = &t->q[t->opened];
    struct ifreq r = {0};
    int size = HEADER;
    bool hdr;

    if (ioctl(fd, TUNGETIFF, &r) < 0) {
        err_set(e, -errno, "Unable to query TUNGETIFF on FD %d: %s", fd, strerror(errno));
        close(fd);
        return e->code;
    }
    hdr = r.ifr_flags & IFF_VNET_HDR;
    if (t->opened && hdr != t->vnet_hdr) {
        close(fd);
        return err_set(e, -EINVAL, "vnet_hdr not consistent across given tap fds");
    }
    if (hdr)
        ioctl(fd, TUNSETVNETHDRSZ, &size);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    snprintf(t->ifname, sizeof(t->ifname), "%s", r.ifr_name);
    t->vnet_hdr = hdr;
    *q = (struct tap_queue){.t = t, .number = t->opened++, .fd = fd};
    return 0;
}

void tap_start(struct net_tap *t)
{
    t->net.queues = t->opened;
    if (t->vnet_hdr)
        t->net.takes = NET_OFF_CSUM | NET_OFF_TSO4 | NET_OFF_TSO6 | NET_OFF_ECN | NET_OFF_UFO;
    for (unsigned i = 0; i < t->opened; i++) {
        t->q[i].watch = loop_add_fd(t->net.env->loop, t->q[i].fd, 0, on_ready, &t->q[i]);
        update(&t->q[i]);
    }
    tap_offloads(&t->net);
}

void tap_close(struct net *n)
{
    struct net_tap *t = (struct net_tap *)n;

    for (unsigned i = 0; i < t->opened; i++) {
        if (t->q[i].watch)
            loop_del_fd(t->q[i].watch);
        close(t->q[i].fd);
    }
    t->opened = 0;
}

/* The helper ---------------------------------------------------------------------------------------- */

static int receive_fd(int from)
{
    union {
        struct cmsghdr align;
        char buf[CMSG_SPACE(sizeof(int))];
    } control;
    char byte;
    struct iovec v = {&byte, 1};
    struct msghdr m = {.msg_iov = &v,
                       .msg_iovlen = 1,
                       .msg_control = control.buf,
                       .msg_controllen = sizeof(control.buf)};
    struct cmsghdr *c;
    ssize_t r;
    int fd;

    do
        r = recvmsg(from, &m, MSG_CMSG_CLOEXEC);
    while (r < 0 && errno == EINTR);
    c = r > 0 ? CMSG_FIRSTHDR(&m) : NULL;
    if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
        c->cmsg_len != CMSG_LEN(sizeof(fd)))
        return -1;
    memcpy(&fd, CMSG_DATA(c), sizeof(fd));
    return fd;
}

/* "HELPER --use-vnet --fd=N --br=BR", or a command line of the user's that has these words already, by the shell. */
static pid_t run_helper(const char *helper, const char *br, int fd)
{
    char fd_arg[32], br_arg[64], command[1024];
    char *plain[] = {(char *)helper, (char *)"--use-vnet", fd_arg, br_arg, NULL};
    char *shell[] = {(char *)"/bin/sh", (char *)"-c", command, NULL};
    bool line = strpbrk(helper, " \t");
    posix_spawn_file_actions_t actions;
    pid_t pid = -1;

    snprintf(fd_arg, sizeof(fd_arg), "--fd=%d", fd);
    snprintf(br_arg, sizeof(br_arg), "--br=%s", br);
    snprintf(command, sizeof(command), "%s %s %s %s", helper, "--use-vnet", fd_arg,
             strstr(helper, "--br=") ? "" : br_arg);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fd, fd); /* without close-on-exec */
    if (posix_spawn(&pid, line ? "/bin/sh" : helper, &actions, NULL, line ? shell : plain, environ))
        pid = -1;
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

int tap_helper(const char *helper, const char *br, struct err *e)
{
    int pair[2], fd, status = -1;
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return err_set(e, -errno, "socketpair() failed: %s", strerror(errno));
    pid = run_helper(helper, br, pair[1]);
    close(pair[1]);
    fd = pid > 0 ? receive_fd(pair[0]) : -1;
    close(pair[0]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (fd >= 0 && status == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return err_set(e, -EIO, "bridge helper '%s' failed for bridge '%s'%s", helper, br,
                   access(helper, X_OK) < 0 ? ": it is not there" : "");
}
