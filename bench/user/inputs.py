#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the inputs of the benchmarks that are not kept in the tree.  usage: inputs.py DIRECTORY"""
import os
import random
import subprocess
import sys

STATEMENTS = ['a+=b*%d;', 'b^=a>>%d;', 'if((a^b)&%d) a-=g[%d]; else b+=3;', 'g[a&63]+=b+%d;',
              'a=(a<<%d)|(b>>3);', 'if(b>a) b=a+%d;']


def cold_code(functions):
    """A C program of many small functions that are each called once."""
    random.seed(1)
    out = ['#include <stdio.h>\n#include <stdlib.h>\ntypedef unsigned long u;static u g[64];']
    for k in range(functions):
        out.append(f'__attribute__((noinline)) static u f{k}(u a,u b){{')
        for _ in range(random.randint(6, 14)):
            s = random.choice(STATEMENTS)
            out.append(s % tuple(random.randint(1, 31) for _ in range(s.count('%d'))))
        out.append('return a^b;}')
    table = ','.join(f'f{k}' for k in range(functions))
    out.append(f'static u (*const T[])(u,u)={{{table}}};int main(int c,char**v){{int r=c>1?atoi(v[1]):1;'
               'u a=1,b=2;for(int i=0;i<r;i++)for(unsigned k=0;k<sizeof T/sizeof*T;k++)'
               '{u t=T[k](a,b);b=a;a=t;}printf("%lu\\n",a);return 0;}')
    return '\n'.join(out) + '\n'


def text(size):
    """Something to compress: words, some binary, some repetition."""
    random.seed(7)
    letters = 'abcdefghijklmnopqrstuvwxyz'
    words = [''.join(random.choice(letters) for _ in range(random.randint(2, 10)))
             for _ in range(4000)]
    out = bytearray()
    while len(out) < size:
        k = random.random()
        if k < .85:
            out += (' '.join(random.choices(words, k=60)) + '\n').encode()
        elif k < .95:
            out += bytes(random.getrandbits(6) * 2 for _ in range(400))
        else:
            out += out[-5000:-2000] if len(out) > 6000 else b'x'
    return out


def main():
    os.makedirs(sys.argv[1], exist_ok=True)
    os.chdir(sys.argv[1])
    if os.path.exists('f20'):
        return
    open('cold.c', 'w').write(cold_code(12000))
    open('cc1.c', 'w').write(cold_code(100))
    subprocess.run(['gcc', '-E', 'cc1.c', '-o', 'cc1.i'], check=True)
    data = text(20_000_000)
    for name, size in ('f2', 2_000_000), ('f5', 5_000_000), ('f20', 20_000_000):
        open(name, 'wb').write(data[:size])


if __name__ == '__main__':
    main()
