/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A user of /dev/kvm, to run in a guest (Linux, Documentation/virt/kvm/api.rst): a virtual machine in real mode and one in long mode, with
 * exits for ports and memory that is not there, interrupts that are injected, exceptions of its own and pages touched for the first time.
 * Prints each exit; "KVM-PROGRAM-OK" if all are as listed below.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

enum { MEMORY = 4 << 20, CODE_AT = 0x1000, GDT_AT = 0x500, IDT_AT = 0x6000, PML4_AT = 0x2000, VECTOR = 0x20 };

extern const char real_code[], real_irq[], real_end[], long_code[], long_irq[], long_ud[], long_end[];

__asm__(".pushsection .rodata\n"
        ".code16\n"
        "real_code: in $0x10, %al\n"
        "inc %al\n"
        "out %al, $0x11\n"
        "mov $0xd000, %ax\n" /* D0000h: between the two slots of memory */
        "mov %ax, %ds\n"
        "movw $0xbeef, 0\n"
        "mov 4, %ax\n"
        "inc %ax\n"
        "out %ax, $0x12\n"
        "xor %bx, %bx\n"
        "mov $10000, %cx\n"
        "1: add %cx, %bx\n"
        "loop 1b\n"
        "mov %bx, %ax\n"
        "out %ax, $0x12\n"
        "sti\n"
        "hlt\n"
        "mov $0x99, %al\n"
        "out %al, $0x11\n"
        "cli\n"
        "hlt\n"
        "real_irq: mov $0x77, %al\n"
        "out %al, $0x13\n"
        "iretw\n"
        "real_end:\n"
        ".code64\n"
        "long_code: mov $0x100000, %edi\n" /* 256 pages of zeroes, each for the first time */
        "xor %eax, %eax\n"
        "mov $256, %ecx\n"
        "1: add %rdi, (%rdi)\n"
        "add (%rdi), %rax\n"
        "add $4096, %rdi\n"
        "loop 1b\n"
        "out %eax, $0x12\n"
        "mov $0x800000, %ebx\n"
        "movabs $0x1122334455667788, %rax\n"
        "mov %rax, (%rbx)\n"
        "mov 8(%rbx), %rax\n"
        "ror $32, %rax\n"
        "out %eax, $0x12\n"
        "ud2\n"
        "fldpi\n"
        "fstpl (%rsp)\n"
        "mov 4(%rsp), %eax\n"
        "out %eax, $0x12\n"
        "sti\n"
        "hlt\n"
        "mov $0x98, %al\n"
        "out %al, $0x11\n"
        "cli\n"
        "hlt\n"
        "long_irq: mov $0x78, %al\n"
        "out %al, $0x13\n"
        "iretq\n"
        "long_ud: mov $6, %al\n"
        "out %al, $0x13\n"
        "addq $2, (%rsp)\n"
        "iretq\n"
        "long_end:\n"
        ".popsection\n");

struct vm {
    int vm, cpu;
    uint8_t *mem;
    struct kvm_run *run;
};

static int bad;

static int ask(int fd, unsigned long what, void *arg, const char *name)
{
    int r = ioctl(fd, what, arg);

    if (r < 0) {
        perror(name);
        exit(1);
    }
    return r;
}

/* Memory but for 640 KiB to 1 MiB. */
static void add_memory(struct vm *v)
{
    struct kvm_userspace_memory_region low = {.memory_size = 0xa0000, .userspace_addr = (uintptr_t)v->mem};
    struct kvm_userspace_memory_region high = {.slot = 1, .guest_phys_addr = 1 << 20, .memory_size = MEMORY - (1 << 20),
                                               .userspace_addr = (uintptr_t)v->mem + (1 << 20)};

    ask(v->vm, KVM_SET_USER_MEMORY_REGION, &low, "KVM_SET_USER_MEMORY_REGION");
    ask(v->vm, KVM_SET_USER_MEMORY_REGION, &high, "KVM_SET_USER_MEMORY_REGION");
}

static void make(struct vm *v, int kvm, const char *code, const char *end)
{
    int size = ask(kvm, KVM_GET_VCPU_MMAP_SIZE, NULL, "KVM_GET_VCPU_MMAP_SIZE");

    v->vm = ask(kvm, KVM_CREATE_VM, NULL, "KVM_CREATE_VM");
    v->mem = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    add_memory(v);
    v->cpu = ask(v->vm, KVM_CREATE_VCPU, NULL, "KVM_CREATE_VCPU");
    v->run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, v->cpu, 0);
    memcpy(v->mem + CODE_AT, code, (size_t)(end - code));
}

static void start(struct vm *v, struct kvm_sregs *s)
{
    struct kvm_regs r = {.rip = CODE_AT, .rsp = 0x9000, .rflags = 2};

    ask(v->cpu, KVM_SET_SREGS, s, "KVM_SET_SREGS");
    ask(v->cpu, KVM_SET_REGS, &r, "KVM_SET_REGS");
}

static void expect(const char *what, const char *got)
{
    printf("%s%s\n", got, strcmp(what, got) ? " BAD" : "");
    bad |= strcmp(what, got) != 0;
}

