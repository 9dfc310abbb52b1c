/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -netdev tap: an interface of the host, made here, given as descriptors, or by a helper; and -netdev bridge. */
#include "net/net_tap_priv.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SCRIPT_MAX = 1024 };

struct tap {
    struct net_tap t;
    char *fd, *fds, *ifname, *script, *downscript, *br, *helper, *vhost_fd, *vhost_fds, *vnet_text;
    bool vhost, vhostforce, made;
    uint64_t sndbuf, queues, poll_us;
};

static const struct field tap_opts[] = {
    FIELD(tap, fd, F_STR, "fd", NULL, "an interface's descriptor that is there already"),
    FIELD(tap, fds, F_STR, "fds", NULL, "several, with colons between"),
    FIELD(tap, ifname, F_STR, "ifname", NULL, "interface to make or to use"),
    FIELD(tap, script, F_STR, "script", NULL, "program that sets it up; no: none (/etc/qemu-ifup)"),
    FIELD(tap, downscript, F_STR, "downscript", NULL,
          "program at the end; no: none (/etc/qemu-ifdown)"),
    FIELD(tap, br, F_STR, "br", NULL, "helper: the bridge (br0)"),
    FIELD(tap, helper, F_STR, "helper", NULL, "program that opens it"),
    FIELD(tap, sndbuf, F_SIZE, "sndbuf", "0", "bytes on their way at most; 0: without limit"),
    FIELD(tap, vnet_text, F_STR, "vnet_hdr", NULL, "offloads; on when the host can"),
    FIELD(tap, vhost, F_BOOL, "vhost", "off", "falls back to this process"),
    FIELD(tap, vhost_fd, F_STR, "vhostfd", NULL, "not used"),
    FIELD(tap, vhost_fds, F_STR, "vhostfds", NULL, "not used"),
    FIELD(tap, vhostforce, F_BOOL, "vhostforce", "off", "refused"),
    FIELD(tap, queues, F_U64, "queues", "1", "pairs of queues"),
    FIELD(tap, poll_us, F_U64, "poll-us", "0", "vhost only"),
    FIELD_END,
};

static struct tap *tap_of(struct net *n)
{
    return (struct tap *)n;
}

static int run_script(const char *script, const char *ifname, struct err *e)
{
    char *argv[] = {(char *)script, (char *)ifname, NULL};
    pid_t pid;
    int status, r = posix_spawn(&pid, script, NULL, NULL, argv, environ);

    if (r)
        return err_set(e, -r, "could not launch network script '%s': %s", script, strerror(r));
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return err_set(e, -errno, "network script %s: %s", script, strerror(errno));
    if (status)
        return err_set(e, -EIO, "network script %s failed with status %d", script,
                       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return 0;
}

static bool no_script(const char *script)
{
    return !*script || !strcmp(script, "no");
}

/* One queue of the interface @t->ifname, or of a new one. */
static int make_queue(struct tap *t, bool vnet, struct err *e)
{
    struct ifreq r = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    unsigned features = 0;
    const char *name = *t->t.ifname ? t->t.ifname : t->ifname;
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return err_set(e, -errno, "could not open /dev/net/tun: %s", strerror(errno));
    if (vnet && !ioctl(fd, TUNGETFEATURES, &features) && features & IFF_VNET_HDR)
        r.ifr_flags |= IFF_VNET_HDR;
    if (t->queues > 1)
        r.ifr_flags |= IFF_MULTI_QUEUE;
    snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name ? name : "tap%d");
    if (ioctl(fd, TUNSETIFF, &r) < 0) {
        err_set(e, -errno, "could not configure /dev/net/tun (%s): %s", r.ifr_name,
                strerror(errno));
        close(fd);
        return e->code;
    }
    if (t->sndbuf) {
        int bytes = (int)min_u64(t->sndbuf, INT32_MAX);

        if (ioctl(fd, TUNSETSNDBUF, &bytes) < 0) {
            err_set(e, -errno, "TUNSETSNDBUF ioctl failed: %s", strerror(errno));
            close(fd);
            return e->code;
        }
    }
    return tap_add(&t->t, fd, e);
}

static int make_interface(struct tap *t, struct err *e)
{
    bool vnet = true;
    const char *script = t->script ? t->script : "/etc/qemu-ifup";

    if (t->ifname && strlen(t->ifname) >= IFNAMSIZ)
        return err_set(e, -EINVAL, "ifname '%s' is too long: at most %d bytes", t->ifname,
                       IFNAMSIZ - 1);
    if (t->vnet_text && parse_bool(t->vnet_text, &vnet, e) < 0)
        return err_wrap(e, e->code, "Parameter 'vnet_hdr'");
    for (uint64_t i = 0; i < t->queues; i++)
        if (make_queue(t, vnet, e) < 0)
            return e->code;
    if (t->vnet_text && vnet && !t->t.vnet_hdr)
        return err_set(e, -ENOTSUP,
                       "vnet_hdr=1 requested, but no kernel support for IFF_VNET_HDR available");
    t->made = true;
    return no_script(script) ? 0 : run_script(script, t->t.ifname, e);
}

static int take_fd(struct tap *t, const char *text, struct err *e)
{
    char *end;
    long fd = strtol(text, &end, 10);

    if (!*text || *end || fd < 0 || fd > 1 << 20 || fcntl((int)fd, F_GETFD) < 0)
        return err_set(e, -EBADF, "Can't use file descriptor %s: %s", text, strerror(EBADF));
    return tap_add(&t->t, (int)fd, e);
}

