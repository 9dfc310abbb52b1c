#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`info registers` and -d int of PCs are in the reference's form, to the letter, in each mode of the CPU: scripts read them."""
import os
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from wait import LONG  # noqa: E402

OURS, REFERENCE = os.path.abspath(os.environ.get('EMU_BIN', 'build')), '/usr/bin'
# A boot sector that clears what the firmware left, enters MODE (16, 32 or 64 bits) and halts; with FAULT, after an INT.
SECTOR = r'''
    .code16
    .globl _start
_start:
    cli
    xor %ax, %ax
    mov %ax, %ds
    mov %ax, %ss
    mov %ax, %fs
    mov %ax, %gs
    mov $0x7000, %sp
    mov %ax, %es
    fninit
    .if MODE == 16
    movw $1f, 0x21 * 4
    movw %ax, 0x21 * 4 + 2
    clear
    mov $0x1234, %eax
    int $0x21
1:  std
    stc
    hlt
    .else
    lgdt gdt
    lidt idt
    mov $0x200, %eax        /* OSFXSR */
    mov %eax, %cr4
    .if MODE == 64
    mov $0x220, %eax        /* and PAE; tables at 8000h: a page of 2 MiB */
    mov %eax, %cr4
    movl $0x9003, 0x8000
    movl $0xa003, 0x9000
    movl $0x83, 0xa000
    mov $0x8000, %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx
    mov $0x100, %eax
    xor %edx, %edx
    wrmsr
    mov $0x80000011, %eax
    .else
    mov $0x11, %eax
    .endif
    mov %eax, %cr0
    ljmp $8, $2f
    .if MODE == 64
    .code64
    .else
    .code32
    .endif
2:  mov $16, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov $24, %eax           /* 16-bit data, expands down */
    mov %eax, %fs
    xor %eax, %eax
    mov %eax, %gs
    mov $0x28, %eax
    ltr %ax
    mov $0x38, %eax
    lldt %ax
    fld1
    fldpi
    movl $0x12345678, 0x6000
    movss 0x6000, %xmm1
    .if MODE == 64
    clear
    mov $-2, %r9
    .else
    clear
    .endif
    mov $0x6f00, %esp
    .if FAULT
    int $0x21               /* the table is zeros: #GP, #DF, and the machine stops */
    .endif
    .endif
3:  hlt
    .if MODE != 16
    .align 8
table: .quad 0, CODE, 0x00cf93000000ffff, 0x000097000000ffff, 0, 0x0000890060000067, 0, 0x0000820050000017, 0
gdt: .word . - table - 1
    .long table
idt: .word 0x22 * 16 - 1
    .long 0x5000
    .endif
    .org 510
    .word 0xaa55
'''
CLEAR = '.macro clear\n' + ''.join(f'    mov ${n}, %e{r}\n' for n, r in enumerate(('bx', 'cx', 'dx', 'si', 'di', 'bp'), 0x11)) + '.endm\n'


def sector(folder, mode, fault):
    text = f'.set FAULT, {fault}\n.set MODE, {mode}\n.set CODE, {0x00af9b000000ffff if mode == 64 else 0x00cf9b000000ffff}\n' + CLEAR + SECTOR
    subprocess.run(['gcc', '-c', '-m64' if mode == 64 else '-m32', '-x', 'assembler', '-', '-o', f'{folder}/o'], input=text, text=True, check=True)
    subprocess.run(['ld', '-m', 'elf_x86_64' if mode == 64 else 'elf_i386', '-Ttext=0x7c00', '--oformat=binary', f'{folder}/o', '-o',
                    f'{folder}/boot'], check=True, stderr=subprocess.DEVNULL)


def start(programs, name, folder, *args):
    return subprocess.Popen([f'{programs}/{name}', '-M', 'pc', '-accel', 'tcg', '-m', '16', '-display', 'none', '-serial', 'none', '-net', 'none',
                             '-no-reboot', '-drive', 'file=boot,format=raw,snapshot=on', '-monitor', 'stdio', *args], cwd=folder,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def registers(programs, name, folder):
    """What `info registers` says once the boot sector halts: it leaves 16h in EBP."""
    p = start(programs, name, folder)
    end = time.monotonic() + LONG
    text = ''
    try:
        while time.monotonic() < end and not re.search(r'[RE]BP=0*16 .*HLT=1.*XMM0?7=[^\n]*\n(XMM08.*XMM15[^\n]*\n)?', text, re.S):
            p.stdin.write(b'info registers\n')
            p.stdin.flush()
            time.sleep(0.2)
            text = os.read(p.stdout.fileno(), 1 << 20).decode(errors='replace').replace('\r', '').split('CPU#0\n')[-1]
        text = text.split('(qemu)')[0]
        text = re.sub(r'^(CS =0000 00000000 0000ffff 0000)9b', r'\g<1>93', text, flags=re.M)  # the reference has it not writable in real mode
        return re.sub(r'^(TR =.*)00008900 (.*)avl', r'\g<1>00008b00 \g<2>busy', text, flags=re.M)  # and LTR leave what is in TR available
    finally:
        p.kill()
        p.wait()


def events(programs, name, folder):
    """What -d int says of the boot sector's INT and what follows, without the counts and what else is in the log."""
    p = start(programs, name, folder, '-d', 'int', '-D', 'log')
    try:
        p.wait(LONG)
    finally:
        p.kill()
    lines = [line for line in open(f'{folder}/log').read().splitlines() if re.match(r' *\d+: v=|check_exception|Triple fault', line)]
    last = [n for n, line in enumerate(lines) if 'v=21' in line or 'v=0d' in line]
    # In long mode, error codes of the reference have the vector times 16; it is 8 (SDM 3A, 6.13).
    return [re.sub(r'^ *\d+: ', '', line).replace('v=0d e=0212', 'v=0d e=010a') for line in lines[last[0] if last else 0:]]


def verdict(name, ours, reference):
    if ours != reference:
        print(f'ours:\n{ours}\nreference:\n{reference}')
    print('pass' if ours == reference else 'fail', f'pc_registers, {name}', flush=True)


def main():
    if not os.path.exists(f'{REFERENCE}/qemu-system-i386'):
        print('needs qemu-system-i386\nskip pc_registers, runs')
        return
    for mode, name in ((16, 'qemu-system-i386'), (32, 'qemu-system-i386'), (32, 'qemu-system-x86_64'), (64, 'qemu-system-x86_64')):
        with tempfile.TemporaryDirectory() as folder:
            sector(folder, mode, 0)
            verdict(f'{mode} bits, {name}', *(registers(p, name, folder) for p in (OURS, REFERENCE)))
            if mode == 16:
                continue
            sector(folder, mode, 1)
            verdict(f'{mode} bits, {name}: a triple fault with -d int', *(events(p, name, folder) for p in (OURS, REFERENCE)))


if __name__ == '__main__':
    main()
