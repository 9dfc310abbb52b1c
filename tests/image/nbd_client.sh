#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# driver=nbd: Debian's qemu-nbd and nbdkit as servers; what is said about names and failures is what
# Debian's qemu-img says.
. "$(dirname "$0")/../lib.sh"
need qemu-img qemu-io qemu-nbd nbdkit
cd "$work" || exit 1
limit=30
sock=nbd+unix:///?socket=$work/s

# serve COMMAND...: in the background, until "$work/s" can be connected to.
serve() {
    rm -f s
    "$@" >server.log 2>&1 &
    server=$!
    trap 'kill -9 "$server" 2>/dev/null; rm -rf "$work"' EXIT
    for _ in $(seq 300); do
        if grep -q " 00010000 .* $work/s$" /proc/net/unix; then return; fi
        sleep .02
    done
    cat server.log
}
stop() { kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; }
ours() { timeout "$limit" "$EMU_BIN/$@"; }

# check NAME COMMAND...: the same text and status from both.
check() {
    local name=$1 program=$2
    shift 2
    { timeout "$limit" "$program" "$@" 2>&1; echo "status $?"; } | normal >.want
    { timeout "$limit" "$EMU_BIN/$program" "$@" 2>&1; echo "status $?"; } | normal >.got
    : >.err
    verdict "$name"
}
# As they differ on purpose: "doesn't" is "does not"; times.
normal() { sed -E "s/doesn't/does not/; s/[0-9.]+ sec \(.*/TIME/"; }

truncate -s 8M a.raw
printf 'data' | dd of=a.raw bs=64k seek=20 conv=notrunc 2>/dev/null
serve qemu-nbd -f raw -r -t -e 0 -k "$work/s" a.raw
check 'information' qemu-img info "$sock"
check 'information as JSON' qemu-img info --output=json "$sock"
check 'driver=nbd itself' qemu-img info --image-opts "driver=nbd,server.type=unix,server.path=$work/s"
check 'a map' qemu-img map --output=json "$sock"
check 'a map by itself' qemu-img map --output=json --image-opts "driver=nbd,path=$work/s"
check 'no such export' qemu-img info "nbd+unix:///foo?socket=$work/s"
check 'an unknown option' qemu-img info --image-opts "driver=nbd,path=$work/s,foo=foo"
check 'growing' qemu-img resize -f raw --image-opts "driver=nbd,path=$work/nosuch" 9M
stop
serve qemu-nbd -f raw -x 'a b/c' -t -e 0 -k "$work/s" a.raw
check 'an export with a strange name' qemu-img info "nbd+unix:///a%20b/c?socket=$work/s"
check 'the older name' qemu-img info "nbd:unix:$work/s:exportname=a b/c"
stop
check 'nobody there' qemu-img info nbd://localhost:1/
check 'nobody there, with a name' qemu-img info nbd://localhost:1/foo
check 'nobody there, the older name' qemu-img info nbd:localhost:1
check 'no port' qemu-img info nbd:localhost
check 'unknown scheme' qemu-img info nbd+foo://
check 'a scheme too late' qemu-img info 'nbd:-#o://x'
check 'an export like a URL' qemu-img info 'nbd:localhost:1:exportname=a://b'
check 'no socket' qemu-img info nbd+unix:///
check 'a host beside a socket' qemu-img info 'nbd+unix://foo/?socket=/nosuch'
check 'more than a socket' qemu-img info 'nbd+unix:///?socket=/nosuch&x=1'
check 'an empty path' qemu-img info nbd:unix:
check 'no address' qemu-img info --image-opts driver=nbd
check 'host and path' qemu-img info --image-opts driver=nbd,host=localhost,path=3
check 'an unknown type' qemu-img info --image-opts driver=nbd,server.type=foo
check 'no path' qemu-img info --image-opts driver=nbd,server.type=unix
check 'no host' qemu-img info --image-opts driver=nbd,server.type=inet

