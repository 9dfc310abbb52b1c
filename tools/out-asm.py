#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints a log of -d in_asm,out_asm with guest and host code disassembled by objdump
(Debian's binutils-aarch64-linux-gnu has the guest's).

usage: qemu-aarch64 -d in_asm,ir_opt,out_asm -D LOG PROGRAM; tools/out-asm.py LOG
"""
import re
import shutil
import subprocess
import sys
import tempfile

HOST = re.compile(r'^(0x[0-9a-f]+):  ((?:[0-9a-f]{2} ?){1,16})$')
GUEST = re.compile(r'^(0x[0-9a-f]+):  ([0-9a-f]{8})  ')
OBJDUMP = {HOST: ['objdump', '-m', 'i386:x86-64'], GUEST: ['aarch64-linux-gnu-objdump', '-m', 'aarch64']}


def code_of(kind, text):
    """The bytes that a line of the log shows; instruction words are little-endian."""
    code = bytes.fromhex(text)
    return code if kind is HOST else code[::-1]


def disassemble(kind, start, code):
    with tempfile.NamedTemporaryFile(prefix='emu-out-asm-') as f:
        f.write(code)
        f.flush()
        text = subprocess.run([*OBJDUMP[kind], '-D', '-w', '-b', 'binary', f'--adjust-vma={start:#x}',
                               f.name], capture_output=True, text=True, check=True).stdout
    for line in text.splitlines():
        if re.match(r'\s*[0-9a-f]+:\t', line):
            address, _, instruction = line.expandtabs().strip().partition(':')
            print(f'{address}: {instruction.strip()}')


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    kinds = [k for k in (HOST, GUEST) if shutil.which(OBJDUMP[k][0])]
    kind, start, code = None, 0, b''        # what is being gathered
    for line in open(sys.argv[1], errors='replace'):
        now = next((k for k in kinds if k.match(line)), None)
        if code and now is not kind:
            disassemble(kind, start, code)
            code = b''
        kind = now
        if kind:
            m = kind.match(line)
            start = start if code else int(m[1], 16)
            code += code_of(kind, m[2])
        else:
            print(line, end='')
    if code:
        disassemble(kind, start, code)


main()
