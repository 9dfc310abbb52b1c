/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of the translation cache: whatever is in them, only bytes of the file are read, and a record that
 * is accepted holds together.  The first byte says whether checksums are made good before, so that
 * damage gets past them.
 */
#include "cpu/tcache_priv.h"
#include "host/host.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int fuzz_one(const uint8_t *data, size_t len);

enum { PAGE = 4096, MAX = 1 << 17 };

static volatile uint64_t sink;

static void touch(const void *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sink += ((const uint8_t *)p)[i];
}

/* What tcache.c relies on. */
static void check(const struct tc_rec *rec, const struct tc_parts *p)
{
    const uint8_t *end = (const uint8_t *)rec + rec->size;
    size_t sum = 0;

    if (rec->size > TC_MAX_REC || p->guest + rec->guest_len > end || !rec->n_spans)
        abort();
    for (unsigned i = 0; i < rec->n_spans; i++)
        sum += p->spans[i].len;
    for (unsigned i = 0; i < rec->n_links; i++)
        touch(p->code + p->links[i].site, 4), touch(p->code + p->links[i].thunk, 1);
    for (uint32_t i = 0; i < rec->n_faults; i++)
        touch(p->code + p->faults[i].at, 1), touch(p->desc + p->faults[i].desc, 1);
    for (unsigned i = 0; i < rec->n_traps; i++)
        touch(p->code + p->traps[i].at, 1), touch(p->code + p->traps[i].to, 1);
    touch(p->guest, sum);
    touch(p->code, rec->code_len);
    touch(p->desc, rec->desc_len);
}

/* Make what the slot at @slot leads to pass for whole. */
static void mend(uint8_t *map, size_t size, size_t slot)
{
    struct tc_rec *rec;
    uint32_t at;

    memcpy(&at, map + slot, sizeof(at));
    if (!at || (uint64_t)at * 16 + sizeof(*rec) > size)
        return;
    rec = (void *)(map + (size_t)at * 16);
    if (rec->size >= sizeof(*rec) && rec->size <= size - (size_t)at * 16)
        tc_seal(rec);
}

static void look(struct tcache *t, uint64_t pc, uint32_t mode)
{
    const struct tc_rec *rec;
    struct tc_parts p;
    unsigned probe = 0;

    while ((rec = tc_find(t, pc, mode, &probe, &p))) {
        if (rec->pc != pc || rec->mode != mode)
            abort();
        check(rec, &p);
    }
}

static void look_at_all(struct tcache *t, uint8_t *map, size_t size, bool good)
{
    size_t end = TC_HEADER + ((size_t)8 << t->bits);

    for (size_t slot = TC_HEADER; slot < end && slot + 8 <= size; slot += 8) {
        struct tc_rec rec;
        uint32_t at;

        if (good)
            mend(map, size, slot);
        memcpy(&at, map + slot, sizeof(at));
        if (at && (uint64_t)at * 16 + sizeof(rec) <= size) {
            memcpy(&rec, map + (size_t)at * 16, sizeof(rec));
            look(t, rec.pc, rec.mode);
        }
    }
    look(t, 0x400000, 0);
}

/* The file ends where memory does. */
int fuzz_one(const uint8_t *data, size_t len)
{
    static uint8_t *area, buf[TC_MAX_REC];
    struct tcache t = { .buf = buf };
    struct tc_header h;
    uint8_t *map;

    if (!area) {
        area = mmap(NULL, MAX + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (area == MAP_FAILED || mprotect(area + MAX, PAGE, PROT_NONE))
            abort();
    }
    if (len < 1 + sizeof(h) || len - 1 > MAX)
        return 0;
    len = (len - 1) & ~(size_t)15;
    map = memcpy(area + MAX - len, data + 1, len);
    memcpy(&h, map, sizeof(h));
    memcpy(t.key, h.key, sizeof(t.key));
    if (*data & 1) {
        h.check = tc_sum(&h, offsetof(struct tc_header, check));
        memcpy(map, &h, sizeof(h));
    }
    if (tc_attach(&t, map, len))
        look_at_all(&t, map, len, *data & 1);
    return 0;
}
