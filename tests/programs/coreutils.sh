#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# coreutils, findutils, sed, awk, bc, diff, tar, make, file: text and file tools.
. "$(dirname "$0")/../lib.sh"
need_roots
python3 -c '
import random
random.seed(3)
for i in range(3000): print(random.randint(0, 10**6), random.choice(["red", "green", "blue"]), random.random())
' >"$work/data"

same "sort, uniq, cut, join, tr" /bin/sh -c '
sort -n /share/data | head -5; sort -k2,2 -k1,1nr /share/data | sed -n 100,105p
cut -d" " -f2 /share/data | sort | uniq -c; tr a-z A-Z </share/data | tail -2; sort -R --random-source=/share/data /share/data | cksum'
same "checksums" /bin/sh -c 'cd /share; for s in md5 sha1 sha224 sha256 sha384 sha512 b2; do ${s}sum data; done; cksum data; sum data'
same "numbers" /bin/sh -c 'factor 1234567890123456789 18446744073709551557; seq 1 .3 3; numfmt --to=iec 123456789; printf "%.20g %a\n" 0.1 0.1; expr 7 \* 6; shuf -i 1-5 --random-source=/share/data'
same "encodings" /bin/sh -c 'cd /share; base64 data | tail -2; base32 data | tail -1; od -A x -t x1z data | tail -3; fold -w 30 data | tail -2'
same "files and directories" /bin/sh -c '
cd /tmp && mkdir -p a/b/c && cp /share/data a/b && ln -s ../b a/b/c/link && ln a/b/data a/hard && touch -d @1000000000 a/old
chmod 4751 a/old && stat -c "%n %a %s %h %F %Y" a/old && stat -c "%n %s %h %F" a/hard && ls -A a a/b a/b/c && readlink -f a/b/c/link
cp -a a d && mv d e && find e -printf "%y %p\n" | sort && du --apparent-size -b e/hard && rm -r a e && ls
truncate -s 1G big && stat -c %s big && df /tmp >/dev/null && mktemp -u xXXX >/dev/null && echo done'
same "dates" /bin/sh -c 'TZ=UTC date -d @1234567890; TZ=Europe/Berlin date -d @1234567890; date -u -d "2024-02-29 + 1 year" +%F'
same "split, paste, comm, dd" /bin/sh -c 'cd /tmp; split -n 7 /share/data; wc -c x*; cat x* | cmp - /share/data && echo equal; paste xaa xab | head -2; dd if=/share/data bs=100 skip=3 count=2 status=none | cksum'
same "sed and awk" /bin/sh -c '
sed -n "s/\([0-9]*\) red \(.*\)/\2 \1/p" /share/data | head -3
gawk "{ n[\$2] += \$1; s += \$3; t += sin(\$3) * exp(\$3) } END { for (k in n) print k, n[k]; printf \"%.10f %.10f\n\", s, t }" /share/data | sort'
same "bc with many digits" /bin/sh -c 'echo "scale=200; 4*a(1); e(1); 2^500; sqrt(2)" | bc -l'
same "diff, tar, file" /bin/sh -c 'cd /tmp; sort /share/data | tail -50 >a; sort -n /share/data | tail -50 >b; diff a b | tail -3; tar cf t.tar --mtime=@0 --sort=name --owner=0 --group=0 --mode=644 a b; md5sum t.tar; tar tvf t.tar | wc -l; file -b a'
same "make runs jobs in parallel" /bin/sh -c 'cd /tmp; printf "all: a b c d\n%%:\n\t@echo made \$@ >\$@.out\n" >Makefile; make -s -j3 all; cat *.out'
prints "a static program runs" hello guest /bin/busybox echo hello
same "busybox applets" /bin/busybox sh -c 'busybox seq 3 | busybox sha512sum; busybox awk "BEGIN { print 7.5 * 3 }"; busybox gzip -c /share/data | busybox gunzip | busybox md5sum'
same "find, xargs, timeout, env, nice" /bin/sh -c 'find /usr/share/zoneinfo/Europe -name "B*" | sort | xargs -n 4 echo; timeout 0.2 sleep 5; echo $?; env -i A=1 /usr/bin/env; nice -n 5 nice'
