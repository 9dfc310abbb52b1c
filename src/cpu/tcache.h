/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The on-disk translation cache: regions of one guest program, kept in one file of a per-user folder
 * and read again by the next process that runs the program.
 *
 * A kept region is bound to the guest addresses it was translated for, so a file also remembers the
 * place where the program's first process was put, and later ones are put there, too.
 *
 * What a region is used for is checked when it is first reached: the guest code it was made from is
 * compared byte by byte with what is mapped now.  Everything else that a translation depends on (this
 * very build of ours, the host's features, options) is part of the file's name and header.
 *
 * Nothing here reports errors: a cache that cannot be read or written is one that is not there.
 */
#ifndef CPU_TCACHE_H
#define CPU_TCACHE_H

#include "cpu/cpu.h"

struct tcache;

/** tcache_mix - add @len bytes to the 128-bit hash @h, which begins as anything. */
void tcache_mix(uint64_t h[2], const void *data, size_t len);

/**
 * tcache_open - the cache for a program: @id names its file's content and all options that change
 * translations; @host_off: enum host_off.  The file is looked for in @dir, which must be ours, and
 * writable by nobody else.  Never fails for want of a file or folder: then there is nothing to read,
 * and tcache_save makes them.  NULL: there can be no cache at all.
 */
struct tcache *tcache_open(const char *dir, const uint64_t id[2], unsigned host_off);
void tcache_close(struct tcache *t);

/** tcache_place - two addresses that the program's first process remembered; false: nothing yet. */
bool tcache_place(const struct tcache *t, uint64_t place[2]);
/** tcache_set_place - what later processes are to be told; without it, nothing is kept. */
void tcache_set_place(struct tcache *t, const uint64_t place[2]);

/** tcache_stop - this process neither reads nor writes it from now on (its rights have changed, or
 * its files are others).  Async-signal-safe, any thread. */
void tcache_stop(struct tcache *t);

/**
 * engine_set_tcache - @e reads @t and keeps its regions there.  @keep, with the fetch's opaque value,
 * says whether the code in [start, end) is worth it: a file's, and not written to.
 */
void engine_set_tcache(struct engine *e, struct tcache *t,
                       bool (*keep)(void *opaque, uint64_t start, uint64_t end));
/** engine_tcache_counts - regions that came from the cache, and that were translated. */
void engine_tcache_counts(struct engine *e, uint32_t *read, uint32_t *translated);
/**
 * engine_save - keep what was translated since the last time, when it is worth a few system calls; waits
 * for nobody.  Called where a process ends or becomes another program: on its only thread, or when no
 * other shares its descriptors.
 */
void engine_save(struct engine *e);

#endif
