#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Starting: large libraries are loaded only by who needs them (block/lazy.h), which halves the time of `info`.
. "$(dirname "$0")/../lib.sh"
need readelf

readelf -d "$EMU_BIN/emu-storage" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | grep -E 'gnutls|nbd|curl|ssh|uring' >"$work/.got"
: >"$work/.want"
: >"$work/.err"
verdict 'few libraries are linked'
