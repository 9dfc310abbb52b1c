#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Two compilers read every C file of ours with warnings as errors; nothing is written.
# usage: tools/check-warnings.sh FLAGS
cd "$(dirname "$0")/.." || exit 1
# Guest programs have a compiler of their own (tests/insn/aarch64/, tests/programs/, bench/).
sources=$(find src tests/unit tests/ir tests/insn/*.c fuzz -name '*.c')

for cc in gcc clang; do
    if ! command -v $cc >/dev/null; then
        echo "needs $cc"
        echo "skip warnings, $cc has none"
        continue
    fi
    # shellcheck disable=SC2086  # flags are words
    if echo "$sources" | xargs -P"$(nproc)" -n6 $cc ${1/-MMD -MP/} -Werror -fsyntax-only 2>&1; then
        echo "pass warnings, $cc has none"
    else
        echo "fail warnings, $cc has none"
    fi
done
