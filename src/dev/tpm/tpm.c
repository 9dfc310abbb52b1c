/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The other end of -tpmdev emulator (tpm.h). */
#include "dev/tpm/tpm.h"

#include "base/bytes.h"
#include "base/loop.h"
#include "bus/machine.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CMD_INIT = 2, CMD_SHUTDOWN = 3, CMD_SET_LOCALITY = 5, CMD_CANCEL = 9, CMD_STOP = 14, CMD_SET_DATAFD = 16, CMD_SET_BUFFERSIZE = 17 };
enum { CONTROL_MS = 5000, COMMAND_MS = 60000 };
enum { TAG_2 = 0x8001, TAG_12_ANSWER = 0xc4, RC_FAILURE_2 = 0x101, RC_FAIL_12 = 9 };

struct tpm {
    struct machine *m;
    struct dev *user;
    int control, data;
    struct loop_fd *watch;
    bool is_2, running, forget; /* forget: of the answer that comes nobody wants to know */
    unsigned locality;          /* as the other end was told */
    uint8_t answer[TPM_BUFFER];
    size_t got;
    uint8_t *buf;
    void (*done)(void *opaque, size_t n);
    void *opaque;
};

bool tpm_is_2(const struct tpm *t)
{
    return t->is_2;
}

bool tpm_busy(const struct tpm *t)
{
    return t->running;
}

/* --- The control channel -------------------------------------------------------------------- */

static bool read_all(int fd, uint8_t *p, size_t len, int ms)
{
    while (len) {
        struct pollfd f = {fd, POLLIN, 0};
        ssize_t n;

        if (poll(&f, 1, ms) <= 0 || (n = recv(fd, p, len, 0)) <= 0)
            return false;
        p += n;
        len -= n;
    }
    return true;
}

static bool send_all(int fd, const uint8_t *p, size_t len)
{
    while (len) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

        if (n <= 0)
            return false;
        p += n;
        len -= n;
    }
    return true;
}

/* A command with @len bytes of parameters; its answer is a result code and @more bytes.  0, or -EIO. */
static int control(struct tpm *t, uint32_t cmd, const void *params, size_t len, void *more, size_t more_len)
{
    uint8_t out[4 + 8], in[4];

    put_be32(out, cmd);
    if (len)
        memcpy(out + 4, params, len);
    if (!send_all(t->control, out, 4 + len) || !read_all(t->control, in, 4, CONTROL_MS) || get_be32(in))
        return -EIO;
    return more_len && !read_all(t->control, more, more_len, CONTROL_MS) ? -EIO : 0;
}

/* The other end gets one end of a pair: commands go there. */
static int give_data_channel(struct tpm *t, struct err *e)
{
    uint8_t cmd[4], in[4], space[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec iov = {cmd, sizeof(cmd)};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof(space)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    int pair[2], r = 0;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return err_set(e, -errno, "tpm-emulator: no socket to be had");
    put_be32(cmd, CMD_SET_DATAFD);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &pair[1], sizeof(int));
    if (sendmsg(t->control, &msg, MSG_NOSIGNAL) != sizeof(cmd) || !read_all(t->control, in, 4, CONTROL_MS) || get_be32(in))
        r = err_set(e, -EIO, "tpm-emulator: the other end does not answer like a TPM (swtpm's control channel)");
    close(pair[1]);
    t->data = pair[0];
    return r;
}

int tpm_start(struct tpm *t, uint32_t size, struct err *e)
{
    uint8_t le[4], sizes[12], none[4] = {0};

    put_be32(le, size);
    if (t->running) {
        control(t, CMD_CANCEL, NULL, 0, NULL, 0);
        t->forget = true;
    }
    if (control(t, CMD_STOP, NULL, 0, NULL, 0) < 0 || control(t, CMD_SET_BUFFERSIZE, le, 4, sizes, 12) < 0 ||
        control(t, CMD_INIT, none, 4, NULL, 0) < 0)
        return err_set(e, -EIO, "tpm-emulator: the TPM does not start");
    t->locality = 0;
    return 0;
}

void tpm_cancel(struct tpm *t)
{
    if (t->running)
        control(t, CMD_CANCEL, NULL, 0, NULL, 0);
}

/* --- Commands ------------------------------------------------------------------------------- */

static size_t failure(const struct tpm *t, uint8_t *p)
{
    put_be16(p, t->is_2 ? TAG_2 : TAG_12_ANSWER);
    put_be32(p + 2, TPM_HEADER);
    put_be32(p + 6, t->is_2 ? RC_FAILURE_2 : RC_FAIL_12);
    return TPM_HEADER;
}

static void finish(struct tpm *t, bool good)
{
    size_t n = good ? t->got : failure(t, t->answer);

    if (t->watch)
        loop_set_fd(t->watch, 0);
    t->running = false;
    t->got = 0;
    if (t->forget) {
        t->forget = false;
        return;
    }
    memcpy(t->buf, t->answer, n);
    t->done(t->opaque, n);
}

