/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: the registers of tpm-tis and tpm-crb, with a TPM at the other end that answers what it likes: the first 16 bytes are the
 * header of its answers.  Then records of 6 bytes: what (read, write, reset), size, where, value.
 */
#include "fuzz/machine.h"

#include "base/bytes.h"
#include "dev/tpm/tpm.h"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAD = 16, RECORD = 6, RECORDS = 2000 };

/* --- The other end -------------------------------------------------------------------------- */

static uint8_t head[HEAD]; /* [atomic enough: written while nothing is asked] */

static bool fetch(int fd, void *p, size_t len)
{
    return recv(fd, p, len, MSG_WAITALL) == (ssize_t)len;
}

/* A command of the control channel (swtpm_ioctls(3)): its parameters are read, it succeeds. */
static bool control(int fd, int *data)
{
    enum { SET_DATAFD = 16, SET_BUFFERSIZE = 17, INIT = 2, SET_LOCALITY = 5 };
    uint8_t cmd[4], params[4], answer[16] = {0}, space[CMSG_SPACE(sizeof(int))];
    struct iovec iov = {cmd, sizeof(cmd)};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof(space)};
    uint32_t n;

    if (recvmsg(fd, &msg, MSG_WAITALL) != sizeof(cmd))
        return false;
    n = get_be32(cmd);
    if (CMSG_FIRSTHDR(&msg))
        memcpy(data, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
    if ((n == SET_BUFFERSIZE || n == INIT || n == SET_LOCALITY) && !fetch(fd, params, 4))
        return false;
    return send(fd, answer, n == SET_BUFFERSIZE ? 16 : 4, MSG_NOSIGNAL) > 0;
}

/* Its answer is as long as the header says, if that is a length at all. */
static bool command(int fd)
{
    uint8_t buf[TPM_BUFFER] = {0};
    uint32_t len;

    if (!fetch(fd, buf, TPM_HEADER) || (len = get_be32(buf + 2)) > sizeof(buf))
        return false;
    if (len > TPM_HEADER && !fetch(fd, buf + TPM_HEADER, len - TPM_HEADER))
        return false;
    memcpy(buf, head, HEAD);
    len = get_be32(buf + 2);
    return send(fd, buf, len < TPM_HEADER || len > sizeof(buf) ? TPM_HEADER : len, MSG_NOSIGNAL) > 0;
}

static void *other_end(void *opaque)
{
    int fd = (int)(intptr_t)opaque, data = -1;

    for (;;) {
        struct pollfd f[2] = {{fd, POLLIN, 0}, {data, POLLIN, 0}};

        if (poll(f, data < 0 ? 1 : 2, -1) <= 0)
            break;
        if ((f[0].revents && !control(fd, &data)) || (data >= 0 && f[1].revents && !command(data)))
            break;
    }
    if (data >= 0)
        close(data);
    close(fd);
    return NULL;
}

/* --- The machine ---------------------------------------------------------------------------- */

static void record(struct machine *m, const uint8_t *p)
{
    paddr at = TPM_BASE + (get_le16(p + 1) & 0x4fff);
    struct access a = {.who = BUS_CPU(0), .size = 1u << (p[0] >> 2 & 3) % 3};
    uint64_t v;

    at &= ~(paddr)(a.size - 1);
    if ((p[0] & 3) == 3 && p[0] > 0xf0)
        machine_reset(m);
    else if (p[0] & 1)
        space_store(machine_space(m), at, p[3] | p[4] << 8 | (uint32_t)p[5] << 24, a);
    else
        space_load(machine_space(m), at, &v, a);
}

static void run(struct tpm *t, const char *type, const uint8_t *data, size_t len)
{
    struct mem ram;
    struct machine *m = fuzz_machine(&ram);
    uint8_t *saved;
    size_t n;

    machine_lock(m);
    dev_add(m, "isabus-bridge", NULL, NULL, ERR_IGNORE);
    machine_add_backend(m, "tpmdev", "t0", t, ERR_IGNORE);
    if (!dev_add(m, type, NULL, "tpmdev=t0", ERR_IGNORE))
        abort();
    machine_reset(m);
    for (size_t i = 0; i + RECORD <= len && i < RECORD * RECORDS; i += RECORD)
        record(m, data + i);
    if (machine_save(m, &saved, &n, ERR_IGNORE) < 0 || machine_load(m, saved, n, ERR_IGNORE) < 0)
        abort();
    free(saved);
    machine_unlock(m);
    machine_free(m);
}

int fuzz_one(const uint8_t *data, size_t len)
{
    static const uint8_t good[HEAD] = {0x80, 0x01, 0, 0, 0, TPM_HEADER};
    struct tpm *t;
    pthread_t thread;
    struct machine *m;
    int pair[2];

    if (len < HEAD)
        return 0;
    memcpy(head, good, HEAD);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 || pthread_create(&thread, NULL, other_end, (void *)(intptr_t)pair[1]))
        abort();
    m = machine_new(dev_types(), NULL);
    if (!(t = tpm_open(m, pair[0], ERR_IGNORE)))
        abort();
    memcpy(head, data, HEAD);
    run(t, "tpm-tis", data + HEAD, len - HEAD);
    run(t, "tpm-crb", data + HEAD, len - HEAD);
    tpm_close(t);
    pthread_join(thread, NULL);
    machine_free(m);
    return 0;
}
