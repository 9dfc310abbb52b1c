/* SPDX-License-Identifier: GPL-2.0-or-later */
/* info block, info blockstats, eject, change, block_resize, drive_add, drive_del. */
#include "mon/mon_priv.h"
#include "block/throttle.h"
#include "ui/vnc.h"

#include "base/size_text.h"
#include "schema/keyval.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void print_medium(struct mon *m, const struct blk *b, const char *limits)
{
    unsigned flags = blk_flags(b), depth = 0;

    mon_printf(m, "    Cache mode:       %s%s%s\n", flags & BLK_WRITE_THROUGH ? "writethrough" : "writeback",
               flags & BLK_DIRECT ? ", direct" : "", flags & BLK_NO_FLUSH ? ", ignore flushes" : "");
    if (flags & BLK_DETECT_ZEROES)
        mon_printf(m, "    Detect zeroes:    %s\n", flags & BLK_DETECT_UNMAP ? "unmap" : "on");
    for (const struct blk *back = b; (back = blk_backing(back));)
        depth++;
    if (depth)
        mon_printf(m, "    Backing file:     %s (chain depth: %u)\n", blk_filename(blk_backing(b)), depth);
    if (limits)
        mon_printf(m, "    I/O throttling:   %s\n", limits);
}

/* The device that has a drive, and which one it is among those without a name, of the board's or of the user's. */
struct owner {
    const char *drive;
    unsigned left; /* of the board's */
    unsigned unnamed, users;
    const struct dev *dev;
};

static bool has_drive(const struct dev *d, const char *id)
{
    for (const struct field *f = d->type->props; f && f->name; f++) {
        const char *kind = dev_reference_kind(f);
        const char *drive = kind && !strcmp(kind, "drive") ? *(char *const *)((const char *)d + f->offset) : NULL;

        if (drive && !strcmp(drive, id))
            return true;
    }
    return false;
}

static bool find_owner(void *opaque, struct dev *d)
{
    struct owner *o = opaque;

    if (has_drive(d, o->drive)) {
        o->dev = d;
        return false;
    }
    if (o->left)
        o->left--;
    else
        o->users += !d->id;
    o->unnamed += !d->id;
    return true;
}

/* A device's path as people know it; what transports drive is a part of theirs. */
static void print_owner(struct mon *m, const struct drive *drive)
{
    struct owner o = {.drive = drive->id, .left = m->env->board_devs};
    bool part;

    machine_each_dev(m->env->m, find_owner, &o);
    if (!o.dev)
        return;
    part = !strncmp(o.dev->type->name, "virtio-", 7) && strstr(o.dev->type->name, "-pci");
    mon_puts(m, "    Attached to:      ");
    if (o.dev->id)
        mon_printf(m, "%s%s", part ? "/machine/peripheral/" : "", o.dev->id);
    else if (o.left)
        mon_printf(m, "/machine/unattached/device[%u]", o.unnamed);
    else
        mon_printf(m, "/machine/peripheral-anon/device[%u]", o.users);
    mon_puts(m, part ? "/virtio-backend\n" : "\n");
}

static bool print_drive(void *opaque, const char *id, void *backend)
{
    struct mon *m = opaque;
    const struct drive *d = backend;
    const struct blk *b = d->blk;
    char limits[512];
    bool limited = b && blk_throttle_describe(b, limits, sizeof(limits));

    if (limited)
        b = blk_file(b);
    if (!b)
        mon_printf(m, "%s: [not inserted]\n", id);
    else
        mon_printf(m, "%s: %s (%s%s)\n", id, blk_filename(b), blk_driver_name(b), blk_flags(b) & BLK_RDWR ? "" : ", read-only");
    if (d->used)
        print_owner(m, d);
    if (d->removable || !d->used)
        mon_printf(m, "    Removable device: not locked, tray %s\n", d->tray_open ? "open" : "closed");
    if (b)
        print_medium(m, b, limited ? limits : NULL);
    mon_puts(m, "\n");
    return true;
}

/* Nodes that no device has are no disks. */
static bool print_disk(void *opaque, const char *id, void *backend)
{
    const struct drive *d = backend;

    return d->node && !d->used ? true : print_drive(opaque, id, backend);
}

static int info(struct mon *m, const char *args, struct err *e)
{
    char id[128];
    struct drive *d;

    while (mon_option(&args, 'n') || mon_option(&args, 'v'))
        ;
    if (mon_word(&args, id, sizeof(id))) {
        if (!(d = mon_drive(m, id, e)))
            return e->code;
        print_drive(m, d->id, d);
    } else {
        machine_each_backend(m->env->m, "drive", print_disk, m);
    }
    return 0;
}

