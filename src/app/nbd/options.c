/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-nbd's command line. */
#include "app/nbd/nbd.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "Usage: qemu-nbd [OPTIONS] FILE\n"
    "  or:  qemu-nbd -L [OPTIONS]\n"
    "Serves a disk image over the network block device protocol.\n\n"
    "  -h, --help                this text\n"
    "  -V, --version             version\n\n"
    "Connections:\n"
    "  -p, --port=PORT           port to listen on (default 10809)\n"
    "  -b, --bind=IFACE          address to listen on (default 0.0.0.0)\n"
    "  -k, --socket=PATH         Unix socket to listen on\n"
    "  -e, --shared=NUM          clients at once (default 1; 0: any number)\n"
    "  -t, --persistent          go on when the last client has left\n"
    "  -v, --verbose             say what happens\n"
    "  -x, --export-name=NAME    name of the export (default empty)\n"
    "  -D, --description=TEXT    description of the export\n\n"
    "What is exposed:\n"
    "  -o, --offset=OFFSET       the image from this byte on\n"
    "  -A, --allocation-depth    which layer of the backing chain has what\n"
    "  -B, --bitmap=NAME         a persistent dirty bitmap; may be repeated\n\n"
    "General:\n"
    "  -L, --list                list what another server offers\n"
    "  --object type,id=ID,...   secrets and TLS credentials\n"
    "  --tls-creds=ID            clients must use TLS with these credentials\n"
    "  --tls-authz=ID            the object that says who may connect\n"
    "  -T, --trace [[enable=]<pattern>][,events=<file>][,file=<file>]\n"
    "                            tracing options (accepted)\n"
    "  --fork                    serve in the background; return when ready\n"
    "  --pid-file=PATH           write the server's process ID there\n"
    "  --selinux-label=LABEL     accepted, without effect\n\n"
    "The kernel's client:\n"
    "  -c, --connect=DEV         make FILE the block device DEV (/dev/nbd0)\n"
    "  -d, --disconnect          disconnect the device DEV\n\n"
    "Opening the image:\n"
    "  -f, --format=FORMAT       its format (raw, qcow2, ...); probed when not given\n"
    "  -r, --read-only           read-only\n"
    "  -s, --snapshot            write to a temporary overlay\n"
    "  -l, --load-snapshot=SNAP  an internal snapshot, read-only: ID or name, or\n"
    "                            'snapshot.id=ID,snapshot.name=NAME'\n"
    "  -n, --nocache             --cache=none\n"
    "      --cache=MODE          none, writeback (default), writethrough, directsync, unsafe\n"
    "      --aio=MODE            native, io_uring or threads\n"
    "      --discard=MODE        ignore or unmap\n"
    "      --detect-zeroes=MODE  off, on or unmap\n"
    "      --image-opts          FILE is a string of options\n";

enum {
    OPT_CACHE = 256,
    OPT_AIO,
    OPT_DISCARD,
    OPT_DETECT_ZEROES,
    OPT_OBJECT,
    OPT_TLS_CREDS,
    OPT_TLS_AUTHZ,
    OPT_IMAGE_OPTS,
    OPT_FORK,
    OPT_PID_FILE,
    OPT_SELINUX,
};

