#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints a log of -d out_asm with the bytes of the host's code disassembled (objdump).

usage: qemu-aarch64 -d in_asm,ir_opt,out_asm -D LOG PROGRAM; tools/out-asm.py LOG
"""
import re
import subprocess
import sys
import tempfile

BYTES = re.compile(r'^(0x[0-9a-f]+):  ((?:[0-9a-f]{2} ?){1,16})$')


def disassemble(start, code):
    with tempfile.NamedTemporaryFile(prefix='emu-out-asm-') as f:
        f.write(code)
        f.flush()
        text = subprocess.run(['objdump', '-D', '-w', '-b', 'binary', '-m', 'i386:x86-64',
                               f'--adjust-vma={start:#x}', f.name],
                              capture_output=True, text=True, check=True).stdout
    for line in text.splitlines():
        if re.match(r'\s*[0-9a-f]+:\t', line):
            address, _, instruction = line.expandtabs().strip().partition(':')
            print(f'{address}: {instruction.strip()}')


def main():
    start, code = 0, b''
    for line in open(sys.argv[1], errors='replace') if len(sys.argv) == 2 else sys.exit(__doc__):
        m = BYTES.match(line)
        if m:
            start = start if code else int(m[1], 16)
            code += bytes.fromhex(m[2])
            continue
        if code:
            disassemble(start, code)
            code = b''
        print(line, end='')
    if code:
        disassemble(start, code)


main()
