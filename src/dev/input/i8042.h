/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Outputs of "i8042", the keyboard controller of a PC with its keyboard and mouse, and of "port92"; both on an ISA bus.
 * dev->irq[I8042_KBD] is interrupt 1, [I8042_MOUSE] 12, which the board connects; A20 of both devices (ORed: irq_or) is what CPUs see of
 * that address line.  Either resets the machine by machine_ask().
 */
#ifndef DEV_INPUT_I8042_H
#define DEV_INPUT_I8042_H

enum { I8042_KBD, I8042_MOUSE, I8042_A20 };
enum { PORT92_A20 };

#endif
