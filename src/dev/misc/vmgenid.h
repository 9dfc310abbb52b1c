/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "vmgenid": a number of 128 bits that differs when the guest runs on as another one than it was (a snapshot, a copy).
 * Firmware allocates the page of file VMGENID_GUID and says where in VMGENID_ADDR; the board's tables tell both (QEMUVGID, GPE 5).
 * Sources: Microsoft, Virtual Machine Generation ID (1 August 2012); virtual machine generation ID device description.
 */
#ifndef DEV_MISC_VMGENID_H
#define DEV_MISC_VMGENID_H

#include "bus/dev.h"

#define VMGENID_GUID "etc/vmgenid_guid"
#define VMGENID_ADDR "etc/vmgenid_addr"
enum { VMGENID_PAGE = 4096, VMGENID_AT = 40 /* where the number is in the page */ };

/** vmgenid_of - the machine's device; NULL: it has none. */
struct dev *vmgenid_of(struct machine *m);
/** vmgenid_text - its number, as the user writes it. */
void vmgenid_text(struct dev *d, char text[static 37]);

#endif
