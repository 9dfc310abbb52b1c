/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware configuration device: numbered items and named files that the machine shows to firmware and kernels.
 * Source: Linux, Documentation/devicetree/bindings/firmware/qemu,fw-cfg-mmio.yaml, Documentation/ABI/testing/sysfs-firmware-qemu_fw_cfg,
 * include/uapi/linux/qemu_fw_cfg.h; edk2's library of the same name.
 *
 * Numbers in items are little endian.  Under the machine's lock.
 */
#ifndef DEV_FIRMWARE_FW_CFG_H
#define DEV_FIRMWARE_FW_CFG_H

#include "bus/dev.h"

/* Keys of items.  Files have 0x20 and on; 0x8000 and on: an architecture's own. */
enum fw_cfg_key {
    FW_CFG_SIGNATURE = 0x00,
    FW_CFG_ID = 0x01,
    FW_CFG_UUID = 0x02,
    FW_CFG_RAM_SIZE = 0x03,
    FW_CFG_NOGRAPHIC = 0x04,
    FW_CFG_NB_CPUS = 0x05,
    FW_CFG_MACHINE_ID = 0x06,
    FW_CFG_KERNEL_ADDR = 0x07,
    FW_CFG_KERNEL_SIZE = 0x08,
    FW_CFG_INITRD_ADDR = 0x0a,
    FW_CFG_INITRD_SIZE = 0x0b,
    FW_CFG_BOOT_DEVICE = 0x0c,
    FW_CFG_NUMA = 0x0d,
    FW_CFG_BOOT_MENU = 0x0e,
    FW_CFG_MAX_CPUS = 0x0f,
    FW_CFG_KERNEL_ENTRY = 0x10,
    FW_CFG_KERNEL_DATA = 0x11,
    FW_CFG_INITRD_DATA = 0x12,
    FW_CFG_CMDLINE_ADDR = 0x13,
    FW_CFG_CMDLINE_SIZE = 0x14,
    FW_CFG_CMDLINE_DATA = 0x15,
    FW_CFG_SETUP_ADDR = 0x16,
    FW_CFG_SETUP_SIZE = 0x17,
    FW_CFG_SETUP_DATA = 0x18,
    FW_CFG_FILE_DIR = 0x19,
    FW_CFG_FILE_FIRST = 0x20,
    FW_CFG_ARCH_LOCAL = 0x8000,
};

enum { FW_CFG_NAME_LEN = 56 /* the final NUL included */ };

/** fw_cfg_find - the machine's; NULL: it has none. */
struct dev *fw_cfg_find(struct machine *m);
/** fw_cfg_set - item @key is a copy of @len bytes; one that is there already is replaced. */
void fw_cfg_set(struct dev *d, unsigned key, const void *data, uint32_t len);
void fw_cfg_set_u16(struct dev *d, unsigned key, uint16_t v);
void fw_cfg_set_u32(struct dev *d, unsigned key, uint32_t v);
void fw_cfg_set_u64(struct dev *d, unsigned key, uint64_t v);
/** fw_cfg_set_string - with its final NUL. */
void fw_cfg_set_string(struct dev *d, unsigned key, const char *s);

/**
 * fw_cfg_set_file - file @name is a copy of @len bytes; one that is there already is replaced, keeping its key.
 * 0; -ENAMETOOLONG, -ENOSPC (property x-file-slots) with a message.
 */
int fw_cfg_set_file(struct dev *d, const char *name, const void *data, uint32_t len, struct err *e);
/**
 * fw_cfg_add_writable - a file that the guest may write: @written(opaque) is called after each change.
 * Returns its bytes through *@bytes: they stay where they are while the device lives, and may be changed.
 */
int fw_cfg_add_writable(struct dev *d, const char *name, const void *data, uint32_t len,
                        void (*written)(void *opaque), void *opaque, uint8_t **bytes,
                        struct err *e);
/** fw_cfg_on_select - @fn(opaque) each time before file @name, which is there, is read from its start: it may set it anew, as long as
 * it was. */
void fw_cfg_on_select(struct dev *d, const char *name, void (*fn)(void *opaque), void *opaque);
/** fw_cfg_file - the bytes of file @name; NULL: there is none. */
const uint8_t *fw_cfg_file(struct dev *d, const char *name, uint32_t *len);

#endif
