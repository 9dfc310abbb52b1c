#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# driver=ssh: an sshd of our own on this machine, the key in an agent of our own.
. "$(dirname "$0")/../lib.sh"
need qemu-img qemu-io ssh-agent ssh-keygen /usr/sbin/sshd
cd "$work" || exit 1
[ "$(id -u)" = 0 ] && mkdir -p /run/sshd
for k in host user; do ssh-keygen -q -t ed25519 -N '' -f $k; done
cp user.pub authorized
chmod 600 authorized
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >sshd_config <<C
Port $port
ListenAddress 127.0.0.1
HostKey $work/host
AuthorizedKeysFile $work/authorized
PidFile $work/pid
StrictModes no
UsePAM no
Subsystem sftp internal-sftp
C
/usr/sbin/sshd -f sshd_config -E sshd.log
eval "$(ssh-agent)" >/dev/null
trap 'kill $(cat pid) $SSH_AGENT_PID 2>/dev/null; rm -rf "$work"' EXIT
ssh-add -q user 2>/dev/null
for _ in $(seq 100); do [ -e pid ] && break; sleep .05; done
at=127.0.0.1:$port
no='?host_key_check=no'
if ! timeout 20 qemu-img create -q -f raw "ssh://$at$work/probe$no" 1M >probe.log 2>&1; then
    cat probe.log sshd.log
    skip runs 'the reference cannot log in to our sshd here'
    exit 0
fi
ours() { timeout 60 "$EMU_BIN/$@"; }
# check NAME ARGUMENT...: qemu-img says the same.
check() {
    local name=$1
    shift
    { timeout 60 qemu-img "$@" 2>&1; echo "status $?"; } | normal >.want
    { ours qemu-img "$@" 2>&1; echo "status $?"; } | normal >.got
    : >.err
    verdict "$name"
}
# Not compared: the size on the disk there, and libssh's numbers in brackets.
normal() { sed -E 's/ \([^)]*error code[^)]*\)//; s/^(qemu-img: Could not open .ssh.*: )(failed to open remote file).*/\1\2/; /dirty-flag/d; s/"format": "raw",/"format": "raw"/; /^disk size/d'; }
ok() { if "${@:2}" >.log 2>&1; then pass "$1"; else cat .log; fail "$1"; fi; }

head -c 3M /dev/urandom >a.raw
check information info "ssh://$at$work/a.raw$no"
check 'information as JSON' info --output=json "ssh://$at$work/a.raw$no"
check 'options' info --image-opts "driver=ssh,server.host=127.0.0.1,server.port=$port,path=$work/a.raw,host-key-check.mode=none"
check 'a missing file' info "ssh://$at$work/nosuch$no"
check 'no host' info ssh://
check 'no path' info ssh://localhost
check 'no options' info --image-opts driver=ssh
check 'no path among the options' info --image-opts driver=ssh,host=a
check 'no port among the options' info --image-opts driver=ssh,server.host=localhost,path=/x
check 'an unknown check' info "ssh://$at/x?host_key_check=foo"
check 'nobody there' info 'ssh://localhost:1/x'
check 'a wrong fingerprint' info "ssh://$at$work/a.raw?host_key_check=sha256:00"
sha=$(ssh-keygen -l -E sha256 -f host.pub | cut -d' ' -f2 | cut -d: -f2 | tr -d '\n' | sed 's/$/=/' | base64 -d | od -A n -v -t x1 | tr -d ' \n')
check 'the right fingerprint' info "ssh://$at$work/a.raw?host_key_check=sha256:$sha"
check 'growing' resize -f raw "ssh://$at$work/probe$no" 2M

ok 'the host must be known' bash -c "! timeout 20 '$EMU_BIN/qemu-img' info 'ssh://$at$work/a.raw'"
ok 'reading' ours qemu-img convert -O raw "ssh://$at$work/a.raw$no" b.raw
ok 'what was read' cmp a.raw b.raw
ok 'making' ours qemu-img create -f qcow2 "ssh://$at$work/c.qcow2$no" 20M
ok 'writing' ours qemu-io -f qcow2 -c 'write -P 5 1M 3M' -c 'write -P 6 7 1000' -c 'read -P 5 1M 3M' -c 'aio_write -P 8 9M 1M' \
    -c 'aio_write -P 9 12M 64k' -c aio_flush -c flush "ssh://$at$work/c.qcow2$no"
ok 'what was written' qemu-io -f qcow2 -c 'read -P 5 1M 3M' -c 'read -P 6 7 1000' -c 'read -P 8 9M 1M' -c 'read -P 9 12M 64k' c.qcow2
ok 'the image is sound' qemu-img check c.qcow2
ok 'many small reads at once' ours qemu-img bench -f raw -c 500 -d 16 -s 4096 "ssh://$at$work/a.raw$no"