static const struct option long_options[] = {
    {"help", 0, NULL, 'h'},
    {"version", 0, NULL, 'V'},
    {"port", 1, NULL, 'p'},
    {"bind", 1, NULL, 'b'},
    {"socket", 1, NULL, 'k'},
    {"shared", 1, NULL, 'e'},
    {"persistent", 0, NULL, 't'},
    {"verbose", 0, NULL, 'v'},
    {"export-name", 1, NULL, 'x'},
    {"description", 1, NULL, 'D'},
    {"offset", 1, NULL, 'o'},
    {"allocation-depth", 0, NULL, 'A'},
    {"bitmap", 1, NULL, 'B'},
    {"list", 0, NULL, 'L'},
    {"object", 1, NULL, OPT_OBJECT},
    {"tls-creds", 1, NULL, OPT_TLS_CREDS},
    {"tls-authz", 1, NULL, OPT_TLS_AUTHZ},
    {"tls-hostname", 1, NULL, 'H'},
    {"trace", 1, NULL, 'T'},
    {"fork", 0, NULL, OPT_FORK},
    {"pid-file", 1, NULL, OPT_PID_FILE},
    {"selinux-label", 1, NULL, OPT_SELINUX},
    {"connect", 1, NULL, 'c'},
    {"disconnect", 0, NULL, 'd'},
    {"format", 1, NULL, 'f'},
    {"read-only", 0, NULL, 'r'},
    {"snapshot", 0, NULL, 's'},
    {"load-snapshot", 1, NULL, 'l'},
    {"nocache", 0, NULL, 'n'},
    {"cache", 1, NULL, OPT_CACHE},
    {"aio", 1, NULL, OPT_AIO},
    {"discard", 1, NULL, OPT_DISCARD},
    {"detect-zeroes", 1, NULL, OPT_DETECT_ZEROES},
    {"image-opts", 0, NULL, OPT_IMAGE_OPTS},
    {NULL, 0, NULL, 0},
};

static int wrong(const char *what, const char *value)
{
    fprintf(stderr, "%s: %s '%s'\n", storage_name, what, value);
    return -1;
}

static int take_number(const char *text, uint64_t max, const char *what, uint64_t *v)
{
    char *end;

    errno = 0;
    *v = strtoull(text, &end, 0);
    return errno || end == text || *end || *text == '-' || *v > max ? wrong(what, text) : 0;
}

static int take_mode(struct nbd_cli *cli, int c)
{
    struct err e = {0};

    switch (c) {
    case 'n':
    case OPT_CACHE:
        return storage_cache_flags(c == 'n' ? "none" : optarg, &cli->flags, &e) < 0
                   ? wrong("Invalid cache mode", optarg)
                   : 0;
    case OPT_AIO:
        if (!strcmp(optarg, "native"))
            cli->flags |= BLK_NATIVE_AIO;
        else if (!strcmp(optarg, "io_uring"))
            cli->flags |= BLK_IO_URING;
        else if (strcmp(optarg, "threads"))
            return wrong("Invalid aio mode", optarg);
        return 0;
    case OPT_DISCARD:
        if (!strcmp(optarg, "unmap") || !strcmp(optarg, "on"))
            cli->flags |= BLK_UNMAP;
        else if (!strcmp(optarg, "ignore") || !strcmp(optarg, "off"))
            cli->flags &= ~BLK_UNMAP;
        else
            return wrong("Invalid discard mode", optarg);
        return 0;
    case OPT_DETECT_ZEROES:
        if (!strcmp(optarg, "on"))
            cli->flags |= BLK_DETECT_ZEROES;
        else if (!strcmp(optarg, "unmap"))
            cli->flags |= BLK_DETECT_ZEROES | BLK_DETECT_UNMAP;
        else if (strcmp(optarg, "off"))
            return wrong("Invalid detect-zeroes mode", optarg);
        return 0;
    }
    return 1; /* not a mode */
}