const struct mon_command info_block = {
    .name = "block",
    .args = "[-n] [-v] [device]",
    .help = "show info of one block device or all block devices",
    .run = info,
    .complete = complete_drives,
};

/* All media that a drive has had. */
static void drive_stats(const struct drive *d, struct blk_stats *all)
{
    struct blk_stats now = {0};

    if (d->blk)
        blk_get_stats(d->blk, &now);
    *all = d->past;
    all->idle_ns = now.idle_ns;
    for (unsigned i = 0; i < BLK_COUNTS; i++) {
        all->of[i].bytes += now.of[i].bytes;
        all->of[i].requests += now.of[i].requests;
        all->of[i].merged += now.of[i].merged;
        all->of[i].ns += now.of[i].ns;
    }
}

static bool print_stats(void *opaque, const char *id, void *backend)
{
    const struct drive *d = backend;
    struct blk_stats s;

    if (d->node && !d->used)
        return true;
    drive_stats(d, &s);
    mon_printf(opaque, "%s: rd_bytes=%" PRIu64 " wr_bytes=%" PRIu64 " rd_operations=%" PRIu64 " wr_operations=%" PRIu64 " flush_operations=%" PRIu64, id,
               s.of[BLK_COUNT_READ].bytes, s.of[BLK_COUNT_WRITE].bytes, s.of[BLK_COUNT_READ].requests, s.of[BLK_COUNT_WRITE].requests,
               s.of[BLK_COUNT_FLUSH].requests);
    mon_printf(opaque, " wr_total_time_ns=%" PRIu64 " rd_total_time_ns=%" PRIu64 " flush_total_time_ns=%" PRIu64, s.of[BLK_COUNT_WRITE].ns,
               s.of[BLK_COUNT_READ].ns, s.of[BLK_COUNT_FLUSH].ns);
    mon_printf(opaque, " rd_merged=%" PRIu64 " wr_merged=%" PRIu64 " idle_time_ns=%" PRIu64 "\n", s.of[BLK_COUNT_READ].merged,
               s.of[BLK_COUNT_WRITE].merged, s.idle_ns);
    return true;
}

static int stats(struct mon *m, const char *args, struct err *e)
{
    if (mon_end(args, e) == 0)
        machine_each_backend(m->env->m, "drive", print_stats, m);
    return e->code;
}

const struct mon_command info_blockstats = {
    .name = "blockstats",
    .args = "",
    .help = "show block device statistics",
    .run = stats,
};

/* The medium goes, and @new comes in its place; NULL: an empty tray. */
static int swap(struct drive *d, struct blk *new, struct err *e)
{
    struct blk *old = d->blk;

    drive_stats(d, &d->past);
    if (new)
        blk_count(new);
    d->blk = new;
    d->tray_open = !new;
    if (d->changed)
        d->changed(d->owner, d);
    return old ? blk_close(old, e) : 0;
}

static struct drive *removable(struct mon *m, const char **args, bool *force, struct err *e)
{
    char id[128];
    struct drive *d;

    *force = mon_option(args, 'f');
    if (!mon_word(args, id, sizeof(id))) {
        err_set(e, -EINVAL, "expected a device");
        return NULL;
    }
    if (!(d = mon_drive(m, id, e)))
        return NULL;
    if (d->used ? !d->removable : !d->cdrom) {
        err_set(e, -ENOTSUP, "Device '%s' is not removable", id);
        return NULL;
    }
    return d;
}

static int eject(struct mon *m, const char *args, struct err *e)
{
    bool force;
    struct drive *d = removable(m, &args, &force, e);

    return d && mon_end(args, e) == 0 ? swap(d, NULL, e) : e->code;
}

const struct mon_command cmd_eject = {
    .name = "eject",
    .args = "[-f] device",
    .help = "eject a removable medium (use -f to force it)",
    .run = eject,
    .complete = complete_drives,
};

