#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Filters: throttle, blkdebug, copy-on-read, blklogwrites; beside Debian's qemu-io where time is not the point.
. "$(dirname "$0")/../lib.sh"
need qemu-io qemu-img
cd "$work" || exit 1

normal() { sed -E "s/doesn't/does not/; s/[0-9.]+ sec \(.*/TIME/; /^(qemu-io: )?can't open/s/: .*//"; }
# check NAME ARGUMENT...: qemu-io does the same to fresh files and says the same.
check() {
    local name=$1 side q
    shift
    for side in want got; do
        rm -f a.raw b.qcow2 log
        truncate -s 4M a.raw
        qemu-io -f raw -c 'write -q -P 7 0 4M' a.raw
        qemu-img create -q -f qcow2 -b a.raw -F raw b.qcow2
        truncate -s 1M log
        [ ! -f e.orig ] || cp e.orig e.qcow2
        if [ $side = want ]; then q=$(command -v qemu-io); else q=$EMU_BIN/qemu-io; fi
        { timeout 20 "$q" "$@" </dev/null 2>&1; echo "status $?"; } | normal >".$side"
        if [ -n "${any_order:-}" ]; then sort -o ".$side" ".$side"; fi
        if [ -n "${after:-}" ]; then eval "$after" >>".$side" 2>&1; fi
    done
    : >.err
    verdict "$name"
}
debug='driver=raw,file.driver=blkdebug,file.image.driver=file,file.image.filename=a.raw'
d() { check "blkdebug, $1" --image-opts "$debug,$2" "${@:3}"; }
d 'nothing' file.align=1 -c 'read -P 7 0 4k'
d 'reads fail' file.inject-error.0.event=read_aio -c 'read 0 512' -c 'write 0 512' -c 'read 0 512'
d 'one read fails' file.inject-error.0.event=read_aio,file.inject-error.0.once=on -c 'read 0 512' -c 'read 0 512'
d 'one write fails' file.inject-error.0.event=write_aio,file.inject-error.0.once=on,file.inject-error.0.errno=28 -c 'write 0 512' -c 'write 0 512'
d 'a bad sector' file.inject-error.0.event=none,file.inject-error.0.sector=8 -c 'read 0 4k' -c 'read 4k 4k' -c 'read 8k 4k' -c 'read 3k 2k'
d 'discards fail' file.inject-error.0.event=none,file.inject-error.0.iotype=discard -c 'discard 0 64k' -c 'read 0 512'
d 'alignment' file.align=4096 -c 'read -P 7 1 17' -c 'write -P 9 100 3' -c 'read -P 9 100 3' -c 'read -P 7 103 8000'
d 'an unknown event' file.inject-error.0.event=nosuch -c 'read 0 512'
d 'an unknown option' file.nosuch=1 -c 'read 0 512'
# The reference says nothing of a failed flush, and its status is 0.
"$EMU_BIN/qemu-io" --image-opts "$debug,file.inject-error.0.event=flush_to_disk" -c 'write -q 0 512' -c flush >.got 2>&1
if [ $? = 1 ] && grep -q 'flush failed: Input/output error' .got; then pass 'blkdebug, flushes fail'; else cat .got; fail 'blkdebug, flushes fail'; fi
cat >rules <<'R'
[inject-error]
event = "read_aio"
state = "2"
errno = "5"
[set-state]
event = "write_aio"
state = "1"
new_state = "2"
R
check 'blkdebug, a file of rules' -f raw -c 'read 0 512' -c 'write 0 512' -c 'read 0 512' blkdebug:rules:a.raw
check 'blkdebug, no rules' -f raw -c 'read -P 7 0 512' blkdebug::a.raw
check 'blkdebug, no image' -f raw -c 'read 0 512' blkdebug:rules
check 'blkdebug, a missing file' -f raw -c 'read 0 512' blkdebug:nosuch:a.raw

