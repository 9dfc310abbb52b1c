/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-img snapshot: list, make, apply and delete internal snapshots. */
#include "app/img/img.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct option longs[] = {
    {"help", no_argument, NULL, 'h'},
    {"object", required_argument, NULL, OPT_OBJECT},
    {"image-opts", no_argument, NULL, OPT_IMAGE_OPTS},
    {"force-share", no_argument, NULL, 'U'},
    {NULL, 0, NULL, 0},
};

static int list(struct blk *b)
{
    struct blk_snapshot *l = NULL;
    int n = blk_snapshot_list(b, &l, ERR_IGNORE); /* a format without any has none */

    if (n > 0) {
        printf("Snapshot list:\n");
        img_print_snapshots(l, n);
    }
    free(l);
    return 0;
}

static int make(struct blk *b, const char *name)
{
    struct blk_snapshot s = {0};
    struct err e = {0};
    struct timespec now;
    int r;

    clock_gettime(CLOCK_REALTIME, &now);
    s.date_sec = (uint64_t)now.tv_sec;
    s.date_nsec = (uint64_t)now.tv_nsec;
    if (strlen(name) >= sizeof(s.name))
        return img_error("Could not create snapshot '%s': the name is longer than %zu bytes", name,
                         sizeof(s.name) - 1);
    strcpy(s.name, name);
    if ((r = blk_snapshot_create(b, &s, &e)) >= 0)
        return 0;
    return img_error("Could not create snapshot '%s': %d (%s)", name, r,
                     r == -ENOTSUP ? strerror(EOPNOTSUPP) : e.msg);
}

static int apply(struct blk *b, const char *name)
{
    struct err e = {0};

    switch (blk_snapshot_apply(b, name, &e)) {
    case 0: return 0;
    case -ENOTSUP: err_set(&e, -ENOTSUP, "Block driver does not support snapshots"); break;
    case -ENOENT: err_set(&e, -ENOENT, "Failed to load snapshot: %s", strerror(ENOENT)); break;
    }
    return img_error("Could not apply snapshot '%s': %s", name, e.msg);
}

static int erase(struct blk *b, const char *name)
{
    struct blk_snapshot *l = NULL;
    struct err e = {0};
    char id[sizeof(l->id)];
    int n = blk_snapshot_list(b, &l, ERR_IGNORE), i = 0;

    while (i < n && strcmp(l[i].name, name)) /* the tag only: an ID is not looked at */
        i++;
    if (i < n)
        memcpy(id, l[i].id, sizeof(id));
    free(l);
    if (n < 0 || i == n)
        return img_error("Could not delete snapshot '%s': snapshot not found", name);
    return blk_snapshot_delete(b, id, name, &e) < 0
               ? img_error("Could not delete snapshot '%s': %s", name, e.msg)
               : 0;
}

static int act(struct blk *b, int action, const char *name)
{
    switch (action) {
    case 'c': return make(b, name);
    case 'a': return apply(b, name);
    case 'd': return erase(b, name);
    case 'l': return list(b);
    }
    return 0; /* as the reference: the image opens */
}

static int run(struct blk_env *env, int argc, char **argv)
{
    struct img_args a = {.env = env};
    const char *name = NULL;
    int key, action = 0;

    while ((key = img_next(&a, argc, argv, ":la:c:d:hqU", longs)) != IMG_END) {
        if (key == IMG_BAD)
            return 1;
        if (action)
            return img_usage("Cannot mix '-l', '-a', '-c', '-d'");
        action = key;
        name = optarg;
    }
    if (optind != argc - 1)
        return img_usage("Expecting one image file name");
    struct blk *b =
        img_open(&a, argv[optind], NULL, NULL, action == 'l' ? BLK_PROBE_RAW_OK : BLK_RDWR);

    if (!b)
        return 1;
    int status = act(b, action, name);

    return img_close(b, status);
}

const struct img_command img_snapshot = {
    .name = "snapshot",
    .usage = "[--object objectdef] [--image-opts] [-U] [-q] [-l | -a snapshot | -c snapshot | "
             "-d snapshot] filename",
    .notes = "  'snapshot' is the name of the snapshot to make, apply or delete\n"
             "  '-a' makes the disk what it was then\n"
             "  '-c' makes a snapshot of what is now\n"
             "  '-d' deletes a snapshot\n"
             "  '-l' lists the snapshots of the image\n",
    .run = run,
};