/* "change vnc password SECRET": the one thing that is no drive. */
static int change_vnc(struct mon *m, const char *args, struct err *e)
{
    char what[64], secret[128];
    struct vnc *v = machine_backend(m->env->m, "vnc", "default");

    if (!mon_word(&args, what, sizeof(what)) || (strcmp(what, "passwd") != 0 && strcmp(what, "password") != 0))
        return err_set(e, -EPERM, "Expected 'password' after 'vnc'");
    if (!v)
        return err_set(e, -ENODEV, "No VNC display is active");
    if (!mon_word(&args, secret, sizeof(secret)))
        return err_set(e, -EINVAL, "expected a password");
    return mon_end(args, e) < 0 ? e->code : vnc_set_password(v, secret, e) < 0 ? (e->code = -EPERM) : 0;
}

static int change(struct mon *m, const char *args, struct err *e)
{
    static const char *const modes[] = {"retain", "read-only", "read-write"};
    char path[4096], format[64], mode[64];
    bool force;
    struct drive *d;
    struct json_object *o;
    struct blk *b;
    unsigned how = 0;

    if (!strncmp(args, "vnc ", 4))
        return change_vnc(m, args + 4, e);
    if (!(d = removable(m, &args, &force, e)))
        return e->code;
    if (!mon_word(&args, path, sizeof(path)))
        return err_set(e, -EINVAL, "expected a file name");
    o = json_object_new_object();
    if (mon_word(&args, format, sizeof(format)))
        json_object_object_add(o, "driver", json_object_new_string(format));
    if (mon_word(&args, mode, sizeof(mode)))
        while (how < 3 && strcmp(modes[how], mode) != 0)
            how++;
    if (how == 3 || mon_end(args, e) < 0) {
        json_object_put(o);
        return err_set(e, -EINVAL, "'%s': want retain, read-only or read-write", mode);
    }
    b = blk_open(m->env->blk, path, o, how == 2 || (how == 0 && !d->read_only) ? BLK_RDWR : 0, e);
    return b ? swap(d, b, e) : e->code;
}

const struct mon_command cmd_change = {
    .name = "change",
    .args = "device [-f] filename [format [read-only-mode]]",
    .help = "change a removable medium, optional format",
    .run = change,
    .complete = complete_drives,
};

static int resize(struct mon *m, const char *args, struct err *e)
{
    char id[128], size[64];
    uint64_t bytes;
    struct drive *d;

    if (!mon_word(&args, id, sizeof(id)) || !mon_word(&args, size, sizeof(size)))
        return err_set(e, -EINVAL, "expected a device and a size");
    if (mon_end(args, e) < 0)
        return e->code;
    if (size_parse(size, 1 << 20, &bytes, e) < 0)
        return err_set(e, -EINVAL, "'%s' is no size", size);
    if (!(d = mon_drive(m, id, e)))
        return e->code;
    if (!d->blk)
        return err_set(e, -ENOMEDIUM, "Device '%s' has no medium", id);
    if (blk_truncate(d->blk, bytes, BLK_PREALLOC_OFF, 0, e) < 0)
        return e->code == -EINVAL ? (e->code = -EIO) : e->code;
    if (d->changed)
        d->changed(d->owner, d);
    return 0;
}

const struct mon_command cmd_block_resize = {
    .name = "block_resize",
    .args = "device size",
    .help = "resize a block image",
    .run = resize,
    .complete = complete_drives,
};

static int drive_add(struct mon *m, const char *args, struct err *e)
{
    char place[64];
    bool node = mon_option(&args, 'n');

    if (!m->env->add_drive || node)
        return err_set(e, -ENOTSUP, "not supported yet");
    if (!mon_word(&args, place, sizeof(place)))
        return err_set(e, -EINVAL, "expected a place: 0 or dummy");
    args += strspn(args, " \t");
    if (m->env->add_drive(m->env->opaque, args, e) < 0)
        return e->code == -EINVAL ? (e->code = -EPERM) : e->code;
    mon_printf(m, "OK\n");
    return 0;
}

const struct mon_command cmd_drive_add = {
    .name = "drive_add",
    .args = "place file=...,if=none,id=...",
    .help = "add a drive, for device_add",
    .run = drive_add,
};

static int drive_del(struct mon *m, const char *args, struct err *e)
{
    char id[128];

    if (!mon_word(&args, id, sizeof(id)))
        return err_set(e, -EINVAL, "drive_del: block device name expected");
    if (mon_end(args, e) < 0)
        return e->code;
    return m->env->del_drive ? m->env->del_drive(m->env->opaque, id, e) : err_set(e, -ENOTSUP, "not here");
}

const struct mon_command cmd_drive_del = {
    .name = "drive_del",
    .args = "device",
    .help = "remove host block device",
    .run = drive_del,
    .complete = complete_drives,
};
