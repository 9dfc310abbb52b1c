/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of PCs' DSDT that is about what -device adds.  Sources: ACPI Specification 6.3; Microsoft, Virtual Machine Generation ID;
 * interface description of the panic device (QEMU0001); TCG ACPI Specification 1.2.
 */
#include "board/pc_acpi.h"

#include "dev/devices.h"
#include "dev/misc/vmgenid.h"
#include "dev/tpm/tpm.h"

/* --- Panic port ------------------------------------------------------------------------------ */

static struct dev *on_isa(const struct pc *p, const struct dev_type *t)
{
    for (struct dev *d = p->isa->bus.devs; d; d = d->next_on_bus)
        if (d->type == t)
            return d;
    return NULL;
}

static void add_panic_port(struct bytes *b, uint16_t port)
{
    size_t dev = aml_device(b, "PEVT"), at;

    aml_name_string(b, "_HID", "QEMU0001");
    aml_name_int(b, "_STA", 0xf);
    at = aml_resources(b, "_CRS");
    aml_io(b, port, 1);
    aml_resources_end(b, at);
    aml_region(b, "PEOR", AML_SYSTEM_IO, port, 1);
    at = aml_field(b, "PEOR", 1);
    aml_bits(b, "PEPT", 8);
    aml_close(b, at);
    at = aml_method(b, "RDPT", 0, false);
    aml_op(b, AML_RETURN);
    aml_path(b, "PEPT");
    aml_close(b, at);
    at = aml_method(b, "WRPT", 1, false);
    aml_set_to(b, "PEPT", AML_ARG0);
    aml_close(b, at);
    aml_close(b, dev);
}

/* --- Generation ID --------------------------------------------------------------------------- */

/* ADDR: Package () {VGIA + 40, 0}: the number's address, in two halves. */
static void generation_address(struct bytes *b)
{
    size_t m = aml_method(b, "ADDR", 0, false), pkg;

    aml_op(b, AML_STORE);
    pkg = aml_package(b, 2);
    aml_int(b, 0);
    aml_int(b, 0);
    aml_close(b, pkg);
    aml_op(b, AML_LOCAL0);
    aml_op(b, AML_ADD);
    aml_path(b, "VGIA");
    aml_int(b, VMGENID_AT);
    aml_op(b, AML_INDEX);
    aml_op(b, AML_LOCAL0);
    aml_int(b, 0);
    aml_op(b, 0);
    aml_op(b, AML_RETURN);
    aml_op(b, AML_LOCAL0);
    aml_close(b, m);
}

/* VGIA is the page's address, which firmware puts there; 0: it has not. */
static void add_generation(struct acpi *a)
{
    struct bytes *b = &a->tables;
    size_t at, scope, dev, none;

    aml_name(b, "\\VGIA");
    aml_op(b, 0x0c);
    at = b->len;
    bytes_le(b, 0, 4);
    acpi_file(a, VMGENID_GUID, VMGENID_PAGE);
    acpi_file_pointer(a, at, 4, VMGENID_GUID);
    acpi_tell_address(a, VMGENID_ADDR, VMGENID_GUID);
    scope = aml_scope(b, "\\_SB");
    dev = aml_device(b, "VGEN");
    aml_name_string(b, "_HID", "QEMUVGID");
    aml_name_string(b, "_CID", "VM_Gen_Counter");
    aml_name_string(b, "_DDN", "VM_Gen_Counter");
    at = aml_method(b, "_STA", 0, false);
    none = aml_if(b);
    aml_is(b, "VGIA", 0);
    aml_return(b, 0);
    aml_close(b, none);
    aml_return(b, 0xf);
    aml_close(b, at);
    generation_address(b);
    aml_close(b, dev);
    aml_close(b, scope);
    at = aml_method(b, "\\_GPE._E05", 0, false);
    aml_notify(b, "\\_SB.VGEN", 0x80);
    aml_close(b, at);
}

/* --- TPM ------------------------------------------------------------------------------------- */

/* _STR is not a string but a buffer of 16-bit characters (6.1.10). */
static void describe(struct bytes *b, const char *text)
{
    size_t n = strlen(text) + 1;
    uint8_t wide[64] = {0};

    for (size_t i = 0; i < n && i < sizeof(wide) / 2; i++)
        wide[2 * i] = (uint8_t)text[i];
    aml_name(b, "_STR");
    aml_buffer(b, wide, 2 * n);
}

static void add_tpm(struct bytes *b, const struct dev *d)
{
    bool crb = d->type == &dev_tpm_crb, two = tpm_is_2(tpm_of(d)->tpm);
    size_t dev = aml_device(b, "TPM"), crs;

    if (two)
        aml_name_string(b, "_HID", "MSFT0101");
    else
        aml_name_int(b, "_HID", aml_eisa("PNP0C31"));
    describe(b, two ? "TPM 2.0 Device" : "TPM 1.2 Device");
    aml_name_int(b, "_UID", 1);
    aml_name_int(b, "_STA", 0xf);
    crs = aml_resources(b, "_CRS");
    aml_memory32(b, TPM_BASE, crb ? 0x1000 : 0x5000);
    aml_resources_end(b, crs);
    aml_close(b, dev);
}

void pc_dsdt_devices(struct pc *p, struct acpi *a)
{
    struct bytes *b = &a->tables;
    struct dev *panic = on_isa(p, &dev_pvpanic);
    size_t scope;

    if (panic) {
        scope = aml_scope(b, "\\_SB.PCI0.ISA");
        add_panic_port(b, dev_number(panic, "ioport"));
        aml_close(b, scope);
    }
    if (pc_tpm(p)) {
        scope = aml_scope(b, "\\_SB");
        add_tpm(b, pc_tpm(p));
        aml_close(b, scope);
    }
    if (vmgenid_of(p->m))
        add_generation(a);
}
