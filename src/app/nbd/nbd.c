/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-nbd: opens the image, listens, gives each client a thread. */
#include "app/nbd/nbd.h"

#include "block/authz.h"
#include "block/tls_creds.h"
#include "schema/keyval.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* struct daemon - clients and when to end. */
struct daemon {
    const struct nbd_cli *cli;
    struct nbd_server server;
    pthread_mutex_t lock;
    unsigned clients;         /* [lock] */
    bool served;              /* [lock] somebody chose an export */
    struct connection *first; /* [lock] */
};

struct connection {
    struct daemon *d;
    int fd;
    struct connection *next;
};

/* The main thread sleeps in poll: signals and leaving clients wake it with a byte. */
static int wake[2];
static volatile sig_atomic_t told_to_end, kernel_socket = -1;

static void wake_main(void)
{
    ssize_t r = write(wake[1], "", 1);

    (void)r; /* full: it is awake */
}

static void on_signal(int sig)
{
    int saved = errno;

    told_to_end = 1;
    if (kernel_socket >= 0) /* with -c nobody looks at the pipe */
        shutdown(kernel_socket, SHUT_RD);
    wake_main();
    errno = saved;
}

/* Opening -------------------------------------------------------------------------------------- */

/* -s: a temporary overlay, unlinked at once so that nobody has to clean up. */
static struct blk *open_overlay(const struct nbd_cli *cli, struct blk *base, struct err *e)
{
    const char *dir = getenv("TMPDIR");
    struct json_object *opts = json_object_new_object();
    char size[32], *path = NULL;
    struct blk *top = NULL;
    int fd;

    if (asprintf(&path, "%s/qemu-nbd.XXXXXX", dir ? dir : "/var/tmp") < 0)
        fatal("out of memory");
    if ((fd = mkstemp(path)) < 0) {
        err_set(e, -errno, "Could not create temporary file '%s': %s", path, strerror(errno));
        json_object_put(opts);
        free(path);
        return NULL;
    }
    close(fd);
    snprintf(size, sizeof(size), "%" PRIu64, blk_size(base));
    json_object_object_add(opts, "size", json_object_new_string(size));
    if (blk_create(cli->env, "qcow2", path, opts, e) >= 0) {
        opts = keyval_parse("driver=qcow2", NULL, e);
        keyval_set(opts, "backing.driver", json_object_new_string(blk_driver_name(base)), e);
        keyval_set(opts, "backing.file.filename", json_object_new_string(cli->file), e);
        top = blk_open(cli->env, path, opts, BLK_RDWR | BLK_UNMAP | BLK_NO_FLUSH, e);
    }
    unlink(path);
    free(path);
    return top;
}

static struct blk *open_image(const struct nbd_cli *cli, struct err *e)
{
    struct json_object *opts =
        cli->image_opts ? keyval_parse(cli->file, NULL, e) : json_object_new_object();
    unsigned flags = cli->overlay ? cli->flags & ~BLK_RDWR : cli->flags;
    struct blk *b;

    if (!opts)
        return NULL;
    if (cli->format)
        json_object_object_add(opts, "driver", json_object_new_string(cli->format));
    b = blk_open(cli->env, cli->image_opts ? NULL : cli->file, opts, flags, e);
    if (!b) {
        err_wrap(e, e->code, "Failed to blk_new_open '%s'", cli->file);
        return NULL;
    }
    if (cli->overlay) {
        struct blk *top = open_overlay(cli, b, e);

        blk_close(b, ERR_IGNORE);
        return top;
    }
    return b;
}

/* -l ID, NAME or "snapshot.id=..,snapshot.name=.." */
static int load_snapshot(const struct nbd_cli *cli, struct blk *b, struct err *e)
{
    const char *name = cli->snapshot;
    struct json_object *o = NULL;
    int r;

    if (!strncmp(name, "snapshot.", 9)) {
        if (!(o = keyval_parse(name, NULL, e)))
            return e->code;
        name = keyval_string(o, "snapshot.id");
        if (!name)
            name = keyval_string(o, "snapshot.name");
    }
    r = name ? blk_snapshot_load(b, name, e)
             : err_set(e, -EINVAL, "no snapshot.id or snapshot.name");
    json_object_put(o);
    return r < 0 ? err_wrap(e, r, "Failed to load snapshot") : 0;
}

/* Each -B name must be a bitmap of the image. */
static int check_bitmaps(const struct nbd_cli *cli, struct blk *b, struct err *e)
{
    struct blk_bitmap *list = NULL;
    int n = cli->bitmaps_n ? blk_bitmap_list(b, &list, ERR_IGNORE) : 0, r = 0;

    for (unsigned i = 0; i < cli->bitmaps_n && r >= 0; i++) {
        int k = 0;

        while (k < n && strcmp(list[k].name, cli->bitmaps[i]))
            k++;
        if (k >= n)
            r = err_set(e, -ENOENT, "Bitmap '%s' is not found", cli->bitmaps[i]);
        else if (list[k].inconsistent)
            r = err_set(e, -EINVAL, "Bitmap '%s' is inconsistent and cannot be used",
                        cli->bitmaps[i]);
    }
    free(list);
    return r;
}

