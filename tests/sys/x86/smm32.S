/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System management mode of a CPU without long mode, whose state is saved in the 32-bit form.
 *
 * cpu: qemu32,+nx
 * reference: qemu-system-i386
 */
#define FORM32
#include "smm.S"