b() { check "blkdebug, $1" --image-opts "$debug" "${@:2}"; }
b 'a request stops at a breakpoint, the next does not' -c 'break write_aio A' -c 'aio_write 0 512' -c 'wait_break A' \
    -c 'write 512 512' -c 'resume A' -c aio_flush
b 'two breakpoints of one event' -c 'break write_aio A' -c 'break write_aio B' -c 'aio_write 0 512' -c 'wait_break A' \
    -c 'resume A' -c 'sleep 20' -c 'resume B' -c aio_flush
b 'a breakpoint is removed' -c 'break write_aio A' -c 'remove_break A' -c 'write 0 512'
# The request goes on before the complaint is printed, or meanwhile.
any_order=1 b 'one with a request that stands at it' -c 'break read_aio A' -c 'aio_read 0 512' -c 'wait_break A' -c 'remove_break A' -c aio_flush
b 'breakpoints that are none' -c 'resume A' -c 'remove_break A' -c 'break nosuch A' -c 'break none A'

# Events of qcow2, which arm a rule for the request that follows.
q() { # NAME EVENT IOTYPE COMMAND...
    qemu-img create -q -f qcow2 e.qcow2 1M; qemu-io -f qcow2 -c 'write -q -P 5 0 64k' -c 'write -q -c -P 6 64k 64k' e.qcow2
    cp e.qcow2 e.orig
    debug="driver=qcow2,file.driver=blkdebug,file.image.driver=file,file.image.filename=e.qcow2"
    check "blkdebug, $1" --image-opts "$debug,file.inject-error.0.event=$2,file.inject-error.0.iotype=$3,file.inject-error.0.once=on" "${@:4}"
}
q 'l2_load' l2_load read -c 'read -P 5 0 4k' -c 'read -P 5 0 4k'
q 'cluster_alloc' cluster_alloc write -c 'write 256k 64k' -c 'write 256k 64k' -c 'read -P 205 256k 64k'
q 'read_compressed' read_compressed read -c 'read -P 6 64k 4k' -c 'read -P 6 64k 4k'
q 'write_compressed' write_compressed write -c 'write -c -P 6 512k 64k'
q 'cow_write' cow_write write -c 'write -P 3 68k 4k' -c 'read -P 6 68k 4k'
q 'an event that does not come' l1_grow_alloc_table write -c 'write -P 3 300k 4k' -c 'read -P 3 300k 4k'
qemu-img create -q -f qcow2 -b e.orig -F qcow2 f.qcow2
check 'blkdebug, read_backing_aio' --image-opts -c 'break read_backing_aio A' -c 'aio_read -P 5 0 4k' -c 'wait_break A' \
    -c 'resume A' -c aio_flush driver=qcow2,file.driver=blkdebug,file.image.driver=file,file.image.filename=f.qcow2

# The name of an image below blkdebug, and the files it names: they lie beside it, not beside the filter.
mkdir -p d
qemu-img create -q -f qcow2 d/base 1M
(cd d && qemu-img create -q -f qcow2 -b base -F qcow2 top && qemu-img create -q -f qcow2 -o data_file=raw df 1M
    qemu-img create -q -f vmdk -o subformat=twoGbMaxExtentSparse v.vmdk 1M)
info() { # NAME ARGUMENT...
    local name=$1
    shift
    { timeout 20 qemu-img info --object throttle-group,id=t "$@" 2>&1; echo "status $?"; } >.want
    { timeout 20 "$EMU_BIN/qemu-img" info --object throttle-group,id=t "$@" 2>.err; echo "status $?"; } >.got
    if [ -n "${hide:-}" ]; then sed -i "/^image: json/s/:.*/: $hide/" .want .got; fi
    verdict "info, $name"
}
info 'blkdebug without rules' --backing-chain blkdebug::d/top
info 'blkdebug with rules' --backing-chain "blkdebug:rules:$PWD/d/top"
info 'blkdebug on a sparse vmdk of more files' blkdebug::d/v.vmdk
info 'blkdebug and an external data file' blkdebug::d/df
info 'blkdebug on a format' --image-opts driver=blkdebug,config=rules,image.driver=qcow2,image.file.filename=d/base
info 'blkdebug alone' --image-opts driver=blkdebug,image.driver=null-co
# The options of one level come in any order.
hide='{...}' info 'blkdebug with other options' --backing-chain --image-opts driver=qcow2,file.driver=blkdebug,file.align=512,file.image.filename=d/top
hide='{...}' info 'throttle and a relative backing file' --backing-chain --image-opts \
    driver=qcow2,file.driver=throttle,file.throttle-group=t,file.file.driver=file,file.file.filename=d/top

