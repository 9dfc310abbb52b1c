/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cache file, and what its two halves share: tcache_file.c (folders, files, the index) and
 * tcache.c (regions to records and back).
 *
 *     header | index: slots | records ...
 *
 * A file only grows.  Who adds holds its lock, writes records behind the end, then their slots, then
 * the new end.  Readers take no lock: they copy a record out, and believe nothing but its checksum.
 * Numbers are little endian, records begin at multiples of 16.
 */
#ifndef CPU_TCACHE_PRIV_H
#define CPU_TCACHE_PRIV_H

#include "cpu/tcache.h"

#include <sys/types.h>

#define TC_MAGIC   UINT64_C(0x31306361632d6d65) /* "em-cac01" */
#define TC_HEADER  4096
#define TC_BITS    19            /* of the index: 4 MiB, of which few pages are ever touched */
#define TC_GROUP   UINT64_C(1024) /* slots of neighbouring code */
#define TC_RUN     16            /* slots looked at in one group */
#define TC_PROBES  (8 * TC_RUN)  /* ... for one address */
#define TC_MAX_REC (256 << 10)   /* bytes of a record */
#define TC_MAX     (256u << 20)  /* bytes of a file */
#define TC_ALL     (1024ull << 20) /* bytes of the folder, by and large */

struct tc_header {
    uint64_t magic;
    uint64_t key[2];   /* of everything translations depend on */
    uint64_t place[2];
    uint32_t bits, zero;
    uint64_t check;    /* of all before */
    uint64_t end;      /* of the records; changes */
};

enum { TC_HOT = 1, TC_COUNTS = 2, TC_GS_BASE = 4, TC_FLAGS = 7 };

/* A region.  Behind it: spans, links, faults, traps, code, recovery descriptions, guest code, each
 * padded to 8 bytes. */
struct tc_rec {
    uint64_t check; /* of all behind */
    uint32_t size, code_len;
    uint64_t pc;
    uint32_t mode, desc_len;
    uint32_t guest_len, n_faults;
    uint16_t n_spans, n_blocks, n_links, n_traps;
    uint32_t flags, zero;
};

struct tc_span {
    uint64_t start;
    uint32_t len;
    uint32_t mode; /* as lifted: the CPU's, and what the memory added */
};

/* A jump that led to another region's code when this one was kept: offsets in the code. */
struct tc_link {
    uint32_t site, thunk;
    uint64_t pc;
};

/* The parts of a record that tc_check has found sound. */
struct tc_parts {
    const struct tc_span *spans;
    const struct tc_link *links;
    const struct host_fault *faults;
    const struct host_trap *traps;
    const uint8_t *code, *desc, *guest;
};

/** tc_layout - where the parts of @rec are, from its counts; returns the size it must have. */
uint64_t tc_layout(const struct tc_rec *rec, struct tc_parts *p);
/** tc_check - whether @rec, @len bytes of it, is whole and all its offsets hold. */
bool tc_check(const struct tc_rec *rec, size_t len, struct tc_parts *p);
uint64_t tc_sum(const void *data, size_t len);
/** tc_seal - sets check. */
void tc_seal(struct tc_rec *rec);

struct tcache {
    char *dir;
    char name[36];
    uint64_t key[2], place[2];
    bool placed;
    bool off;             /* [atomic] */
    int fd[2];            /* open for a moment: the folder, the file; else -1 */
    uid_t uid;
    uint64_t all;         /* bytes of the folder: TC_ALL, but for tests */
    const uint8_t *map;   /* the file as it was; it may shrink under us: only guarded copies read it */
    uint64_t size;
    uint32_t bits;        /* of its index */
    uint8_t *buf;         /* a record being looked at, TC_MAX_REC bytes; with the engine's lock */
};

/** tc_attach - believe in the file image [map, map + size); false: it is none, or another's. */
bool tc_attach(struct tcache *t, const void *map, uint64_t size);
/** tc_find - the next record of (@pc, @mode) in t->buf; *@probe begins as 0.  NULL: no more. */
const struct tc_rec *tc_find(struct tcache *t, uint64_t pc, uint32_t mode, unsigned *probe,
                             struct tc_parts *p);

/* Records to be added. */
struct tc_batch {
    uint8_t *data;
    size_t len, cap;
    uint32_t n;
};
/** tc_append - add the batch to the file, making it when it is not there.  When it is full it stays as
 * it is if it was @useful, else it is removed. */
void tc_append(struct tcache *t, const struct tc_batch *b, bool useful);

#endif