static int set_up_export(const struct nbd_cli *cli, struct blk *b, struct nbd_export *x,
                         struct err *e)
{
    uint64_t size = blk_size(b);

    if (cli->offset >= size && size)
        return err_set(e, -EINVAL,
                       "Offset (%" PRIu64 ") has to be smaller than the image size (%" PRIu64 ")",
                       cli->offset, size);
    *x = (struct nbd_export){.name = cli->name ? cli->name : "",
                             .description = cli->description,
                             .b = b,
                             .off = cli->offset,
                             .size = size - cli->offset,
                             .writable = blk_flags(b) & BLK_RDWR,
                             .multi_conn = cli->shared != 1,
                             .allocation_depth = cli->depth,
                             .bitmaps = cli->bitmaps};
    return check_bitmaps(cli, b, e);
}

/* Clients -------------------------------------------------------------------------------------- */

static void leave(struct connection *c, bool connected)
{
    struct daemon *d = c->d;
    struct connection **at = &d->first;

    pthread_mutex_lock(&d->lock);
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    d->clients--;
    d->served |= connected;
    close(c->fd); /* under the lock: hang_up must not meet the number's next user */
    pthread_mutex_unlock(&d->lock);
    free(c);
    wake_main();
}

static void *client_thread(void *opaque)
{
    struct connection *c = opaque;
    struct daemon *d = c->d;
    bool connected = false;
    struct err e = {0};

    if (nbd_serve(&d->server, c->fd, &connected, &e) < 0 && d->cli->verbose)
        fprintf(stderr, "%s: %s\n", storage_name, e.msg);
    leave(c, connected);
    return NULL;
}

static void accept_client(struct daemon *d, int listener)
{
    int one = 1, fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    struct connection *c;
    pthread_t thread;

    if (fd < 0)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)); /* fails on Unix sockets */
    if (!(c = calloc(1, sizeof(*c))))
        fatal("out of memory");
    c->d = d;
    c->fd = fd;
    pthread_mutex_lock(&d->lock);
    c->next = d->first;
    d->first = c;
    d->clients++;
    pthread_mutex_unlock(&d->lock);
    if (pthread_create(&thread, NULL, client_thread, c)) {
        leave(c, false);
        return;
    }
    pthread_detach(thread);
}

static bool room_for_more(struct daemon *d, bool *end)
{
    bool room;

    pthread_mutex_lock(&d->lock);
    room = !d->cli->shared || d->clients < d->cli->shared;
    *end = told_to_end || (!d->cli->persistent && d->served && !d->clients);
    pthread_mutex_unlock(&d->lock);
    return room;
}

/* Tell the clients that are left, and wait for what they had asked for. */
static void hang_up(struct daemon *d)
{
    pthread_mutex_lock(&d->lock);
    for (struct connection *c = d->first; c; c = c->next)
        shutdown(c->fd, SHUT_RD);
    pthread_mutex_unlock(&d->lock);
    for (;;) {
        char byte[64];

        pthread_mutex_lock(&d->lock);
        unsigned left = d->clients;
        pthread_mutex_unlock(&d->lock);
        if (!left)
            return;
        poll(&(struct pollfd){.fd = wake[0], .events = POLLIN}, 1, 1000);
        if (read(wake[0], byte, sizeof(byte)) < 0 && errno != EAGAIN)
            return;
    }
}

static void serve(struct daemon *d, const int *fds, int n)
{
    struct pollfd p[NBD_LISTEN_MAX + 1];
    bool end, room;

    while (room = room_for_more(d, &end), !end) {
        for (int i = 0; i < n; i++)
            p[i] = (struct pollfd){.fd = room ? fds[i] : -1, .events = POLLIN};
        p[n] = (struct pollfd){.fd = wake[0], .events = POLLIN};
        if (poll(p, (nfds_t)n + 1, -1) < 0)
            continue;
        if (p[n].revents) {
            char bytes[64];
            ssize_t r = read(wake[0], bytes, sizeof(bytes));

            (void)r;
            continue; /* room is to be looked at anew */
        }
        for (int i = 0; i < n; i++) {
            if (p[i].revents) {
                accept_client(d, fds[i]);
                break;
            }
        }
    }
    hang_up(d);
}

/* Starting ------------------------------------------------------------------------------------- */