after='qemu-img map --output=json b.qcow2'
check 'copy-on-read, only what was read' --image-opts -c 'read -P 7 64k 4k' -c 'read -P 7 1M 130k' \
    driver=copy-on-read,file.driver=qcow2,file.file.filename=b.qcow2
check 'copy-on-read of qemu-io' -f qcow2 -C -c 'read -P 7 100 4k' b.qcow2
check 'copy-on-read, read-only' -r --image-opts -c 'read -P 7 64k 4k' \
    driver=copy-on-read,file.driver=qcow2,file.file.filename=b.qcow2
after=

# compress: whatever is written, the image has packed clusters only, which the reference reads.
after='qemu-img check b.qcow2 | tail -2 | sed "s/^Image end offset.*//"; qemu-img map --output=json b.qcow2; qemu-io -r -f qcow2 -c "read -vq 0 1M" b.qcow2 | md5sum'
compress='driver=compress,file.driver=qcow2,file.file.filename=b.qcow2'
check 'compress, whole clusters' --image-opts -c 'write -P 1 0 64k' -c 'write -P 2 128k 512k' -c 'read -P 1 0 64k' -c 'read -P 7 64k 64k' "$compress"
check 'compress, parts of clusters' --image-opts -c 'write -P 1 0 4k' -c 'write -P 2 200k 100k' -c 'read -P 7 4k 60k' -c 'read -P 2 200k 100k' "$compress"
check 'compress, the end of the disk' --image-opts -c 'write -P 1 4190208 4k' -c 'read -P 1 4190208 4k' -c 'write 4M 4k' "$compress"
check 'compress, zeros, discard and map' --image-opts -c 'write -P 1 0 192k' -c 'write -z 64k 64k' -c 'discard 128k 64k' -c info -c length "$compress"
check 'compress, asked to compress' --image-opts -c 'write -c 0 64k' "$compress"
check 'compress, options' --image-opts -c 'read 0 512' "$compress,nosuch=1"
check 'compress, raw' --image-opts -c 'read 0 512' driver=compress,file.driver=raw,file.file.filename=a.raw
check 'compress, no image' --image-opts -c 'read 0 512' driver=compress
any_order=1 check 'compress, read-only' -r --image-opts -c 'read -P 7 0 64k' -c 'write 0 64k' "$compress"
after=
info 'compress' --image-opts "$compress"
# Here the reference fails: a cluster that is packed already cannot be written again.
ours() { # NAME COMMAND...
    local name=$1
    shift
    rm -f b.qcow2
    qemu-img create -q -f qcow2 -b a.raw -F raw b.qcow2
    if "$@" >.log 2>&1 && qemu-img check b.qcow2 | grep -q "100.00% compressed"; then pass "$name"; else cat .log; fail "$name"; fi
}
ours 'compress, clusters are written again' "$EMU_BIN/qemu-io" --image-opts -c 'write -q -P 1 0 128k' -c 'write -q -P 2 60k 8k' -c 'write -q -P 3 0 64k' \
    -c 'read -P 3 0 64k' -c 'read -P 2 64k 4k' -c 'read -P 1 68k 60k' "$compress"
