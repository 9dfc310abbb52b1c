/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that go into guest memory: kernels, ramdisks, firmware; and their way there, at each reset anew.
 * Files are foreign: sizes are checked, and what is compressed is bounded.
 */
#ifndef DEV_FIRMWARE_IMAGE_H
#define DEV_FIRMWARE_IMAGE_H

#include "base/err.h"
#include "bus/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct machine;

enum { IMAGE_MAX = 1 << 30 /* bytes, also when unpacked */ };

/** struct image - the bytes of a file.  Zero: none. */
struct image {
    uint8_t *data;
    size_t len;
    size_t mapped; /* of the file, when data was mapped; 0: malloc */
};

/** image_open - a regular file's bytes; "could not load NAME: ..." */
int image_open(struct image *img, const char *name, struct err *e);
void image_free(struct image *img);
/**
 * image_unpack - what is compressed as a whole (gzip, zstd) becomes what it was; the rest stays.
 * -EILSEQ when it is cut or damaged, -EFBIG when it has more than IMAGE_MAX bytes; @img is as before then.
 */
int image_unpack(struct image *img, struct err *e);
/** image_unzboot - an EFI zboot kernel (Linux, drivers/firmware/efi/libstub/zboot-header.S) becomes the kernel inside. */
int image_unzboot(struct image *img, struct err *e);

/**
 * image_place - from now on a reset writes @len bytes at @addr (ROM too); @data is taken over with @img (zeroed).
 * @name: for messages.  -EINVAL "NAME: ... is not memory" when there is none now.
 */
int image_place(struct machine *m, const char *name, paddr addr, struct image *img, struct err *e);

/** image_each_placed - what image_place() has, in order; @fn false: stop.  Under the machine's lock. */
void image_each_placed(struct machine *m, bool (*fn)(void *opaque, const char *name, paddr addr, size_t len, bool rom),
                       void *opaque);

/** struct elf_image - what an ELF executable says of itself. */
struct elf_image {
    uint64_t entry; /* as it is in the file */
    uint64_t physical_entry, low, high; /* [low, high) is what it covers */
    bool is64;
    uint16_t arch;
};
/** image_is_elf - does it begin as one? */
bool image_is_elf(const struct image *img);
/**
 * image_place_elf - check @img (ELF, little endian, for machine number @arch) and image_place() its PT_LOAD segments at their
 * physical addresses; @img is freed by this function, also on failure.
 */
int image_place_elf(struct machine *m, const char *name, unsigned arch, struct image *img,
                    struct elf_image *elf, struct err *e);

/**
 * image_flatten_elf - what ELF file @img puts at [elf->low, elf->high), as one piece: @flat, the caller's to free.
 * -EILSEQ, -EINVAL, -EFBIG (more than IMAGE_MAX bytes) "NAME: ...".
 */
int image_flatten_elf(const char *name, const struct image *img, struct image *flat, struct elf_image *elf, struct err *e);
/** image_elf_note - has @img a note of @owner and @type that is one number, of 4 or 8 bytes?  Then that is *@value. */
bool image_elf_note(const struct image *img, const char *owner, uint32_t type, uint64_t *value);

/* Who runs CPUs offers this as the back end "cpus" of kind "boot": `-device loader,cpu-num=` wants one to start elsewhere. */
struct boot_cpus {
    unsigned n;
    void (*start_at)(void *opaque, unsigned cpu, uint64_t pc);
    void *opaque;
};

#endif