# io NAME COMMAND...: qemu-io does it without a word of complaint.
io() {
    local name=$1 c=()
    shift
    for x; do c+=(-c "$x"); done
    if ours qemu-io -f raw "${c[@]}" "$sock" >io.log 2>&1 && ! grep -i -q 'fail\|error' io.log; then
        pass "$name"
    else
        cat io.log
        fail "$name"
    fi
}
for kind in raw 'nbdkit memory' 'nbdkit without zeroes' 'nbdkit with delays' 'nbdkit of 512 byte blocks'; do
    truncate -s 0 b.raw; truncate -s 64M b.raw
    case $kind in
    raw) serve qemu-nbd -f raw -t -e 0 --discard=unmap -k "$work/s" b.raw ;;
    *memory) serve nbdkit -f -U "$work/s" memory 64M ;;
    *zeroes) serve nbdkit -f -U "$work/s" --filter=nozero memory 64M zeromode=none ;;
    *delays) serve nbdkit -f -U "$work/s" --filter=delay memory 64M delay-read=5ms delay-write=3ms ;;
    *blocks) serve nbdkit -f -U "$work/s" --filter=blocksize-policy memory 64M blocksize-minimum=512 blocksize-preferred=4096 blocksize-maximum=1M blocksize-error-policy=error ;;
    esac
    io "$kind, requests" 'write -P 7 1M 3M' 'read -P 7 2M 2M' 'write -P 8 1000001 70003' 'read -P 8 1000001 70003' \
        'write -z 1M 1M' 'read -P 0 1M 1M' 'write -zu 3M 1M' 'read -P 0 3M 1M' 'discard 2M 64k' flush \
        'write -f -P 9 5M 4k' 'write -P 1 8M 40M' 'read -P 1 8M 40M' 'writev -P 2 50M 1k 4M 17' 'readv -P 2 50M 100 4194000 900'
    a=()
    for i in $(seq 1 40); do a+=("aio_write -P $i $((i * 4096)) 4k"); done
    a+=(aio_flush)
    for i in $(seq 1 40); do a+=("aio_read -P $i $((i * 4096)) 4k"); done
    io "$kind, many at once" "${a[@]}" aio_flush
    stop
done

truncate -s 16M c.raw
serve qemu-nbd -f raw -t -e 0 -k "$work/s" c.raw
if ours qemu-img create -f raw "$sock" 5M >.err 2>&1; then pass 'creating on what is there'; else cat .err; fail 'creating on what is there'; fi
ours qemu-img create -f raw "$sock" 17M >.got 2>&1
if grep -q 'Cannot grow NBD nodes' .got; then pass 'creating on what is too small'; else cat .got; fail 'creating on what is too small'; fi
stop

# A server that goes away and comes back.
serve qemu-nbd -f raw -t -e 0 -k "$work/s" c.raw
mkfifo commands
timeout 60 "$EMU_BIN/qemu-io" --image-opts "driver=raw,file.driver=nbd,file.path=$work/s,file.reconnect-delay=20" <commands >io.log 2>&1 &
reader=$!
exec 5>commands
echo 'write -P 5 0 1M' >&5
for _ in $(seq 200); do grep -q wrote io.log && break; sleep .05; done
kill -9 "$server"; wait "$server" 2>/dev/null
echo 'read -P 5 0 1M' >&5
sleep .5
serve qemu-nbd -f raw -t -e 0 -k "$work/s" c.raw
echo 'write -P 6 0 1M' >&5
echo 'read -P 6 0 1M' >&5
exec 5>&-
wait "$reader"
if [ "$(grep -c 'read 1048576/1048576' io.log)" = 2 ] && ! grep -q -i 'fail\|error' io.log; then
    pass 'waits for a server that comes back'
else
    cat io.log
    fail 'waits for a server that comes back'
fi
kill -9 "$server"; wait "$server" 2>/dev/null
timeout 20 "$EMU_BIN/qemu-io" -f raw -c 'read 0 512' "$sock" >.got 2>&1
if [ $? = 1 ] && grep -q 'Connection refused' .got; then pass 'a server that died'; else cat .got; fail 'a server that died'; fi

rm -f s
(sleep 1; exec timeout 20 qemu-nbd -f raw -k "$work/s" c.raw) &
if ours qemu-io -c 'read -P 6 0 1M' --image-opts "driver=raw,file.driver=nbd,file.path=$work/s,file.open-timeout=15" >.err 2>&1; then
    pass 'open-timeout waits for the server'
else
    cat .err
    fail 'open-timeout waits for the server'
fi
wait
