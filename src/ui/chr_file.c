/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file that gets what the guest says, and perhaps another one that is what it hears. */
#include "ui/chr_stream_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

struct file {
    struct chr_stream s;
    char *path, *input_path;
    bool append;
};

static const struct field file_opts[] = {
    FIELD(file, path, F_STR, "path", NULL, "file for output"),
    FIELD(file, input_path, F_STR, "input-path", NULL, "file for input"),
    FIELD(file, append, F_BOOL, "append", "off", "keep what is in it"),
    FIELD_END,
};

static struct file *file_of(struct chr *c)
{
    return (struct file *)c;
}

/* A named pipe without reader must not stop us here. */
static int open_output(const struct file *f)
{
    struct stat st;

    if (!stat(f->path, &st) && S_ISFIFO(st.st_mode))
        return open(f->path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    return open(f->path, O_WRONLY | O_CREAT | O_CLOEXEC | (f->append ? O_APPEND : O_TRUNC), 0666);
}

static int file_open(struct chr *c, struct err *e)
{
    struct file *f = file_of(c);

    chr_stream_init(&f->s);
    if (!f->path)
        return err_set(e, -EINVAL, "chardev: file: no filename given");
    f->s.out = open_output(f);
    if (f->s.out < 0)
        return err_set(e, -errno, "Could not open '%s': %s", f->path, strerror(errno));
    if (f->input_path && (f->s.in = open(f->input_path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)) < 0)
        return err_set(e, -errno, "Could not open '%s': %s", f->input_path, strerror(errno));
    chr_stream_start(&f->s);
    return 0;
}

const struct chr_type chr_file = {
    .name = "file",
    .help = "a file that keeps what the guest says",
    .size = sizeof(struct file),
    .opts = file_opts,
    .open = file_open,
    .close = chr_stream_close,
    .write = chr_stream_write,
    .watch = chr_stream_watch,
    .wait_fd = chr_stream_wait_fd,
    .wake = chr_stream_wake,
};
