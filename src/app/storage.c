/* SPDX-License-Identifier: GPL-2.0-or-later */
/* emu-storage: qemu-img, qemu-io and qemu-nbd, by the name it is called by. */
#include "app/storage.h"

#include "schema/keyval.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *storage_name;

static const struct {
    const char *name;
    int (*main)(int argc, char **argv);
} programs[] = {
    {"qemu-img", main_img},
    {"qemu-io", main_io},
    {"qemu-nbd", main_nbd},
};

int storage_fail(const struct err *e)
{
    fprintf(stderr, "%s: %s\n", storage_name, e->msg);
    return 1;
}

static void warn(void *opaque, const char *text)
{
    fprintf(stderr, "%s\n", text);
}

struct blk_env *storage_env(void)
{
    return blk_env_new(warn, NULL);
}

int storage_add_object(struct blk_env *env, const char *text, struct err *e)
{
    struct json_object *o = *text == '{' ? json_parse(text, e) : keyval_parse(text, "qom-type", e);

    return o ? blk_env_add_object(env, o, e) : e->code;
}

int storage_cache_flags(const char *mode, unsigned *flags, struct err *e)
{
    static const struct {
        const char *name;
        unsigned flags;
    } modes[] = {
        {"none", BLK_DIRECT},     {"off", BLK_DIRECT},
        {"writeback", 0},         {"directsync", BLK_DIRECT | BLK_WRITE_THROUGH},
        {"unsafe", BLK_NO_FLUSH}, {"writethrough", BLK_WRITE_THROUGH},
    };

    for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
        if (!strcmp(modes[i].name, mode)) {
            *flags = (*flags & ~(BLK_DIRECT | BLK_WRITE_THROUGH | BLK_NO_FLUSH)) | modes[i].flags;
            return 0;
        }
    }
    return err_set(e, -EINVAL, "Invalid cache option: %s", mode);
}

struct blk *storage_open(struct blk_env *env, const char *name, const char *format, bool image_opts,
                         unsigned flags, struct err *e)
{
    struct json_object *opts = image_opts ? keyval_parse(name, NULL, e) : json_object_new_object();
    struct blk *b;

    if (!opts)
        return NULL;
    if (format)
        json_object_object_add(opts, "driver", json_object_new_string(format));
    b = blk_open(env, image_opts ? NULL : name, opts, flags, e);
    if (!b)
        err_wrap(e, e->code, "Could not open '%s'", name);
    return b;
}

int main(int argc, char **argv)
{
    const char *slash = argc ? strrchr(argv[0], '/') : NULL;

    storage_name = slash ? slash + 1 : argc ? argv[0] : "emu-storage";
    if (argc)
        argv[0] = (char *)storage_name; /* getopt's messages begin with it */
    for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++)
        if (!strcmp(programs[i].name, storage_name))
            return programs[i].main(argc, argv);
    if (argc > 1) { /* emu-storage qemu-img ... */
        for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++) {
            if (!strcmp(programs[i].name, argv[1])) {
                storage_name = argv[1];
                return programs[i].main(argc - 1, argv + 1);
            }
        }
    }
    fprintf(stderr, "%s: call it as one of:", storage_name);
    for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++)
        fprintf(stderr, " %s", programs[i].name);
    fputc('\n', stderr);
    return 1;
}
