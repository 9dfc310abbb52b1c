/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Code that changes the very next instruction, in a loop; data beside code. */
#include "sys.h"
    head
    begin
    mov $body, %si
    mov $0x600, %di
    mov $end - body, %cx
    cld
    rep movsb %cs:(%si), %es:(%di)
    ljmp $0, $0x600
#define AT(x) ((x) - body + 0x600)
body:
    xor %dx, %dx
    mov $3000, %cx
again:
    mov %cl, AT(1f) + 1
1:  mov $0, %al             /* what was just written */
    cmp %al, %cl
    je 2f
    inc %dx
2:  addw $1, AT(data)
    loop again
    cmp $0, %dx
    jne 3f
    mov $'o', %al
    out %al, $0xe9
3:  cmpw $3000, AT(data)
    jne 4f
    mov $'k', %al
    out %al, $0xe9
4:  mov $10, %al
    out %al, $0xe9
    finish
data: .word 0
end:
