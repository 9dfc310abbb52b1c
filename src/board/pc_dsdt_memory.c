/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of PCs' DSDT by which memory comes and goes: a device for each slot.
 * Sources: ACPI Specification 6.3 (9.11 memory devices, 6.3 insertion and removal, 6.4.3.5.1 QWord address space descriptor);
 * interface of the registers, dev/acpi/memory_hotplug.h.
 */
#include "board/pc_acpi.h"

#include "dev/acpi/memory_hotplug.h"

#include <stdio.h>

enum { CHECK = 1, EJECT = 3 };          /* of Notify */
enum { AT_MIN = 14, AT_MAX = 22, AT_LEN = 38 }; /* in the descriptor */

static void registers(struct bytes *b)
{
    static const char *const wide[] = {"MRBL", "MRBH", "MRLL", "MRLH", "MPX"};
    size_t f;

    aml_region(b, "HPMR", AML_SYSTEM_IO, PC_MEM_PLUG, MEMORY_HOTPLUG_LEN);
    f = aml_field_zeros(b, "HPMR", 4);
    for (unsigned i = 0; i < 5; i++)
        aml_bits(b, wide[i], 32);
    aml_close(b, f);
    f = aml_field_zeros(b, "HPMR", 1);
    aml_bits(b, NULL, 8 * MEMORY_CONTROL);
    aml_bits(b, "MES", 1);
    aml_bits(b, "MINS", 1);
    aml_bits(b, "MRMV", 1);
    aml_bits(b, "MEJ", 1);
    aml_close(b, f);
    f = aml_field_zeros(b, "HPMR", 4); /* and as they are written */
    aml_bits(b, "MSEL", 32);
    aml_bits(b, "MOEV", 32);
    aml_bits(b, "MOSC", 32);
    aml_close(b, f);
    aml_mutex(b, "MLCK");
}

static void begin(struct bytes *b)
{
    aml_acquire(b, "MLCK");
    aml_set_to(b, "MSEL", AML_ARG0);
}

static void store(struct bytes *b, const char *from, const char *to)
{
    aml_op(b, AML_STORE);
    aml_path(b, from);
    aml_path(b, to);
}

/* MRST (slot): _STA.  MPXM (slot): _PXM.  MEJM (slot): it may go.  MOST (slot, event, status): what became of an event. */
static void methods(struct bytes *b)
{
    size_t m = aml_method(b, "MRST", 1, true), yes;

    begin(b);
    aml_op(b, AML_STORE);
    aml_int(b, 0);
    aml_op(b, AML_LOCAL0);
    yes = aml_if(b);
    aml_is(b, "MES", 1);
    aml_op(b, AML_STORE);
    aml_int(b, 0xf);
    aml_op(b, AML_LOCAL0);
    aml_close(b, yes);
    aml_release(b, "MLCK");
    aml_op(b, AML_RETURN);
    aml_op(b, AML_LOCAL0);
    aml_close(b, m);
    m = aml_method(b, "MPXM", 1, true);
    begin(b);
    aml_op(b, AML_STORE);
    aml_path(b, "MPX");
    aml_op(b, AML_LOCAL0);
    aml_release(b, "MLCK");
    aml_op(b, AML_RETURN);
    aml_op(b, AML_LOCAL0);
    aml_close(b, m);
    m = aml_method(b, "MEJM", 1, true);
    begin(b);
    aml_set(b, "MEJ", 1);
    aml_release(b, "MLCK");
    aml_close(b, m);
    m = aml_method(b, "MOST", 3, true);
    begin(b);
    aml_set_to(b, "MOEV", AML_ARG0 + 1);
    aml_set_to(b, "MOSC", AML_ARG0 + 2);
    aml_release(b, "MLCK");
    aml_close(b, m);
}

static void part(struct bytes *b, unsigned at, const char *name)
{
    aml_op(b, AML_CREATE_DWORD);
    aml_path(b, "MR64");
    aml_int(b, at);
    aml_path(b, name);
}

/* @to = @a + @c, of 32 bits. */
static void add(struct bytes *b, const char *a, const char *c, const char *to)
{
    aml_op(b, AML_ADD);
    aml_path(b, a);
    aml_path(b, c);
    aml_path(b, to);
}

/* Last = first + length - 1; integers have 32 bits in this table.  No module is empty, and lengths are below 4 GiB or multiples of 2 MiB. */
static void last_address(struct bytes *b)
{
    size_t yes;

    add(b, "MINL", "LENL", "MAXL");
    add(b, "MINH", "LENH", "MAXH");
    yes = aml_if(b);
    aml_op(b, AML_LLESS);
    aml_path(b, "MAXL");
    aml_path(b, "MINL");
    aml_op(b, AML_INCREMENT);
    aml_path(b, "MAXH");
    aml_close(b, yes);
    yes = aml_if(b);
    aml_is(b, "MAXL", 0);
    aml_op(b, AML_ADD);
    aml_path(b, "MAXH");
    aml_op(b, AML_ONES);
    aml_path(b, "MAXH");
    aml_close(b, yes);
    aml_op(b, AML_ADD);
    aml_path(b, "MAXL");
    aml_op(b, AML_ONES);
    aml_path(b, "MAXL");
}

/* MCRS (slot): _CRS. */
static void resources(struct bytes *b)
{
    size_t m = aml_method(b, "MCRS", 1, true), r;

    begin(b);
    r = aml_resources(b, "MR64");
    aml_window(b, AML_MEMORY, 8, 0, 0xfffffffe, 0);
    aml_resources_end(b, r);
    part(b, AT_MIN, "MINL");
    part(b, AT_MIN + 4, "MINH");
    part(b, AT_MAX, "MAXL");
    part(b, AT_MAX + 4, "MAXH");
    part(b, AT_LEN, "LENL");
    part(b, AT_LEN + 4, "LENH");
    store(b, "MRBL", "MINL");
    store(b, "MRBH", "MINH");
    store(b, "MRLL", "LENL");
    store(b, "MRLH", "LENH");
    last_address(b);
    aml_release(b, "MLCK");
    aml_op(b, AML_RETURN);
    aml_path(b, "MR64");
    aml_close(b, m);
}

/* --- Slots ---------------------------------------------------------------------------------- */

static void slot_name(char name[5], unsigned i)
{
    snprintf(name, 5, "MP%02X", i & 0xff);
}

/* Method (@name, ...) { Return (@to (slot, arguments)) } */
static void pass_on(struct bytes *b, const char *name, unsigned args, bool value, const char *to, unsigned slot)
{
    size_t m = aml_method(b, name, args, value);

    if (value)
        aml_op(b, AML_RETURN);
    aml_path(b, to);
    aml_int(b, slot);
    for (unsigned i = 0; args == 3 && i < 2; i++)
        aml_op(b, AML_ARG0 + i);
    aml_close(b, m);
}

static void slot(struct bytes *b, unsigned i)
{
    char name[5];
    size_t dev;

    slot_name(name, i);
    dev = aml_device(b, name);
    aml_name_int(b, "_HID", aml_eisa("PNP0C80"));
    aml_name_int(b, "_UID", i);
    pass_on(b, "_STA", 0, true, "MRST", i);
    pass_on(b, "_CRS", 0, true, "MCRS", i);
    pass_on(b, "_PXM", 0, true, "MPXM", i);
    pass_on(b, "_EJ0", 1, false, "MEJM", i);
    pass_on(b, "_OST", 3, false, "MOST", i);
    aml_close(b, dev);
}

/* The event @flag of the slot that is selected (Local0): tell the system, take note. */
static void event(struct bytes *b, const char *flag, unsigned notice)
{
    size_t yes = aml_if(b);

    aml_is(b, flag, 1);
    aml_path(b, "MTFY");
    aml_op(b, AML_LOCAL0);
    aml_int(b, notice);
    aml_set(b, flag, 1);
    aml_close(b, yes);
}

/* MTFY (slot, notice).  MSCN: which slots have news? */
static void scan(struct bytes *b, unsigned slots)
{
    size_t m = aml_method(b, "MTFY", 2, false), yes;
    char name[5];

    for (unsigned i = 0; i < slots; i++) {
        slot_name(name, i);
        yes = aml_if(b);
        aml_op(b, AML_LEQUAL);
        aml_op(b, AML_ARG0);
        aml_int(b, i);
        aml_op(b, AML_NOTIFY);
        aml_path(b, name);
        aml_op(b, AML_ARG0 + 1);
        aml_close(b, yes);
    }
    aml_close(b, m);
    m = aml_method(b, "MSCN", 0, true);
    aml_acquire(b, "MLCK");
    aml_op(b, AML_STORE);
    aml_int(b, 0);
    aml_op(b, AML_LOCAL0);
    yes = aml_while(b);
    aml_op(b, AML_LLESS);
    aml_op(b, AML_LOCAL0);
    aml_int(b, slots);
    aml_set_to(b, "MSEL", AML_LOCAL0);
    event(b, "MINS", CHECK);
    event(b, "MRMV", EJECT);
    aml_op(b, AML_INCREMENT);
    aml_op(b, AML_LOCAL0);
    aml_close(b, yes);
    aml_release(b, "MLCK");
    aml_close(b, m);
}

void pc_dsdt_memory(struct pc *p, struct bytes *b)
{
    size_t box = aml_device(b, "MHPC");

    aml_name_int(b, "_HID", aml_eisa("PNP0A06"));
    aml_name_string(b, "_UID", "Memory hotplug resources");
    registers(b);
    methods(b);
    resources(b);
    for (unsigned i = 0; i < p->c->ram_slots; i++)
        slot(b, i);
    scan(b, p->c->ram_slots);
    aml_close(b, box);
}
