#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Shells: expansion, arithmetic, pipes, subshells, traps, jobs.
. "$(dirname "$0")/../lib.sh"
need_roots

cat >"$work/script" <<'EOF'
uname -s
declare -A count
for w in the quick brown fox jumps over the lazy dog the end; do ((count[$w]++)); done
for w in "${!count[@]}"; do echo "$w ${count[$w]}"; done | sort
fib() { (($1 < 2)) && echo "$1" || echo $(($(fib $(($1 - 1))) + $(fib $(($1 - 2))))); }
fib 9
echo $((2 ** 62 + 7 % 3)) $((-17 / 5)) $((-17 % 5)) $((0xff ^ 0x0f)) $((1 << 40))
printf '%05d|%-8s|%x|%e\n' 42 left 255 12345.678
s="hello world"; echo "${s^^} ${s/o/0} ${s:3:5} ${#s} ${s//l/L}"
while read -r a b; do echo "$b-$a"; done < <(printf '1 one\n2 two\n3 three\n')
trap 'echo got usr1' USR1; kill -USR1 $$; trap 'echo bye' EXIT
(sleep 0.05; exit 7) & wait $!; echo "child said $?"
seq 1 1000 | grep 7 | wc -l
x=$(for i in $(seq 200); do echo $i; done | tail -n 1); echo "$x"
mkfifo /tmp/f; echo through fifo > /tmp/f & cat /tmp/f; wait
[[ foo123 =~ ^([a-z]+)([0-9]+)$ ]] && echo "${BASH_REMATCH[1]} ${BASH_REMATCH[2]}"
cat <<< "here string"; false || echo or; ! true; echo $?
ulimit -n; (ulimit -n 100; ulimit -n)
kill -l 15; (kill -9 $BASHPID); echo "status $?"
EOF
same "a bash script does as natively" /bin/bash /share/script

cat >"$work/dash" <<'EOF'
#!/bin/dash
set -e
n=0; while [ $n -lt 300 ]; do n=$((n + 1)); done; echo $n
echo "$0 $# $*"
(exec echo from exec)
command -v sh; test -x /bin/sh && echo yes
EOF
chmod +x "$work/dash"
same "a script with an interpreter line is executed" /share/dash one "two three"
same "100 short processes" /bin/sh -c 'i=0; while [ $i -lt 100 ]; do /bin/echo $i; i=$((i+1)); done'
machine=$(basename "$EMU"); machine=${machine#qemu-}; [ "$machine" != i386 ] || machine=i686
[ "${machine#emu}" = "$machine" ] || machine=aarch64
prints "the machine is $machine" "$machine" guest /bin/uname -m
prints "uname of a child is $machine" "$machine" guest /bin/sh -c '/bin/uname -m; :'
