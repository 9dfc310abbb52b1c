#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Bad input: one clear line that names the file and the reason, and the exit status that users of
# the command line know: 127 not found, 126 cannot be run, 1 wrong use.  Never a crash.
. "$(dirname "$0")/../lib.sh"
cd "$work" || exit

python3 - <<'EOF'
import struct
def elf(name, magic=b'\x7fELF', cls=2, data=1, kind=2, machine=183, phoff=64, phentsize=56, phnum=1, entry=0x400078,
        ph=None, cut=None, more=b''):
    e = '<' if data == 1 else '>'
    ident = magic + bytes([cls, data, 1, 0]) + bytes(8)
    head = ident + struct.pack(e + 'HHIQQQIHHHHHH', kind, machine, 1, entry, phoff, 0, 0, 64, phentsize, phnum, 0, 0, 0)
    # mov x8, #93; mov x0, #0; svc #0
    code = struct.pack('<3I', 0xd2800ba8, 0xd2800000, 0xd4000001)
    if ph is None:
        ph = struct.pack(e + 'IIQQQQQQ', 1, 5, 0, 0x400000, 0x400000, 0x1000, 0x1000, 0x1000)
    blob = (head + ph + code + more)
    blob = blob.ljust(0x1000, b'\0') if cut is None else blob[:cut]
    open(name, 'wb').write(blob)
load = lambda *a: struct.pack('<IIQQQQQQ', *a)
elf('good')
elf('not_elf', magic=b'\x7fBAD')
elf('class32', cls=1)
elf('class9', cls=9)
elf('big_endian', data=2)
elf('other_machine', machine=62)
elf('kind_core', kind=4)
elf('kind_rel', kind=1)
elf('header_cut', cut=40)
elf('table_cut', cut=80)
elf('no_headers', phnum=0)
elf('many_headers', phnum=65535)
elf('headers_beyond', phoff=1 << 40)
elf('entry_size', phentsize=7)
elf('no_load', ph=load(0, 5, 0, 0x400000, 0x400000, 0x1000, 0x1000, 0x1000))
elf('load_beyond', ph=load(1, 5, 0x800000, 0x400000, 0x400000, 0x1000, 0x1000, 0x1000))
elf('load_huge', ph=load(1, 5, 0, 0x400000, 0x400000, 0x1000, 1 << 62, 0x1000))
elf('load_wraps', ph=load(1, 5, 0, 0xfffffffffffff000, 0, 0x1000, 0x1000, 0x1000))
elf('load_kernel', ph=load(1, 5, 0, 0xffff000000000000, 0, 0x1000, 0x1000, 0x1000))
elf('file_gt_mem', ph=load(1, 5, 0, 0x400000, 0x400000, 0x1000, 0x100, 0x1000))
elf('misaligned', ph=load(1, 5, 0x10, 0x400000, 0x400000, 0x100, 0x100, 0x1000))
interp = load(3, 4, 64 + 112 + 12, 0, 0, 15, 15, 1) + load(1, 5, 0, 0x400000, 0x400000, 0x1000, 0x1000, 0x1000)
elf('no_interp', phnum=2, ph=interp, more=b'/no/such/ld.so\0', entry=0x4000b0)
interp = load(3, 4, 0x900000, 0, 0, 14, 14, 1) + load(1, 5, 0, 0x400000, 0x400000, 0x1000, 0x1000, 0x1000)
elf('interp_beyond', phnum=2, ph=interp)
elf('no_permission')
open('empty', 'w'); open('text', 'w').write('just text\n'); open('#!', 'w').write('#!/no/such/interpreter\n')
import os
for f in os.listdir('.'): os.chmod(f, 0o755)
os.chmod('no_permission', 0o600); os.mkdir('dir')
EOF

# refuses NAME STATUS WORDS ARGS...: fails with that status, one line on standard error that
# contains all the words, no output, no signal.
refuses() {
    local name=$1 status=$2 words=$3 got w ok=1
    shift 3
    emu "$@" >"$work/.out" 2>"$work/.err"
    got=$?
    [ "$got" = "$status" ] || { ok=; echo "status $got, want $status"; }
    [ "$(wc -l <"$work/.err")" = 1 ] || { ok=; echo "want one line on standard error"; }
    for w in $words; do grep -qiF -- "${w//_/ }" "$work/.err" || grep -qiF -- "$w" "$work/.err" || { ok=; echo "message lacks '$w'"; }; done
    [ ! -s "$work/.out" ] || { ok=; echo "wrote to standard output"; }
    if [ $ok ]; then pass "$name"; else head -3 "$work/.err"; fail "$name"; fi
}

works "a tiny program runs" emu ./good
refuses "missing file"          127 "nothing No_such_file"   ./nothing
refuses "missing in a directory" 127 "no/dir/x"              ./no/dir/x
refuses "a directory"           126 "dir"                    ./dir
refuses "an empty file"         126 "empty"                  ./empty
refuses "text"                  126 "text"                   ./text
refuses "not an ELF file"       126 "not_elf"                ./not_elf
refuses "32-bit class"          126 "class32"                ./class32
refuses "unknown class"         126 "class9"                 ./class9
refuses "big endian"            126 "big_endian"             ./big_endian
refuses "another machine"       126 "other_machine x86_64"   ./other_machine
refuses "a core file"           126 "kind_core"              ./kind_core
refuses "an object file"        126 "kind_rel"               ./kind_rel
refuses "ELF header cut off"    126 "header_cut"             ./header_cut
refuses "program headers cut off" 126 "table_cut"            ./table_cut
refuses "no program headers"    126 "no_headers"             ./no_headers
refuses "65535 program headers" 126 "many_headers"           ./many_headers
refuses "headers beyond the file" 126 "headers_beyond"       ./headers_beyond
refuses "program header size 7" 126 "entry_size"             ./entry_size
refuses "nothing to load"       126 "no_load"                ./no_load
refuses "a segment beyond 2^62" 126 "load_huge"              ./load_huge
refuses "a segment that wraps"  126 "load_wraps"             ./load_wraps
refuses "a segment in the kernel's half" 126 "load_kernel"   ./load_kernel
refuses "file size above memory size" 126 "file_gt_mem"      ./file_gt_mem
refuses "a misaligned segment"  126 "misaligned"             ./misaligned
refuses "missing program interpreter" 127 "no_interp /no/such/ld.so" ./no_interp
refuses "interpreter name beyond the file" 126 "interp_beyond" ./interp_beyond
refuses "missing script interpreter" 127 "/no/such/interpreter" "./#!"
refuses "no permission"         126 "no_permission"          ./no_permission
refuses "an unknown option"     1 "-nonsense"                -nonsense ./good
refuses "an option without its argument" 1 "-cpu"            -cpu
refuses "an unknown CPU"        1 "z80"                      -cpu z80 ./good
refuses "no program"            1 "program"
refuses "a bad stack size"      1 "12banana"              -s 12banana ./good
refuses "a bad port"            1 "/no/dir/socket"                 -g /no/dir/socket ./good
refuses "a log file that cannot be made" 1 "/no/dir/log"     -D /no/dir/log -d in_asm ./good
refuses "an unknown log item"   1 "nonsense"                 -d nonsense ./good
refuses "an unknown engine"     1 "steam"                    --engine=steam ./good
