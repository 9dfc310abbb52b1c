/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Accesses to registers, cut and widened to what the device allows (struct mmio_ops). */
#include "bus/mmio_priv.h"

static uint64_t mask(unsigned size)
{
    return size >= 8 ? UINT64_MAX : (UINT64_C(1) << 8 * size) - 1;
}

static uint64_t swap(const struct mmio_ops *ops, uint64_t v, unsigned size)
{
    return ops->big_endian ? __builtin_bswap64(v) >> (64 - 8 * size) : v;
}

/* How many bytes of @size at @off go in one access: a power of two. */
static unsigned piece_of(const struct mmio_ops *ops, uint64_t off, unsigned size)
{
    unsigned piece = 8;

    while (piece > size || (ops->max && piece > ops->max) || (!ops->unaligned && off % piece))
        piece /= 2;
    return piece;
}

/* An access narrower than the device's narrowest: the aligned one around it. */
static unsigned widen(const struct mmio_ops *ops, uint64_t off, unsigned piece, unsigned *shift)
{
    *shift = 0;
    if (!ops->min || piece >= ops->min)
        return piece;
    *shift = 8 * (unsigned)(off % ops->min);
    return ops->min;
}

uint64_t mmio_read(const struct mem *m, uint64_t off, struct access a)
{
    const struct mmio_ops *ops = m->ops;
    unsigned size = a.size, shift;
    uint64_t value = 0;

    if (!ops || !ops->read)
        return 0;
    for (unsigned done = 0, piece; done < size; done += piece) {
        uint64_t v;

        piece = piece_of(ops, off + done, size - done);
        a.size = (uint8_t)widen(ops, off + done, piece, &shift);
        v = ops->read(m->opaque, off + done - shift / 8, a) & mask(a.size);
        value |= (swap(ops, v, a.size) >> shift & mask(piece)) << 8 * done;
    }
    return value;
}

void mmio_write(const struct mem *m, uint64_t off, uint64_t value, struct access a)
{
    const struct mmio_ops *ops = m->ops;
    unsigned size = a.size, shift;

    if (!ops || !ops->write)
        return;
    for (unsigned done = 0, piece; done < size; done += piece) {
        uint64_t v;

        piece = piece_of(ops, off + done, size - done);
        a.size = (uint8_t)widen(ops, off + done, piece, &shift);
        v = (value >> 8 * done & mask(piece)) << shift;
        ops->write(m->opaque, off + done - shift / 8, swap(ops, v, a.size), a);
    }
}