many=()
for i in $(seq 0 127); do many+=(-c "aio_write -q -P $((i + 1)) $((i * 1500)) 1500"); done
many+=(-c aio_flush)
for i in $(seq 0 127); do many+=(-c "read -q -P $((i + 1)) $((i * 1500)) 1500"); done
ours 'compress, many writers of one cluster' "$EMU_BIN/qemu-io" --image-opts "${many[@]}" "$compress"
head -c 3000000 /dev/urandom | xxd -p | head -c 4194304 >text
ours 'compress, convert' "$EMU_BIN/qemu-img" convert -n -f raw --target-image-opts text "$compress"
if cmp -s <(qemu-img dd -O raw -f qcow2 if=b.qcow2 of=back && cat back) text; then pass 'compress, the reference reads it'; else fail 'compress, the reference reads it'; fi

# preallocate: files grow in large steps, and have their size again afterwards.
prealloc='driver=preallocate,prealloc-size=4M,prealloc-align=1M'
after='stat -c %s a.raw b.qcow2; qemu-img check b.qcow2; qemu-img map --output=json b.qcow2'
check 'preallocate, below qcow2' --image-opts -c 'write -P 1 0 64k' -c 'write -P 2 1M 1M' -c 'read -P 1 0 64k' -c 'read -P 7 64k 64k' \
    driver=qcow2,file.driver=preallocate,file.prealloc-size=4M,file.prealloc-align=1M,file.file.driver=file,file.file.filename=b.qcow2
check 'preallocate, new sizes' --image-opts -c 'write -P 1 0 64k' -c 'truncate 6M' -c length -c 'read -P 0 4M 2M' -c 'truncate 1M' -c length \
    -c 'truncate -m falloc 2M' -c 'read -P 0 1M 1M' -c 'write 2M 512' "$prealloc,file.driver=file,file.filename=a.raw"
check 'preallocate, defaults' --image-opts -c 'write -P 1 0 64k' -c 'read -P 1 0 64k' driver=preallocate,file.driver=file,file.filename=a.raw
for o in prealloc-align=1000 prealloc-align=x prealloc-size=-1 nosuch=1; do
    check "preallocate, $o" --image-opts -c 'read 0 512' "driver=preallocate,$o,file.driver=file,file.filename=a.raw"
done
after=
info 'preallocate' --image-opts "$prealloc,file.driver=file,file.filename=text"
# While it is open, the file is longer: the same as the reference's after the same writes.
grown() { # QEMU-IO
    rm -f b.qcow2 .pipe
    qemu-img create -q -f qcow2 b.qcow2 64M
    mkfifo .pipe
    timeout 60 stdbuf -oL "$1" --image-opts driver=qcow2,file.driver=preallocate,file.prealloc-size=4M,file.prealloc-align=1M,file.file.driver=file,file.file.filename=b.qcow2 \
        <.pipe >.said 2>&1 &
    exec 8>.pipe
    local c n=0 i
    for c in 'write 0 64k' 'write 1M 64k' 'write 40M 3M' 'write 2M 4M'; do # the reference sees a line when the last is done
        echo "$c" >&8
        n=$((n + 1))
        for ((i = 0; i < 600; i++)); do [ "$(grep -c 'wrote ' .said)" -ge $n ] && break; sleep 0.05; done
        stat -c "$c: %s" b.qcow2
    done
    exec 8>&-
    wait $!
    stat -c 'closed: %s' b.qcow2
}
grown qemu-io >.want; grown "$EMU_BIN/qemu-io" >.got; verdict 'preallocate, while the image grows'

# Snapshots below a filter.
rm -f b.qcow2
qemu-img create -q -f qcow2 b.qcow2 1M
said=$({ "$EMU_BIN/qemu-io" --image-opts -c 'write -q -P 1 0 64k' "$compress" && "$EMU_BIN/qemu-img" snapshot -c one --image-opts "$compress" &&
    "$EMU_BIN/qemu-img" resize -q --image-opts "$compress" 2M && "$EMU_BIN/qemu-io" --image-opts -c 'write -q -P 2 0 64k' "$compress" &&
    "$EMU_BIN/qemu-img" snapshot -a one --image-opts "$compress" && qemu-img check -q b.qcow2 && qemu-img snapshot -l b.qcow2 | grep -c one &&
    qemu-io -f qcow2 -c 'read -P 1 0 64k' -c length b.qcow2; } 2>&1)
