#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# qemu-io: the same command lines give the same text and status as Debian's, but for times.
. "$(dirname "$0")/../lib.sh"
need qemu-io qemu-img
cd "$work" || exit 1

# As they differ on purpose: times; "discard 1" is counted before its options are read.
normal() { sed -E 's/[0-9.]+ sec \(.*/TIME/; s/[0-9]+:[0-9:.]+,[0-9.,]+/TIME/; s/parse error, .*/parse error/'; }

# check NAME ARGUMENT...: on fresh files; standard input is closed.
check() {
    local name=$1 side
    shift
    for side in want got; do
        rm -f a.raw
        truncate -s 1M a.raw
        printf abc >pattern
        if [ $side = want ]; then q=$(command -v qemu-io); else q=$EMU_BIN/qemu-io; fi
        { timeout 20 "$q" "$@" </dev/null 2>stderr; echo "status $?"; cat stderr; } | normal >"$work/.$side"
    done
    : >"$work/.err"
    verdict "$name"
}

check 'reading wants two numbers' -f raw -c read -c 'read 0' -c 'read x 512' -c 'read 0 -5' -c 'read 0 4G' a.raw
check 'patterns are bytes' -f raw -c 'read -P zz 0 512' -c 'read -P 300 0 512' -c 'read -P 1 0 512' a.raw
check 'a part can be verified' -f raw -c 'read -P 0 -s 10 -l 20 0 512' -c 'read -P 0 -s 600 0 512' -c 'read -p 0 512' a.raw
check 'bytes are shown' -f raw -c 'writev -P 7 0 1k 2k' -c 'readv -v 0 16 16' -c 'write -s pattern 0 7' -c 'read -v 0 20' a.raw
check 'options that exclude each other' -f raw -c 'write -z -P 5 100 10' -c 'write -u 0 512' -c 'write -n 0 512' -c 'write -zn 0 512' a.raw
check 'raw images have no compression' -f raw -c 'write -c 0 512' a.raw
check 'unknown options' -f raw -c 'write -i 0 512' -c 'nosuch' a.raw
check 'the end of the disk' -f raw -c 'read 1M 512' -c 'write 1M 512' -c 'aio_read 5M 512' -c aio_flush a.raw
check 'background requests' -f raw -c 'aio_write 0 1k 2k' -c aio_flush -c 'aio_read -q -P 1 0 512' -c aio_flush -c 'aio_write -z 0 1k 2k' a.raw
check 'size and allocation' -f raw -c 'truncate 2M' -c length -c 'discard 0 64k' -c 'alloc 0' -c 'alloc 0 1k' -c map a.raw
check 'preallocation modes' -f raw -c 'truncate -m falloc 3M' -c 'truncate -m xx 1M' -c length a.raw
check 'argument counts' -f raw -c truncate -c 'length 3' -c alloc -c 'alloc 0 1 2' a.raw
check 'opening and closing' -c 'open -o driver=raw a.raw' -c length -c close -c length
check 'opening twice' -f raw -c 'open b' a.raw
check 'quit ends' -c 'read -q 0 512' -c quit -c 'read 0 512' -f raw a.raw
check 'reopening read-only' -f raw -c 'reopen -r' -c 'write 0 512' a.raw
check 'read-only' -r -f raw -c 'write 0 512' -c 'discard 0 512' -c 'truncate 0' -c 'aio_write 0 512' -c aio_flush a.raw
check 'info, breakpoints' -f raw -c info -c 'break a b' -c 'resume b' -c 'help foo' a.raw
check 'a missing file' nofile
check 'an unknown format' -f nosuch a.raw
check 'wrong modes' -t xx a.raw
check 'wrong aio' -i xx a.raw
check 'options instead of a name' --image-opts -c length driver=raw,file.filename=a.raw
check 'an unknown option of the image' --image-opts -c length driver=raw,file.filename=a.raw,foo=1
check 'JSON names' -c length 'json:{"driver":"raw","file":{"driver":"file","filename":"a.raw"}}'
check 'broken JSON' -c length 'json:{"driver":"raw"'
check 'null-co' -c length null-co://
check 'null-co with options' -c length -c 'read -P 0 0 1k' 'json:{"driver":"null-co","read-zeroes":true,"size":"2M"}'
check 'an unknown protocol' -c length nosuch:foo
check 'the file protocol' -c length file:a.raw
check 'empty requests' -f raw -c 'write 0 0' -c 'read 0 0' -c 'write -q 0 1' a.raw

truncate -s 1M a.raw
printf 'read 0 512\nlength\nq\n' | "$EMU_BIN/qemu-io" -f raw a.raw | normal >.got
printf 'read 0 512\nlength\nq\n' | qemu-io -f raw a.raw | normal >.want
verdict 'commands come from standard input'
