#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# One fuzz target on its stored corpus and on random changes of it, for a few seconds.
# The changes are the same each time, unless FUZZ_SEED says otherwise: make fuzz looks for new ones.
# usage: fuzz/check.sh PROGRAM NAME
program=$1 name=$2 corpus=$(dirname "$0")/corpus/$2
if [ ! -d "$corpus" ]; then
    echo "no corpus in $corpus"
    echo "skip fuzz, $name"
elif timeout -k 5 60 "$program" "$corpus" "${FUZZ_SECONDS:-5}" "${FUZZ_SEED:-1}"; then
    echo "pass fuzz, $name"
else
    echo "fail fuzz, $name"
fi