if grep -q '^1$' <<<"$said" && grep -q '^1 MiB$' <<<"$said" && ! grep -q failed <<<"$said"; then pass 'snapshots below a filter'; else echo "$said"; fail 'snapshots below a filter'; fi

# dm-log-writes: 32-byte entries; the reference's log of the same writes is the same.
after='python3 entries.py'
cat >entries.py <<'P'
import struct
f = open('log', 'rb')
magic, version, n, size = struct.unpack('<QQQI', f.read(28))
print(hex(magic), version, size)
at, entries = 1, []
for _ in range(n):
    f.seek(at * size)
    sector, sectors, flags, data_len = struct.unpack('<QQQQ', f.read(32))
    f.seek((at + 1) * size)
    data = f.read(sectors * size) if sectors and not flags & 4 else b''
    at += 1 + len(data) // size
    entries.append((sector, sectors, flags, data_len, len(data), data[:4]))
while entries and entries[-1][2] == 1:  # closing flushes once or twice
    entries.pop()
print(*entries, sep='\n')
P
check 'blklogwrites' --image-opts -c 'write -P 1 0 1k' -c flush -c 'discard 64k 64k' -c 'write -P 2 4k 512' \
    driver=blklogwrites,file.driver=file,file.filename=a.raw,log.driver=file,log.filename=log
check 'blklogwrites, large sectors' --image-opts -c 'write -P 1 0 8k' -c flush \
    driver=blklogwrites,file.driver=file,file.filename=a.raw,log.driver=file,log.filename=log,log-sector-size=4096
check 'blklogwrites, no log' --image-opts -c 'read 0 512' driver=blklogwrites,file.driver=file,file.filename=a.raw
after=

# A limit holds, and is used: 2 MiB/s with 1 MiB of burst takes 1.5 s for 4 MiB.
throttled() {
    local name=$1 low=$2 high=$3 group=$4 t0 t1
    shift 4
    t0=$(date +%s%N)
    timeout 30 "$EMU_BIN/qemu-io" --object "throttle-group,id=t,$group" --image-opts "$@" \
        driver=throttle,throttle-group=t,file.driver=file,file.filename=a.raw >.log 2>&1 || cat .log
    t1=$(date +%s%N)
    local ms=$(((t1 - t0) / 1000000))
    if [ $ms -ge "$low" ] && [ $ms -le "$high" ]; then pass "$name"; else echo "$ms ms"; cat .log; fail "$name"; fi
}
w() { for i in $(seq 0 "$1"); do printf -- '-c\nwrite -q %sk %sk\n' $((i * $2)) "$2"; done; }
mapfile -t writes < <(w 15 256)
throttled 'throttle, bytes' 700 6000 x-bps-total=2097152,x-bps-total-max=2097152,x-bps-total-max-length=1 "${writes[@]}"
throttled 'throttle, bytes and bursts' 1200 6000 x-bps-write=2097152,x-bps-write-max=2097152 -c 'write 0 2M' "${writes[@]}"
mapfile -t writes < <(w 15 4)
throttled 'throttle, requests' 400 5000 x-iops-write=20 "${writes[@]}"
throttled 'throttle, other requests go on' 0 3000 x-iops-read=1 "${writes[@]}"
check 'throttle, limits that exclude each other' --object throttle-group,id=t,x-bps-total=1000,x-bps-read=1000 -f raw -c 'read 0 512' a.raw
check 'throttle, a burst below the rate' --object throttle-group,id=t,x-bps-total=1000,x-bps-total-max=100 -f raw -c 'read 0 512' a.raw
check 'throttle, no group' --image-opts -c 'read 0 512' driver=throttle,throttle-group=x,file.driver=file,file.filename=a.raw
