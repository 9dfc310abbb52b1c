/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * long safe_syscall(const volatile int *pending, long nr, a0 .. a5)
 *
 * A host system call that is not entered once *pending is set, without a window in between: our
 * signal handler, finding the interrupted rip in [safe_syscall_start, safe_syscall_end), moves it to
 * safe_syscall_interrupted.  That covers the kernel's own restarts too, for it leaves rip at the
 * SYSCALL instruction.  Calling conventions: System V ABI, x86-64 psABI section 3.2.3 and A.2.
 */
        .text
        .globl safe_syscall, safe_syscall_start, safe_syscall_end, safe_syscall_interrupted
        .type safe_syscall, @function
safe_syscall:
        .cfi_startproc
        mov     %rdi, %r11
        mov     %rsi, %rax
        mov     %rdx, %rdi
        mov     %rcx, %rsi
        mov     %r8, %rdx
        mov     %r9, %r10
        mov     8(%rsp), %r8
        mov     16(%rsp), %r9
safe_syscall_start:
        cmpl    $0, (%r11)
        jne     safe_syscall_interrupted
        syscall
safe_syscall_end:
        ret
safe_syscall_interrupted:
        mov     $-512, %rax             /* -ERESTARTSYS */
        ret
        .cfi_endproc
        .size safe_syscall, . - safe_syscall

/* long host_syscall(nr, a0 .. a5): the same without the check. */
        .globl host_syscall, host_syscall_end
        .type host_syscall, @function
host_syscall:
        .cfi_startproc
        mov     %rdi, %rax
        mov     %rsi, %rdi
        mov     %rdx, %rsi
        mov     %rcx, %rdx
        mov     %r8, %r10
        mov     %r9, %r8
        mov     8(%rsp), %r9
        syscall
host_syscall_end:
        ret
        .cfi_endproc
        .size host_syscall, . - host_syscall

/* What signal handlers return to: rt_sigreturn. */
        .globl host_sigreturn
        .type host_sigreturn, @function
        nop
host_sigreturn:
        mov     $15, %eax
        syscall
        .size host_sigreturn, . - host_sigreturn

        .section .note.GNU-stack, "", @progbits
