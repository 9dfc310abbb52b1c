/* SPDX-License-Identifier: GPL-2.0-or-later */
/* info chardev, chardev-add, chardev-remove, chardev-send-break, ringbuf_read, ringbuf_write. */
#include "mon/mon_priv.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static bool print_chr(void *opaque, const char *id, void *backend)
{
    struct chr *base = chr_base(backend);

    if (base)
        mon_printf(opaque, "%s: filename=%s\n", chr_id(base), chr_describe(base));
    mon_printf(opaque, "%s: filename=%s\n", id, chr_describe(backend));
    return true;
}

static int info(struct mon *m, const char *args, struct err *e)
{
    machine_each_backend(m->env->m, "chardev", print_chr, m);
    return mon_end(args, e);
}

const struct mon_command info_chardev = {
    .name = "chardev", .args = "", .help = "show the character devices", .run = info};

static struct chr *find(struct mon *m, const char **args, struct err *e)
{
    char id[128];
    struct chr *c;

    if (!mon_word(args, id, sizeof(id))) {
        err_set(e, -EINVAL, "expected a device");
        return NULL;
    }
    if (!(c = machine_backend(m->env->m, "chardev", id)))
        err_set(e, -ENOENT, "Device '%s' not found", id);
    return c;
}

static int ring_read(struct mon *m, const char *args, struct err *e)
{
    struct chr *c = find(m, &args, e);
    uint8_t buf[4096];
    uint64_t size;
    int n;

    if (!c || mon_expr(m, &args, &size, e) < 0 || mon_end(args, e) < 0)
        return e->code;
    n = chr_ringbuf_read(c, buf, size < sizeof(buf) ? size : sizeof(buf), e);
    for (int i = 0; i < n; i++) {
        char text[2] = {(char)buf[i]};

        if (isprint(buf[i]) || buf[i] == '\n')
            mon_puts(m, text);
        else if (buf[i] != '\r')
            mon_printf(m, "\\u%04X", buf[i]);
    }
    if (n >= 0)
        mon_puts(m, "\n");
    return n < 0 ? (e->code = -ENOTSUP) : 0;
}

static int ring_write(struct mon *m, const char *args, struct err *e)
{
    struct chr *c = find(m, &args, e);

    args += strspn(args, " \t");
    if (c && chr_ringbuf_write(c, (const uint8_t *)args, strlen(args), e) < 0)
        e->code = -ENOTSUP;
    return e->code;
}

static int send_break(struct mon *m, const char *args, struct err *e)
{
    struct chr *c = find(m, &args, e);

    if (c && mon_end(args, e) >= 0)
        chr_hear_break(c);
    return e->code;
}

static int add(struct mon *m, const char *args, struct err *e)
{
    args += strspn(args, " \t");
    if (!*args)
        return err_set(e, -EINVAL, "chardev-add: string expected");
    if (!m->env->add_chardev)
        return err_set(e, -ENOTSUP, "not here");
    if (m->env->add_chardev(m->env->opaque, args, e) == -EINVAL)
        e->code = -EPERM; /* not the command's form is wrong */
    return e->code;
}

static int del(struct mon *m, const char *args, struct err *e)
{
    char id[128];

    if (!mon_word(&args, id, sizeof(id)))
        return err_set(e, -EINVAL, "chardev-remove: string expected");
    if (mon_end(args, e) < 0)
        return e->code;
    return m->env->del_chardev ? m->env->del_chardev(m->env->opaque, id, e) : err_set(e, -ENOTSUP, "not here");
}

const struct mon_command cmd_chardev_add = {
    .name = "chardev-add",
    .args = "args",
    .help = "add chardev",
    .run = add,
};
const struct mon_command cmd_chardev_remove = {
    .name = "chardev-remove",
    .args = "id",
    .help = "remove chardev",
    .run = del,
};
const struct mon_command cmd_chardev_send_break = {
    .name = "chardev-send-break",
    .args = "id",
    .help = "send a break on chardev",
    .run = send_break,
};
const struct mon_command cmd_ringbuf_read = {
    .name = "ringbuf_read",
    .args = "device size",
    .help = "Read from a ring buffer character device",
    .run = ring_read,
};
const struct mon_command cmd_ringbuf_write = {
    .name = "ringbuf_write",
    .args = "device data",
    .help = "Write to a ring buffer character device",
    .run = ring_write,
};
