/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * convert --resume.  OUTPUT.resume holds one JSON object: what is copied (names, sizes and times of
 * the sources, format and options of the target) and the offset up to which the target's bytes were
 * on the disk.  It is replaced whole (write, fsync, rename), after the target was flushed.
 */
#include "app/img/resume.h"

#include "block/driver.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOTE_MAX = 1 << 20 };

struct img_resume {
    char *path, *temporary;
    struct json_object *what; /* what is copied: must be equal to go on */
    struct blk *dst;
};

static struct json_object *describe_source(const struct blk *b)
{
    struct json_object *o = json_object_new_object();
    const char *name = blk_filename(b);
    struct stat st;

    json_object_object_add(o, "name", json_object_new_string(name));
    json_object_object_add(o, "size", json_object_new_uint64(blk_size(b)));
    if (stat(name, &st) >= 0) {
        json_object_object_add(o, "mtime", json_object_new_int64(st.st_mtim.tv_sec));
        json_object_object_add(o, "mtime-nsec", json_object_new_int64(st.st_mtim.tv_nsec));
    }
    return o;
}

static struct json_object *describe(const char *format, struct json_object *opts,
                                    const struct img_copy *c)
{
    struct json_object *o = json_object_new_object(), *list = json_object_new_array(), *copy = NULL;

    for (int i = 0; i < c->src_n; i++)
        json_object_array_add(list, describe_source(c->src[i]));
    json_object_deep_copy(opts, &copy, NULL);
    json_object_object_add(o, "sources", list);
    json_object_object_add(o, "format", json_object_new_string(format));
    json_object_object_add(o, "options", copy);
    json_object_object_add(o, "compressed", json_object_new_boolean(c->compressed));
    return o;
}

static struct json_object *read_note(const char *path)
{
    char *text = calloc(1, NOTE_MAX + 1);
    FILE *f = fopen(path, "re");
    struct json_object *o = NULL;

    if (!text)
        fatal("out of memory");
    if (f) {
        text[fread(text, 1, NOTE_MAX, f)] = 0;
        fclose(f);
        o = json_parse(text, ERR_IGNORE);
    }
    free(text);
    if (o && json_object_get_type(o) != json_type_object) {
        json_object_put(o);
        o = NULL;
    }
    return o;
}

struct img_resume *img_resume_find(const char *target, const char *format, struct json_object *opts,
                                   struct img_copy *c)
{
    struct img_resume *r = calloc(1, sizeof(*r));
    struct json_object *note;

    if (!r || asprintf(&r->path, "%s.resume", target) < 0 ||
        asprintf(&r->temporary, "%s.resume.new", target) < 0)
        fatal("out of memory");
    r->what = describe(format, opts, c);
    note = read_note(r->path);
    if (note && access(target, R_OK | W_OK) >= 0) {
        struct json_object *copied = json_object_object_get(note, "copied");
        struct json_object *what = json_object_object_get(note, "what");

        if (what && copied && json_object_equal(what, r->what))
            c->from = json_object_get_uint64(copied);
    }
    if (c->from > c->total || c->from % 512)
        c->from = 0;
    json_object_put(note);
    return r;
}

/* The note is on the disk, whole, when this returns 0. */
static int write_note(struct img_resume *r, uint64_t upto, struct err *e)
{
    struct json_object *o = json_object_new_object();
    char *text;
    int result = 0, fd = open(r->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    json_object_object_add(o, "what", json_object_get(r->what));
    json_object_object_add(o, "copied", json_object_new_uint64(upto));
    text = json_print(o, false);
    size_t len = strlen(text);

    if (fd < 0 || write(fd, text, len) != (ssize_t)len || fsync(fd) < 0 ||
        rename(r->temporary, r->path) < 0)
        result = err_set(e, -errno, "'%s': %s", r->path, strerror(errno));
    if (fd >= 0)
        close(fd);
    free(text);
    json_object_put(o);
    return result;
}

static int checkpoint(void *opaque, uint64_t upto, struct err *e)
{
    struct img_resume *r = opaque;
    int result = blk_flush(r->dst, e);

    return result < 0 ? result : write_note(r, upto, e);
}

static void drop(void *opaque, const char *line)
{
}

int img_resume_begin(struct img_resume *r, struct img_copy *c)
{
    struct blk_check k = {.line = drop};
    struct err e = {0};

    r->dst = c->dst;
    c->checkpoint = checkpoint;
    c->opaque = r;
    /* Clusters that were allocated but not linked when the copy was interrupted. */
    if (c->from && c->dst->drv->check && blk_check(c->dst, &k, BLK_FIX_LEAKS, &e) < 0)
        return img_error("cannot go on with '%s': %s", blk_filename(c->dst), e.msg);
    return checkpoint(r, c->from, &e) < 0 ? storage_fail(&e) : 0;
}

void img_resume_end(struct img_resume *r, bool done)
{
    if (!r)
        return;
    if (done)
        unlink(r->path);
    json_object_put(r->what);
    free(r->path);
    free(r->temporary);
    free(r);
}