static void catch_signals(void)
{
    struct sigaction a = {.sa_handler = on_signal};

    if (pipe2(wake, O_CLOEXEC | O_NONBLOCK) < 0)
        fatal("no pipe: %s", strerror(errno));
    sigaction(SIGTERM, &a, NULL);
    sigaction(SIGINT, &a, NULL);
    sigaction(SIGHUP, &a, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* --fork: the parent returns when the child says that it serves.  In the child: the end to tell. */
static int fork_server(int *ready)
{
    char byte;
    int p[2];
    pid_t pid;

    if (pipe2(p, O_CLOEXEC) < 0 || (pid = fork()) < 0)
        fatal("cannot fork: %s", strerror(errno));
    if (!pid) {
        close(p[0]);
        setsid();
        *ready = p[1];
        return 0;
    }
    close(p[1]);
    exit(read(p[0], &byte, 1) == 1 ? 0 : 1);
}

static void tell_ready(int ready, bool verbose)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (ready < 0)
        return;
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    if (!verbose)
        dup2(null, STDERR_FILENO);
    close(null);
    if (write(ready, "", 1) < 0)
        return; /* the parent was killed: serve all the same */
    close(ready);
}

static int write_pid(const char *path, struct err *e)
{
    FILE *f = path ? fopen(path, "we") : NULL;

    if (!path)
        return 0;
    if (!f)
        return err_set(e, -errno, "Failed to write pid file '%s': %s", path, strerror(errno));
    fprintf(f, "%ld\n", (long)getpid());
    return fclose(f)
               ? err_set(e, -errno, "Failed to write pid file '%s': %s", path, strerror(errno))
               : 0;
}

/* struct greeting - the prompt comes back when the device's partitions are there. */
struct greeting {
    const struct nbd_cli *cli;
    int ready;
};

static void *greet(void *opaque)
{
    struct greeting *g = opaque;

    nbd_kernel_look(g->cli->device);
    tell_ready(g->ready, g->cli->verbose);
    return NULL;
}

/* -c */
static int serve_kernel(struct daemon *d, int ready, struct err *e)
{
    const struct nbd_cli *cli = d->cli;
    struct greeting greeting = {cli, ready};
    struct nbd_kernel k;
    pthread_t greeter;
    int r = nbd_kernel_open(&k, cli->device, d->server.exports, e);

    if (r < 0)
        return r;
    if ((r = write_pid(cli->pid_file, e)) >= 0) {
        bool greets = !pthread_create(&greeter, NULL, greet, &greeting);

        kernel_socket = k.socket;
        r = nbd_serve_kernel(&d->server, k.socket, e);
        kernel_socket = -1;
        nbd_kernel_close(&k); /* who is still looking gets an error */
        if (greets)
            pthread_join(greeter, NULL);
        return r;
    }
    nbd_kernel_close(&k);
    return r;
}

static int run_export(struct daemon *d, struct blk *b, int ready, struct err *e)
{
    const struct nbd_cli *cli = d->cli;
    struct nbd_export x;
    int fds[NBD_LISTEN_MAX], n, r;

    if ((cli->snapshot && (r = load_snapshot(cli, b, e)) < 0) ||
        (r = set_up_export(cli, b, &x, e)) < 0)
        return r;
    d->server.exports = &x;
    d->server.exports_n = 1;
    if (cli->tls_creds && !(d->server.tls = tls_creds_find(cli->env, cli->tls_creds, true, e)))
        return err_wrap(e, e->code, "Failed to get TLS creds");
    if (cli->tls_authz && !(d->server.authz = authz_find(cli->env, cli->tls_authz, e)))
        return e->code;
    if (cli->device)
        return serve_kernel(d, ready, e);
    if ((n = nbd_listen(cli, fds, e)) < 0)
        return n;
    if ((r = write_pid(cli->pid_file, e)) >= 0) {
        tell_ready(ready, cli->verbose);
        serve(d, fds, n);
    }
    for (int i = 0; i < n; i++)
        close(fds[i]);
    if (cli->socket)
        unlink(cli->socket);
    if (cli->pid_file)
        unlink(cli->pid_file);
    return r;
}

static int run(const struct nbd_cli *cli)
{
    struct daemon d = {.cli = cli};
    struct err e = {0};
    struct blk *b;
    int ready = -1, r;

    if (cli->fork || (cli->device && !cli->verbose)) /* -c gives the prompt back, too */
        fork_server(&ready);
    pthread_mutex_init(&d.lock, NULL);
    catch_signals();
    if (!(b = open_image(cli, &e)))
        return storage_fail(&e);
    r = run_export(&d, b, ready, &e);
    if (blk_close(b, r < 0 ? ERR_IGNORE : &e) < 0)
        r = -1;
    return r < 0 ? storage_fail(&e) : 0;
}

int main_nbd(int argc, char **argv)
{
    struct nbd_cli cli = {.env = storage_env(), .flags = BLK_RDWR | BLK_UNMAP, .shared = 1};
    struct err e = {0};
    int status = 0;

    if (nbd_parse(&cli, argc, argv) < 0)
        status = 1;
    else if (cli.list)
        status = nbd_list(&cli, &e) < 0 ? storage_fail(&e) : 0;
    else if (cli.disconnect) {
        if (nbd_kernel_disconnect(cli.disconnect, &e) < 0)
            status = storage_fail(&e);
        else
            printf("%s disconnected\n", cli.disconnect);
    } else if (!cli.done)
        status = run(&cli);
    free(cli.bitmaps);
    blk_env_free(cli.env);
    return status;
}
