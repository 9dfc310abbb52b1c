/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets into a file in libpcap's format (draft-ietf-opsawg-pcap), as Wireshark and tcpdump read. */
#include "net/net_priv.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

enum { MAGIC = 0xa1b2c3d4, LINK_ETHERNET = 1 };

struct dump {
    struct net_filter f;
    char *file;
    uint64_t maxlen;
    int fd;
    bool opened;
};

static const struct field dump_opts[] = {
    FIELD(dump, file, F_STR, "file", NULL, "where to"),
    FIELD(dump, maxlen, F_SIZE, "maxlen", "65536", "bytes kept of each packet"),
    FIELD_END,
};

struct file_header {
    uint32_t magic;
    uint16_t major, minor;
    int32_t zone;
    uint32_t accuracy, longest, link;
};
struct packet_header {
    uint32_t seconds, micros, kept, len;
};

static struct dump *dump_of(struct net_filter *f)
{
    return (struct dump *)f;
}

static int dump_open(struct net_filter *f, struct err *e)
{
    struct dump *d = dump_of(f);
    struct file_header h = {MAGIC, 2, 4, 0, 0, (uint32_t)d->maxlen, LINK_ETHERNET};

    if (!d->file)
        return err_set(e, -EINVAL, "Parameter 'file' is missing");
    if (!d->maxlen || d->maxlen > UINT32_MAX)
        return err_set(e, -EINVAL, "Parameter 'maxlen' expects 1 to 4294967295");
    d->fd = open(d->file, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
    if (d->fd < 0)
        return err_set(e, -errno, "net dump: can't open %s: %s", d->file, strerror(errno));
    d->opened = true;
    if (write(d->fd, &h, sizeof(h)) != sizeof(h))
        return err_set(e, -EIO, "net dump write error: %s", d->file);
    return 0;
}

static void dump_close(struct net_filter *f)
{
    if (dump_of(f)->opened)
        close(dump_of(f)->fd);
}

static bool dump_pass(struct net_filter *f, enum net_way way, unsigned queue,
                      const struct iovec *iov, int cnt, const struct net_meta *meta)
{
    struct dump *d = dump_of(f);
    uint8_t record[sizeof(struct packet_header) + NET_MAX_PACKET];
    struct packet_header h;
    struct timespec t;
    size_t n;

    if (d->fd < 0)
        return false;
    clock_gettime(CLOCK_REALTIME, &t);
    n = net_iov_copy(record + sizeof(h), min_u64(d->maxlen, NET_MAX_PACKET), iov, cnt);
    h = (struct packet_header){(uint32_t)t.tv_sec, (uint32_t)(t.tv_nsec / 1000), (uint32_t)n,
                               (uint32_t)net_iov_len(iov, cnt)};
    memcpy(record, &h, sizeof(h));
    n += sizeof(h);
    /* A full disk ends the dump, not the guest. */
    if (write(d->fd, record, n) != (ssize_t)n) {
        net_warn(f->env, "net dump write error: %s; no more is written", d->file);
        close(d->fd);
        d->fd = -1;
        d->opened = false;
    }
    return false;
}

static void dump_describe(const struct net_filter *f, char *buf, size_t len)
{
    const struct dump *d = (const struct dump *)f;

    snprintf(buf, len, "file=%s,maxlen=%" PRIu64, d->file, d->maxlen);
}

const struct net_filter_type filter_dump = {
    .name = "filter-dump",
    .help = "packets into a pcap file",
    .size = sizeof(struct dump),
    .opts = dump_opts,
    .open = dump_open,
    .close = dump_close,
    .pass = dump_pass,
    .describe = dump_describe,
};
