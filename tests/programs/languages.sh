#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Perl, Python, Lua: interpreters on the same scripts as natively.
. "$(dirname "$0")/../lib.sh"
need_roots

cat >"$work/t.pl" <<'EOF'
use strict; use warnings; use POSIX qw(floor ceil strtod); use Time::HiRes; use Digest::SHA qw(sha256_hex);
my %h; $h{length $_} .= "$_ " for sort qw(perl runs regular expressions and hashes quickly); print map { "$_: $h{$_}\n" } sort keys %h;
my $s = "abc123def456" x 100; my $n = () = $s =~ /([a-z]+)(\d+)/g; print "$n\n";
printf "%.15g %e %g %s\n", 1/3, 1e300*10, 2**0.5, 9**20; print join(",", map { floor($_) } -1.5, 2.5), " ", 10 % 3, " ", -10 % 3, "\n";
print unpack("H*", pack("nNvVqd>f<", 1, 2, 3, 4, -5, 1.5, -2.5)), "\n"; print sha256_hex($s), "\n";
my @a = sort { $a <=> $b } map { ($_ * 7919) % 1009 } 1..2000; print "@a[0..5] $a[-1]\n";
my $pid = fork; if (!$pid) { exit 3 } waitpid $pid, 0; print $? >> 8, "\n"; local $SIG{ALRM} = sub { print "alarm\n" }; alarm 1; select undef, undef, undef, 2;
print `echo from a child`; my $r = eval { die { code => 42 } }; print $@->{code}, "\n"; print scalar reverse("olleh"), "\n";
EOF
same "perl" /usr/bin/perl /share/t.pl

cat >"$work/t.py" <<'EOF'
import collections, decimal, fractions, functools, hashlib, itertools, json, math, os, re, struct, subprocess, sys, threading, zlib
print(sys.byteorder, sys.maxsize, sys.float_info.max)
print([round(f(0.7), 15) for f in (math.sin, math.cos, math.tan, math.exp, math.log, math.gamma, math.erf, math.atanh)])
print(2 ** 400, pow(3, 1000, 10 ** 30 + 57), math.factorial(60), math.isqrt(10 ** 61))
print(decimal.Decimal(2).sqrt(decimal.Context(prec=80)), fractions.Fraction(355, 113) ** 5)
print(struct.pack('<efdqHb', 1.1, 2.2, 3.3, -4, 5, -6).hex(), float.hex(0.1), 1e22, 1e23, 5e-324, float('nan'))
print(json.dumps({'a': [1, 2.5, None, True], 'é': '\u20ac'}, sort_keys=True), re.sub(r'(\w+) (\w+)', r'\2 \1', 'hello big wide world'))
data = bytes(i * i % 251 for i in range(100000))
print(hashlib.sha256(data).hexdigest(), hashlib.blake2b(data).hexdigest()[:32], hashlib.sha3_256(data).hexdigest(), zlib.crc32(data), zlib.adler32(data), len(zlib.compress(data)))
total, lock = 0, threading.Lock()
def work():
    global total
    for i in range(2000):
        with lock: total += i
ts = [threading.Thread(target=work) for _ in range(6)]; [t.start() for t in ts]; [t.join() for t in ts]; print(total)
print(subprocess.run(['/bin/sh', '-c', 'echo child; exit 4'], capture_output=True))
print(sorted(collections.Counter(itertools.islice(itertools.cycle('abracadabra'), 1000)).items()))
@functools.lru_cache(None)
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
print(fib(300)); x = 0.0
for i in range(20000): x = math.fmod(x * 1.000123 + math.sin(i), 1000.0)
print(repr(x), int(x * 1e12), round(x, 3), x // 0.37, divmod(-7.5, 2.25)); print(os.popen('printf "%s" popen').read())
try: (lambda f: f(f))(lambda f: f(f))
except RecursionError as e: print('deep recursion is an error')
EOF
same "python" /usr/bin/python3 /share/t.py
cp "$TOP"/bench/user/scripts/* "$work" 2>/dev/null || need "$TOP/bench/user/scripts"
same "lua" /usr/bin/lua5.4 /share/bench.lua 1
same "python, classes and dictionaries" /usr/bin/python3 /share/bench.py 20
