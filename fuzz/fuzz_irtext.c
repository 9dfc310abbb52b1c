/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arbitrary text through the IR parser; what it accepts and the verifier, too, prints the same
 * again after parsing, and survives the passes. */
#include "tests/ir/rig.h"

int fuzz_one(const uint8_t *data, size_t len);

int fuzz_one(const uint8_t *data, size_t len)
{
    struct ir *ir = rig_new();
    struct err e = {0};
    char *text = malloc(len + 1), *once, *twice;

    memcpy(text, data, len);
    text[len] = 0;
    if (ir_parse(ir, text, &e) == 0 && ir_verify(ir, &e) == 0) {
        once = rig_text(ir);
        if (ir_parse(ir, once, &e) < 0 || ir_verify(ir, &e) < 0)
            bug("what is printed cannot be parsed: %s\n%s", e.msg, once);
        twice = rig_text(ir);
        if (strcmp(once, twice) != 0)
            bug("printed, parsed and printed is different:\n%s%s", once, twice);
        free(once);
        free(twice);
        ir_optimise(ir, 1, 0);
        if (ir_verify(ir, &e) < 0)
            bug("after the passes: %s", e.msg);
    }
    free(text);
    ir_free(ir);
    return 0;
}
