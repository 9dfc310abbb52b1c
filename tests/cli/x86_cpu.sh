#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# -cpu of PCs: models, and what is said of features that we lack.
. "$(dirname "$0")/../lib.sh"
qemu=$(dirname "$EMU")/qemu-system-x86_64
[ -e /usr/share/seabios/bios-256k.bin ] || { skip "-cpu of PCs" "no SeaBIOS"; exit 0; }

# said NAME WANT ARGS...: what goes to standard error.
said() {
    local name=$1
    printf '%s' "$2" >"$work/.want"
    shift 2
    echo quit | timeout 20 "$qemu" -S -display none -nodefaults -monitor stdio "$@" 2>"$work/.got" >/dev/null
    verdict "$name"
}

said "a model's feature that we lack is warned of" "qemu-system-x86_64: warning: TCG doesn't support requested feature: CPUID.07H:EBX.hle [bit 4]
qemu-system-x86_64: warning: TCG doesn't support requested feature: CPUID.07H:EBX.rtm [bit 11]
" -cpu Haswell
said "the version without them is quiet" "" -cpu Haswell-v2
said "taken away, they are not missed" "" -cpu Haswell,-hle,rtm=off
said "the nearest model is named" "qemu-system-x86_64: unable to find CPU model 'Haswel'; did you mean 'Haswell'?
" -cpu Haswel
said "enforce refuses" "qemu-system-x86_64: the emulator does not support requested feature: CPUID.07H:EBX.hle [bit 4]
" -cpu Haswell,enforce