static void describe(struct kvm_run *r, char *text, size_t size)
{
    unsigned long long v = 0;

    if (r->exit_reason == KVM_EXIT_IO) {
        void *data = (char *)r + r->io.data_offset;

        if (r->io.direction == KVM_EXIT_IO_OUT)
            memcpy(&v, data, r->io.size);
        else
            memset(data, 0x41, r->io.size);
        snprintf(text, size, "%s %x size %d: %llx", r->io.direction == KVM_EXIT_IO_OUT ? "out" : "in", r->io.port, r->io.size, v);
    } else if (r->exit_reason == KVM_EXIT_MMIO) {
        if (r->mmio.is_write)
            memcpy(&v, r->mmio.data, r->mmio.len);
        else
            memcpy(r->mmio.data, "\x34\x12\x78\x56\xbc\x9a\xf0\xde", 8);
        snprintf(text, size, "%s %llx size %d: %llx", r->mmio.is_write ? "write" : "read", r->mmio.phys_addr, r->mmio.len, v);
    } else {
        snprintf(text, size, r->exit_reason == KVM_EXIT_HLT ? "hlt" : "exit %d, %llx", r->exit_reason,
                 (unsigned long long)r->hw.hardware_exit_reason);
    }
}

/* Runs it; at the first HLT an interrupt comes. */
static void run(struct vm *v, const char *const *wanted)
{
    struct kvm_interrupt irq = {VECTOR};

    for (int halts = 0; *wanted; wanted++) {
        char text[80];

        ask(v->cpu, KVM_RUN, NULL, "KVM_RUN");
        describe(v->run, text, sizeof(text));
        expect(*wanted, text);
        if (bad)
            return;
        if (v->run->exit_reason == KVM_EXIT_HLT && !halts++)
            ask(v->cpu, KVM_INTERRUPT, &irq, "KVM_INTERRUPT");
    }
}

static void real_mode(int kvm)
{
    static const char *const wanted[] = {"in 10 size 1: 0", "out 11 size 1: 42", "write d0000 size 2: beef", "read d0004 size 2: 0",
                                         "out 12 size 2: 1235", "out 12 size 2: 408", "hlt", "out 13 size 1: 77", "out 11 size 1: 99",
                                         "hlt", NULL};
    uint16_t vector[2] = {(uint16_t)(CODE_AT + (real_irq - real_code)), 0};
    struct kvm_sregs s;
    struct vm v;

    printf("real mode\n");
    make(&v, kvm, real_code, real_end);
    memcpy(v.mem + 4 * VECTOR, vector, 4);
    ask(v.cpu, KVM_GET_SREGS, &s, "KVM_GET_SREGS");
    s.cs.base = s.cs.selector = 0;
    start(&v, &s);
    run(&v, wanted);
}

static void put_gate(struct vm *v, int vector, const char *to)
{
    uint64_t at = CODE_AT + (uint64_t)(to - long_code), gate[2] = {(at & 0xffff) | 8 << 16 | 0x8e00ull << 32, 0};

    memcpy(v->mem + IDT_AT + 16 * vector, gate, sizeof(gate));
}

/* 16 MiB as they are, by pages of 2 MiB; descriptors of code and data. */
static void put_tables(struct vm *v)
{
    uint64_t entry[] = {(PML4_AT + 0x1000) | 3, (PML4_AT + 0x2000) | 3}, gdt[] = {0, 0x00af9b000000ffff, 0x00cf93000000ffff};

    memcpy(v->mem + PML4_AT, &entry[0], 8);
    memcpy(v->mem + PML4_AT + 0x1000, &entry[1], 8);
    for (uint64_t i = 0; i < 8; i++) {
        uint64_t e = i << 21 | 0x83;

        memcpy(v->mem + PML4_AT + 0x2000 + 8 * i, &e, 8);
    }
    memcpy(v->mem + GDT_AT, gdt, sizeof(gdt));
    put_gate(v, VECTOR, long_irq);
    put_gate(v, 6, long_ud);
}

static void long_mode(int kvm)
{
    static const char *const wanted[] = {"out 12 size 4: 17f80000", "write 800000 size 8: 1122334455667788", "read 800008 size 8: 0",
                                         "out 12 size 4: def09abc", "out 13 size 1: 6", "out 12 size 4: 400921fb", "hlt",
                                         "out 13 size 1: 78", "out 11 size 1: 98", "hlt", NULL};
    struct kvm_segment code = {.limit = ~0u, .selector = 8, .present = 1, .type = 11, .s = 1, .l = 1, .g = 1};
    struct kvm_segment data = {.limit = ~0u, .selector = 16, .present = 1, .type = 3, .s = 1, .db = 1, .g = 1};
    struct kvm_cpuid2 *ids = calloc(1, sizeof(*ids) + 100 * sizeof(ids->entries[0]));
    struct kvm_sregs s;
    struct vm v;

    printf("long mode\n");
    make(&v, kvm, long_code, long_end);
    put_tables(&v);
    ids->nent = 100;
    ask(kvm, KVM_GET_SUPPORTED_CPUID, ids, "KVM_GET_SUPPORTED_CPUID");
    ask(v.cpu, KVM_SET_CPUID2, ids, "KVM_SET_CPUID2");
    ask(v.cpu, KVM_GET_SREGS, &s, "KVM_GET_SREGS");
    s.cs = code;
    s.ds = s.es = s.ss = data;
    s.cr3 = PML4_AT;
    s.cr4 = 0x20;
    s.cr0 = 0x80000033;
    s.efer = 0x500;
    s.gdt = (struct kvm_dtable){.base = GDT_AT, .limit = 23};
    s.idt = (struct kvm_dtable){.base = IDT_AT, .limit = 0xfff};
    start(&v, &s);
    run(&v, wanted);
}

int main(void)
{
    int kvm = open("/dev/kvm", O_RDWR);

    setvbuf(stdout, NULL, _IONBF, 0);
    if (kvm < 0 || ask(kvm, KVM_GET_API_VERSION, NULL, "KVM_GET_API_VERSION") != KVM_API_VERSION) {
        perror("/dev/kvm");
        return 1;
    }
    real_mode(kvm);
    if (!bad)
        long_mode(kvm);
    printf(bad ? "KVM-PROGRAM-BAD\n" : "KVM-PROGRAM-OK\n");
    return bad;
}