static int take_fds(struct tap *t, struct err *e)
{
    for (const char *p = t->fds; *p;) {
        char number[16];
        size_t n = strcspn(p, ":");

        snprintf(number, sizeof(number), "%.*s", (int)min_u64(n, 15), p);
        if (t->t.opened == NET_QUEUES_MAX)
            return err_set(e, -E2BIG, "fds=: at most %d", NET_QUEUES_MAX);
        if (take_fd(t, number, e) < 0)
            return e->code;
        p += n + (p[n] == ':');
    }
    return t->t.opened ? 0 : err_set(e, -EINVAL, "fds= is empty");
}

static int check_opts(const struct tap *t, struct err *e)
{
    if (t->fd && (t->ifname || t->script || t->downscript || t->vnet_text || t->helper ||
                  t->queues != 1 || t->fds || t->vhost_fds))
        return err_set(e, -EINVAL,
                       "ifname=, script=, downscript=, vnet_hdr=, helper=, queues=, fds=, and "
                       "vhostfds= are invalid with fd=");
    if (t->fds && (t->ifname || t->script || t->downscript || t->vnet_text || t->helper ||
                   t->queues != 1 || t->vhost_fd))
        return err_set(
            e, -EINVAL,
            "ifname=, script=, downscript=, vnet_hdr=, helper=, queues=, and vhostfd= are "
            "invalid with fds=");
    if (t->helper &&
        (t->ifname || t->script || t->downscript || t->vnet_text || t->queues != 1 || t->vhost_fds))
        return err_set(
            e, -EINVAL,
            "ifname=, script=, downscript=, vnet_hdr=, queues=, and vhostfds= are invalid "
            "with helper=");
    if (!t->queues || t->queues > NET_QUEUES_MAX)
        return err_set(e, -EINVAL, "queues=%" PRIu64 ": want 1 to %d", t->queues, NET_QUEUES_MAX);
    if (t->vhostforce)
        return err_set(e, -ENOTSUP, "vhostforce=on: vhost is not supported");
    return 0;
}

static int tap_open(struct net *n, struct err *e)
{
    struct tap *t = tap_of(n);
    int r;

    if (check_opts(t, e) < 0)
        return e->code;
    if (t->vhost || t->vhost_fd || t->vhost_fds)
        net_warn(n->env, "netdev '%s': vhost is not supported: packets go through this process",
                 n->id);
    if (t->fd)
        r = take_fd(t, t->fd, e);
    else if (t->fds)
        r = take_fds(t, e);
    else if (t->helper)
        r = (r = tap_helper(t->helper, t->br ? t->br : "br0", e)) < 0 ? r : tap_add(&t->t, r, e);
    else
        r = make_interface(t, e);
    if (r >= 0)
        tap_start(&t->t);
    return r;
}

static void tap_close_all(struct net *n)
{
    struct tap *t = tap_of(n);
    const char *script = t->downscript ? t->downscript : "/etc/qemu-ifdown";
    struct err e = {0};

    if (t->made && !no_script(script) && run_script(script, t->t.ifname, &e) < 0)
        net_warn(n->env, "%s", e.msg);
    tap_close(n);
}

static void tap_describe(const struct net *n, char *buf, size_t len)
{
    const struct tap *t = (const struct tap *)n;

    if (t->fd || t->fds)
        snprintf(buf, len, "fd=%d", t->t.q[0].fd);
    else if (t->helper)
        snprintf(buf, len, "helper=%s", t->helper);
    else
        snprintf(buf, len, "ifname=%s,script=%s,downscript=%s", t->t.ifname,
                 t->script ? t->script : "/etc/qemu-ifup",
                 t->downscript ? t->downscript : "/etc/qemu-ifdown");
}

const struct net_type net_tap = {
    .name = "tap",
    .help = "an interface of the host",
    .size = sizeof(struct tap),
    .opts = tap_opts,
    .open = tap_open,
    .close = tap_close_all,
    .send = tap_send,
    .ready = tap_ready,
    .offloads = tap_offloads,
    .describe = tap_describe,
};

/* bridge ------------------------------------------------------------------------------------------- */

struct bridge {
    struct net_tap t;
    char *br, *helper;
};

static const struct field bridge_opts[] = {
    FIELD(bridge, br, F_STR, "br", "br0", "the host's bridge"),
    FIELD(bridge, helper, F_STR, "helper", TAP_HELPER, "program that opens an interface on it"),
    FIELD_END,
};

static int bridge_open(struct net *n, struct err *e)
{
    struct bridge *b = (struct bridge *)n;
    int fd = tap_helper(b->helper, b->br, e);

    if (fd < 0 || tap_add(&b->t, fd, e) < 0)
        return e->code;
    tap_start(&b->t);
    return 0;
}

static void bridge_describe(const struct net *n, char *buf, size_t len)
{
    const struct bridge *b = (const struct bridge *)n;

    snprintf(buf, len, "helper=%s,br=%s", b->helper, b->br);
}

const struct net_type net_bridge = {
    .name = "bridge",
    .help = "an interface on a bridge of the host",
    .size = sizeof(struct bridge),
    .opts = bridge_opts,
    .open = bridge_open,
    .close = tap_close,
    .send = tap_send,
    .ready = tap_ready,
    .offloads = tap_offloads,
    .describe = bridge_describe,
};
