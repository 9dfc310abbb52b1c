/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests to a 9P server: each is answered within its buffers, and nothing outside of the shared folder changes.  Input:
 * messages as they go over the wire, one after the other; a session begins with version and attach as fid 1.  What is open at the
 * end is saved and loaded, and then the input as if it had been saved.
 */
#include "base/bytes.h"
#include "dev/virtio/p9.h"
#include "schema/keyval.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int fuzz_one(const uint8_t *data, size_t len);

enum { REPLY = 8192, HEAD = 7, MAX_MESSAGES = 64 };

static char folder[64];
static struct p9 *server;

static void remove_folder(void)
{
    char cmd[128];

    snprintf(cmd, sizeof(cmd), "rm -rf %s", folder);
    if (system(cmd) != 0)
        perror(folder);
}

static void make(void)
{
    char text[256];
    struct err e = {0};

    snprintf(folder, sizeof(folder), "/tmp/emu-fuzz-p9-%d", getpid());
    snprintf(text, sizeof(text), "path=%s/shared,security_model=mapped-file,multidevs=remap",
             folder);
    if (mkdir(folder, 0700) < 0 || mkdir(strcat(folder, "/shared"), 0700) < 0)
        abort();
    *strrchr(folder, '/') = 0;
    atexit(remove_folder);
    server = p9_new(keyval_parse(text, NULL, &e), &e);
    if (!server)
        bug("%s", e.msg);
}

static void one(const uint8_t *msg, size_t len)
{
    uint8_t *req = malloc(len), *rep = malloc(REPLY);
    struct iovec q[2] = {{req, len / 2}, {req + len / 2, len - len / 2}};
    struct iovec a[2] = {{rep, 9}, {rep + 9, REPLY - 9}};
    int64_t r;

    if (!req || !rep)
        abort();
    memcpy(req, msg, len); /* of its exact size */
    r = p9_handle(server, q, 2, a, 2);
    if (r >= 0 && (r < HEAD || r > REPLY || get_le32(rep) != r))
        bug("a reply of %d bytes", (int)r);
    free(req);
    free(rep);
}

static void saved_and_loaded(struct state_blob hostile)
{
    struct state_blob b = {0};
    struct err e = {0};

    p9_save(server, &b);
    if (p9_load(server, &b, &e) < 0)
        bug("what was saved: %s", e.msg);
    free(b.data);
    p9_load(server, &hostile, &e);
}

int fuzz_one(const uint8_t *data, size_t len)
{
    struct state_blob whole = {(uint8_t *)data, len}; /* only read */
    static const uint8_t version[] = {21, 0, 0,   0,   100, 0,   0,   0,   32,  0,  0,
                                      8,  0, '9', 'P', '2', '0', '0', '0', '.', 'L'};
    static const uint8_t attach[] = {23,  0,   0,   0, 104, 0, 0, 1, 0, 0, 0, 255,
                                     255, 255, 255, 0, 0,   0, 0, 0, 0, 0, 0};

    if (!server)
        make();
    one(version, sizeof(version));
    one(attach, sizeof(attach));
    for (unsigned n = 0; len >= 4 && n < MAX_MESSAGES; n++) {
        size_t k = get_le32(data);

        k = k < 4 ? 4 : k > len ? len : k;
        one(data, k);
        data += k;
        len -= k;
    }
    saved_and_loaded(whole);
    p9_reset(server);
    if (access(folder, F_OK) < 0)
        bug("%s is gone", folder);
    return 0;
}