/* How many bytes the answer lacks, as far as is known; -1: it is none. */
static ssize_t lacking(const struct tpm *t)
{
    uint32_t len;

    if (t->got < TPM_HEADER)
        return TPM_HEADER - t->got;
    len = get_be32(t->answer + 2);
    return len < TPM_HEADER || len > sizeof(t->answer) ? -1 : (ssize_t)(len - t->got);
}

static void readable(void *opaque, int ready)
{
    struct tpm *t = opaque;
    ssize_t n = recv(t->data, t->answer + t->got, lacking(t), MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0)
        t->got += n;
    if (n <= 0 || lacking(t) <= 0)
        finish(t, n > 0 && lacking(t) == 0);
}

static void wait_here(struct tpm *t)
{
    ssize_t more;

    while ((more = lacking(t)) > 0 && read_all(t->data, t->answer + t->got, more, COMMAND_MS))
        t->got += more;
    finish(t, more == 0);
}

void tpm_run(struct tpm *t, unsigned locality, uint8_t *buf, size_t len, void (*done)(void *opaque, size_t n), void *opaque)
{
    uint8_t loc[4] = {locality};
    bool told = true;

    t->buf = buf;
    t->done = done;
    t->opaque = opaque;
    if (t->running) { /* of before a reset: it ends first */
        t->forget = true;
        wait_here(t);
    }
    t->running = true;
    t->got = 0;
    if (locality != t->locality)
        told = control(t, CMD_SET_LOCALITY, loc, 4, NULL, 0) == 0;
    t->locality = locality;
    if (!told || !send_all(t->data, buf, len))
        finish(t, false);
    else if (t->watch)
        loop_set_fd(t->watch, LOOP_READ);
    else
        wait_here(t);
}

/* --- Birth ---------------------------------------------------------------------------------- */

static void ignore(void *opaque, size_t n)
{
    *(size_t *)opaque = n;
}

/* A TPM 2.0 knows the tag, and answers with it; one of 1.2 does with its own. */
static int ask_version(struct tpm *t, struct err *e)
{
    uint8_t buf[TPM_BUFFER] = {0x80, 0x01, 0, 0, 0, 22, 0, 0, 1, 0x7a, 0, 0, 0, 6, 0, 0, 1, 0, 0, 0, 0, 1}; /* GetCapability (properties) */
    size_t n = 0;

    if (tpm_start(t, TPM_BUFFER, e) < 0)
        return e->code;
    tpm_run(t, 0, buf, 22, ignore, &n);
    if (n < TPM_HEADER)
        return err_set(e, -EIO, "tpm-emulator: the TPM does not answer");
    t->is_2 = get_be16(buf) == TAG_2;
    return 0;
}

struct tpm *tpm_open(struct machine *m, int fd, struct err *e)
{
    struct tpm *t = calloc(1, sizeof(*t));

    if (!t)
        fatal("out of memory");
    *t = (struct tpm){.m = m, .control = fd, .data = -1};
    if (give_data_channel(t, e) < 0 || ask_version(t, e) < 0) {
        tpm_close(t);
        return NULL;
    }
    if (machine_loop(m))
        t->watch = loop_add_fd(machine_loop(m), t->data, 0, readable, t);
    return t;
}

void tpm_close(struct tpm *t)
{
    if (t->watch)
        loop_del_fd(t->watch);
    if (t->data >= 0) {
        control(t, CMD_SHUTDOWN, NULL, 0, NULL, 0);
        close(t->data);
    }
    close(t->control);
    free(t);
}

/* --- Devices -------------------------------------------------------------------------------- */

static int take(struct tpm_dev *d, struct err *e)
{
    const char *type = d->dev.type->name;

    if (d->ppi)
        return err_set(e, -ENOTSUP, "ppi=on: the physical presence interface is not supported");
    if (!d->tpmdev)
        return err_set(e, -EINVAL, "%s: 'tpmdev' property is required", type);
    if (!(d->tpm = machine_backend(d->dev.m, "tpmdev", d->tpmdev)))
        return err_set(e, -ENOENT, "Property '%s.tpmdev' can't find value '%s'", type, d->tpmdev);
    if (d->tpm->user)
        return err_set(e, -EBUSY, "tpmdev '%s' is in use", d->tpmdev);
    d->tpm->user = &d->dev;
    return 0;
}

int tpm_dev_init(struct tpm_dev *d, const char *name, uint64_t size, const struct mmio_ops *ops, struct err *e)
{
    if (take(d, e) < 0)
        return e->code;
    mem_init_mmio(&d->regs, name, size, ops, d);
    mem_add(machine_mem(d->dev.m), TPM_BASE, &d->regs, 1);
    return 0;
}

void tpm_dev_reset(struct tpm_dev *d, uint32_t size)
{
    if (!machine_wakes(d->dev.m) && tpm_start(d->tpm, size, ERR_IGNORE) < 0)
        host_error(&d->dev, "the TPM does not start");
}

void tpm_dev_fini(struct dev *dev)
{
    struct tpm_dev *d = tpm_of(dev);

    if (d->tpm->running)
        d->tpm->forget = true;
    d->tpm->user = NULL;
    mem_remove(&d->regs);
}