static int take_option(struct nbd_cli *cli, int c)
{
    struct err e = {0};
    uint64_t v;

    switch (c) {
    case 'h':
        fputs(usage, stdout);
        cli->done = true;
        return 0;
    case 'V':
        printf("qemu-nbd " STORAGE_VERSION " (Emu)\n" STORAGE_COPYRIGHT "\n"
               "This is free software, under the GNU General Public License, version 2 or later.\n"
               "There is NO warranty, to the extent permitted by law.\n");
        cli->done = true;
        return 0;
    case 'p':
        if (take_number(optarg, 65535, "Invalid port", &v) < 0)
            return -1;
        cli->port = optarg;
        return 0;
    case 'b': cli->bind = optarg; return 0;
    case 'k':
        cli->socket = optarg;
        if (optarg[0] == '/')
            return 0;
        fprintf(stderr, "%s: socket path must be absolute\n", storage_name);
        return -1;
    case 'e':
        if (take_number(optarg, INT32_MAX, "Invalid shared device number", &v) < 0)
            return -1;
        cli->shared = (unsigned)v;
        return 0;
    case 't': cli->persistent = true; return 0;
    case 'v': cli->verbose = true; return 0;
    case 'x':
        cli->name = optarg;
        return strlen(optarg) > 4096 ? wrong("export name longer than 4096 bytes", "...") : 0;
    case 'D':
        cli->description = optarg;
        return strlen(optarg) > 4096 ? wrong("description longer than 4096 bytes", "...") : 0;
    case 'o': return take_number(optarg, INT64_MAX, "Invalid offset", &cli->offset);
    case 'A': cli->depth = true; return 0;
    case 'B': cli->bitmaps[cli->bitmaps_n++] = optarg; return 0;
    case 'L': cli->list = true; return 0;
    case OPT_OBJECT: return storage_add_object(cli->env, optarg, &e) < 0 ? -storage_fail(&e) : 0;
    case OPT_TLS_CREDS: cli->tls_creds = optarg; return 0;
    case OPT_TLS_AUTHZ: cli->tls_authz = optarg; return 0;
    case OPT_FORK: cli->fork = true; return 0;
    case OPT_PID_FILE: cli->pid_file = optarg; return 0;
    case OPT_SELINUX:
    case 'T':
    case 'H': return 0;
    case 'c': cli->device = optarg; return 0;
    case 'd': cli->disconnect = ""; return 0;
    case 'f': cli->format = optarg; return 0;
    case 'r': cli->flags &= ~BLK_RDWR; return 0;
    case 's': cli->overlay = true; return 0;
    case 'l':
        cli->snapshot = optarg;
        cli->flags &= ~BLK_RDWR;
        return 0;
    case OPT_IMAGE_OPTS: cli->image_opts = true; return 0;
    }
    int r = take_mode(cli, c);

    if (r <= 0)
        return r;
    fprintf(stderr, "%s: Try `qemu-nbd --help' for more information.\n", storage_name);
    return -1;
}

static int complain(const char *what)
{
    fprintf(stderr, "%s: %s\n", storage_name, what);
    return -1;
}

static int check(const struct nbd_cli *cli, int names)
{
    if (cli->list) {
        if (names)
            return complain("List mode is incompatible with a file name");
        if (cli->name || cli->description || cli->offset || cli->device || cli->disconnect ||
            cli->bitmaps_n || cli->snapshot)
            return complain("List mode is incompatible with per-device settings");
        return cli->fork ? complain("List mode is incompatible with forking") : 0;
    }
    if (names != 1) {
        fprintf(stderr,
                "%s: Invalid number of arguments\nTry `qemu-nbd --help' for more information.\n",
                storage_name);
        return -1;
    }
    if (cli->tls_creds && cli->device)
        return complain("TLS is not supported with a host device");
    if (cli->tls_authz && !cli->tls_creds)
        return complain("TLS authorization is only permitted with TLS credentials");
    if (cli->device && (cli->port || cli->bind))
        return complain("Connecting to a device excludes listening on an address");
    if (cli->socket && (cli->port || cli->bind))
        return complain("Unix socket and TCP address exclude each other");
    if (cli->image_opts && cli->format)
        return complain("--image-opts and -f are mutually exclusive");
    return 0;
}

int nbd_parse(struct nbd_cli *cli, int argc, char **argv)
{
    int c;

    if (!(cli->bitmaps = calloc((size_t)argc + 1, sizeof(*cli->bitmaps))))
        fatal("out of memory");
    while ((c = getopt_long(argc, argv, "hVb:o:p:k:rsnc:dve:f:tl:x:T:D:AB:L", long_options,
                            NULL)) != -1)
        if (take_option(cli, c) < 0 || cli->done)
            return cli->done ? 0 : -1;
    if (check(cli, argc - optind) < 0)
        return -1;
    if (cli->disconnect)
        cli->disconnect = argv[optind];
    cli->file = cli->list ? NULL : argv[optind];
    return 0;
}
