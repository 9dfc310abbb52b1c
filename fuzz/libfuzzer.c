/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Joins a fuzz target with LLVM's libFuzzer (make fuzz). */
#include <stddef.h>
#include <stdint.h>

int fuzz_one(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    return fuzz_one(data, len);
}
