# SPDX-License-Identifier: GPL-2.0-or-later
# Common functions of the test scripts; sourced, not run.  The scripts say "pass NAME", "fail NAME"
# or "skip NAME" (tests/README.md).
#   $EMU           the emulator under test
#   $TOP           the project
#   EMU_BINFMT=1   start guest programs through a private binfmt_misc, which is how another
#                  emulator, one that does not start its own children, can stand in for ours
set -u
TOP=${TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
EMU=${EMU:-$TOP/build/qemu-aarch64}
ROOTS=${ROOTS:-$TOP/build/root}
SRC=$TOP/tests/programs/src
subject=$(basename "$0" .sh)
limit=${limit:-120}     # seconds for one command
work=$(mktemp -d "${TMPDIR:-/tmp}/emu-test-XXXXXX")
trap 'rm -rf "$work"' EXIT

pass() { echo "pass $subject, $1"; }
fail() { echo "fail $subject, $1"; }
skip() { echo "$2"; echo "skip $subject, $1"; }

# need COMMAND|PATH...: ends the script, as skipped, when one is not there.
need() {
    local n
    for n; do
        case $n in
        /*) [ -e "$n" ] ;;
        *)  command -v "$n" >/dev/null ;;
        esac || { skip "runs" "needs $n"; exit 0; }
    done
}
# Where the programs are: other architectures' tests set these.
GUEST_ROOT=${GUEST_ROOT:-$ROOTS/arm64} NATIVE_ROOT=${NATIVE_ROOT:-$ROOTS/amd64}
need_roots() { need "$GUEST_ROOT/.complete" "$NATIVE_ROOT/.complete"; }

# guest, native COMMAND...: inside the arm64 or amd64 root; $work is /share there.
guest() {
    EMU=$EMU BINFMT=${EMU_BINFMT:-} SHARE=$work \
        timeout -k 5 "$limit" "$TOP/tools/in-root.sh" "$GUEST_ROOT" "$@" </dev/null
}
native() {
    EMU= BINFMT= SHARE=$work \
        timeout -k 5 "$limit" "$TOP/tools/in-root.sh" "$NATIVE_ROOT" "$@" </dev/null
}
# emu PROGRAM...: the emulator on a program of the host's file system.
emu() { timeout -k 5 "$limit" "$EMU" "$@"; }

# to_end COMMAND...: tests that a program has in it; one that does not come to its end has failed, whatever it has printed.
to_end() {
    timeout -k 5 "$limit" "$@"
    case $? in 124 | 137) echo "fail $subject, $(basename "${!#}") comes to its end" ;; esac
}

# listens SOCKET: waits until somebody listens there; its file is there before that (proc(5): __SO_ACCEPTCON).
listens() {
    local n
    for ((n = 0; n < limit * 20; n++)); do
        awk -v path="$1" '$4 == "00010000" && $8 == path { found = 1 } END { exit !found }' /proc/net/unix && return
        sleep 0.05
    done
}

# verdict NAME: compares $work/.got and $work/.want
verdict() {
    if cmp -s "$work/.got" "$work/.want"; then
        pass "$1"
    else
        diff "$work/.want" "$work/.got" | head -20
        tail -5 "$work/.err"
        fail "$1"
    fi
}
# same NAME COMMAND...: prints the same and ends with the same status as natively.
same() {
    local name=$1
    shift
    native "$@" >"$work/.want" 2>/dev/null
    echo "status $?" >>"$work/.want"
    guest "$@" >"$work/.got" 2>"$work/.err"
    echo "status $?" >>"$work/.got"
    verdict "$name"
}
# prints NAME TEXT COMMAND...: standard output is TEXT and the status is 0.
prints() {
    local name=$1
    printf '%s\nstatus 0\n' "$2" >"$work/.want"
    shift 2
    "$@" >"$work/.got" 2>"$work/.err" </dev/null
    echo "status $?" >>"$work/.got"
    verdict "$name"
}
# works NAME COMMAND...: ends with status 0.
works() {
    local name=$1
    shift
    if "$@" >"$work/.got" 2>&1 </dev/null; then
        pass "$name"
    else
        echo "status $?"
        tail -15 "$work/.got"
        fail "$name"
    fi
}
