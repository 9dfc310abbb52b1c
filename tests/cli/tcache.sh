#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The on-disk translation cache: what a second process reads, and everything that must not be read.
. "$(dirname "$0")/../lib.sh"
need aarch64-linux-gnu-gcc gcc python3
cd "$work" || exit
unset EMU_OPTS
cc="aarch64-linux-gnu-gcc -O1 -w"
$cc -static -o prog "$SRC/tcache.c" && $cc -static-pie -fPIE -o pie "$SRC/tcache.c" || exit 1
gcc -O1 -w -o native "$SRC/tcache.c" || exit 1
./native >want

# run OPTIONS... PROGRAM [ARGUMENT]: into got; $read and $made are regions read and translated.
run() {
    emu -d tcache -D log "$@" >got </dev/null
    status=$?
    read=$(sed -n 's/tcache: \([0-9]*\) regions read, .*/\1/p' log)
    made=$(sed -n 's/.* read, \([0-9]*\) translated/\1/p' log)
}
# right NAME: the last run printed what it should, and the shell condition after NAME holds.
right() {
    local name=$1
    shift
    if cmp -s want got && [ "$status" = 0 ] && eval "$@"; then
        pass "$name"
    else
        echo "status $status, ${read:-?} regions read, ${made:-?} translated; wanted $*"
        diff want got
        fail "$name"
    fi
}
fresh() { rm -rf c; mkdir -m 700 c; }
file() { ls -d c/*; }

for p in prog pie; do
    fresh
    run --tcache="$PWD/c" ./$p
    right "$p: the first process translates" '[ $read = 0 ] && [ $made -gt 500 ]'
    run --tcache="$PWD/c" ./$p
    right "$p: the second one reads" '[ $read -gt 500 ] && [ $made -lt 30 ]'
    EMU_OPTS=--tcache=$PWD/c run ./$p
    right "$p: the folder from EMU_OPTS" '[ $read -gt 500 ] && [ $made -lt 30 ]'
done
prints "files and folder are for nobody else" "700 600" \
    sh -c 'rmdir c 2>/dev/null; rm -rf new; "$0" --tcache="$PWD/new" ./prog >/dev/null; echo "$(stat -c %a new)" "$(stat -c %a new/*)"' "$EMU"
fresh
run --tcache=off ./prog
right "off is off" '[ -z "$read" ] && [ -z "$(ls c)" ]'
emu --tcache=relative ./prog 2>got
grep -q "tcache 'relative': want" got && pass "a relative folder is refused" || fail "a relative folder is refused"

# hot from the first run, and never
for o in --hot-after=1 --hot-after=never "-B 0x100000000" "-seed 1" --exact-flags=on; do
    case "$EMU $o" in */san/*-B*) continue ;; esac
    fresh
    run $o --tcache="$PWD/c" ./pie
    run $o --tcache="$PWD/c" ./pie
    right "with $o" '[ $read -gt 100 ] && [ $made -lt 30 ]'
done
# other options, other translations
fresh
run --tcache="$PWD/c" ./prog
for o in --hot-after=7 --host-off=avx --host-off=bmi,fma --exact-flags=on --passes-off=hoist "-cpu cortex-a72"; do
    run $o --tcache="$PWD/c" ./prog
    right "nothing is read after a run without $o" '[ $read = 0 ]'
done
run --tcache="$PWD/c" ./prog
right "and the first options find theirs" '[ $read -gt 500 ]'

# another program: its text changed in place, its head and its length the same
fresh
run --tcache="$PWD/c" ./prog
python3 - <<'END'
b = bytearray(open('prog', 'rb').read())
at = b.index(bytes.fromhex('894682d2'))     # movz x9, #0x1234
b[at:at + 4] = bytes.fromhex('495282d2')    # movz x9, #0x1292
open('changed', 'wb').write(b)
END
chmod +x changed
cp want want.prog
emu --tcache=off ./changed >want
cmp -s want want.prog && fail "the change shows"
run --tcache="$PWD/c" ./changed
right "changed code is not run from the cache" '[ $read -gt 500 ] && [ $made -ge 1 ]'
mv want.prog want
run --tcache="$PWD/c" ./prog
right "and the old program finds its own" '[ $read -gt 500 ]'

# two processes at once, many times
good=0
for i in $(seq 20); do
    fresh
    for k in 1 2 3; do emu --tcache="$PWD/c" ./pie >got$k & done
    wait
    run --tcache="$PWD/c" ./pie
    cmp -s want got && cmp -s want got1 && cmp -s want got2 && cmp -s want got3 && [ "$read" -gt 500 ] && good=$((good + 1))
done
[ $good = 20 ] && pass "three processes at once, 20 times" || { echo "$good times"; fail "three processes at once, 20 times"; }

# damaged files
fresh
run --tcache="$PWD/c" ./prog
cp "$(file)" whole
name=$(file)
cat >damage.py <<'END'
import random, sys
data, seed = bytearray(open('whole', 'rb').read()), int(sys.argv[1])
r = random.Random(seed)
start = 4096 + (8 << 19)
how = seed % 6
if how == 0:                                    # bits of records
    for i in range(400):
        data[r.randrange(start, len(data))] ^= 1 << r.randrange(8)
elif how == 1:                                  # the index leads elsewhere
    for at in range(4096, start, 8):
        if any(data[at:at + 8]):
            data[at:at + 4] = r.randrange(start // 16 - 99, len(data) // 16 + 99).to_bytes(4, 'little')
elif how == 2:                                  # cut
    del data[r.randrange(len(data)):]
elif how == 3:                                  # the header
    data[r.randrange(64)] ^= 1 << r.randrange(8)
elif how == 4:                                  # zeros and rubbish
    at = r.randrange(start, len(data))
    data[at:at + 20000] = r.choice([bytes(20000), r.randbytes(20000)])
else:                                           # records change places
    for i in range(50):
        a, b = (r.randrange(start, len(data) - 512) & ~15 for _ in range(2))
        data[a:a + 512], data[b:b + 512] = data[b:b + 512], data[a:a + 512]
open(sys.argv[2], 'wb').write(data)
END
good=0
for i in $(seq 36); do
    rm -f "$name"
    python3 damage.py "$i" "$name"
    chmod 600 "$name"
    run --tcache="$PWD/c" ./prog
    if cmp -s want got && [ $status = 0 ]; then good=$((good + 1)); else echo "damage $i: status $status"; fi
done
[ $good = 36 ] && pass "damaged files" || fail "damaged files"
fresh
cp whole "$name"
mkfifo in
emu --tcache="$PWD/c" ./prog pause <in >got &
exec 3>in
while [ ! -s got ]; do :; done
: >"$name"
exec 3>&-
wait $!
status=$?
right "a file that is cut while it is used"
rm -f "$name"
mkdir "$name"
run --tcache="$PWD/c" ./prog
right "a folder in the file's place" '[ $read = 0 ]'
rmdir "$name"
mkfifo "$name"
run --tcache="$PWD/c" ./prog
right "a pipe in the file's place" '[ $read = 0 ]'
rm -f "$name"
cp whole elsewhere
ln -s ../elsewhere "$name"
run --tcache="$PWD/c" ./prog
right "a symbolic link in the file's place" '[ $read = 0 ]'
rm -f "$name"
ln elsewhere "$name"
run --tcache="$PWD/c" ./prog
right "a file with another name elsewhere" '[ $read = 0 ]'

# rights
fresh
cp whole "$name" && chmod 600 "$name"
run --tcache="$PWD/c" ./prog
right "the file as it was is read" '[ $read -gt 500 ]'
chmod 620 "$name"
run --tcache="$PWD/c" ./prog
right "a file that others may write" '[ $read = 0 ]'
chmod 600 "$name"
chmod 770 c
run --tcache="$PWD/c" ./prog
right "a folder that others may write" '[ $read = 0 ]'
chmod 700 c
ln -s c link
run --tcache="$PWD/link" ./prog
right "a symbolic link in the folder's place" '[ $read = 0 ]'
run --tcache="$PWD/missing/c" ./prog
right "a folder that cannot be made" '[ $read = 0 ] && [ ! -e missing ]'
fresh
run --tcache="$PWD/c" ./prog uid
right "nothing is kept after setuid" '[ -z "$(ls c)" ]'
( ulimit -f 2000; run --tcache="$PWD/c" ./prog; right "a limit of the size of files" '[ -z "$(ls c)" ]' )
if [ "$(id -u)" = 0 ]; then
    fresh
    cp whole "$name" && chmod 600 "$name"
    chown 65534 c
    run --tcache="$PWD/c" ./prog
    right "another user's folder" '[ $read = 0 ]'
    chown 0 c && chown 65534 "$name"
    run --tcache="$PWD/c" ./prog
    right "another user's file" '[ $read = 0 ]'
    fresh
    chmod 711 "$work"
    mkdir secure && chown 65534 secure && chmod 700 secure
    cp -L "$EMU" setuid-emu && chown 65534 setuid-emu && chmod 4755 setuid-emu
    emu_before=$EMU EMU=./setuid-emu
    : >log
    chmod 666 log
    run --tcache="$PWD/secure" ./prog
    right "an emulator with its owner's rights keeps nothing" '[ -z "$(ls secure)" ]'
    EMU=$emu_before
else
    skip "another user's folder" "needs root"
fi
if unshare -Urm true 2>/dev/null; then
    fresh
    unshare -Urm sh -c 'mount -t tmpfs -o size=40k,mode=700 none c && "$@" >got; ls -l c' - \
        "$EMU" --tcache="$PWD/c" ./prog >/dev/null
    status=$?
    right "a full disk"
    fresh
    cp whole "$name" && chmod 600 "$name"
    unshare -Urm sh -c 'mount --bind c c && mount -o remount,bind,ro c && "$@" >got' - \
        "$EMU" --tcache="$PWD/c" -d tcache -D log ./prog pause </dev/null
    status=$?
    read=$(sed -n 's/tcache: \([0-9]*\) regions read, .*/\1/p' log)
    right "a folder that can only be read" '[ $read -gt 500 ]'
else
    skip "a full disk" "needs user namespaces"
fi
