#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The guest's own compiler on a program of several files; git; a Go program; threads in C++.
. "$(dirname "$0")/../lib.sh"
need_roots
limit=200
cp -r "$SRC"/. "$work"

same "gcc compiles and runs a program of several files" /bin/sh -c '
    cd /tmp && cp /share/calc/* . && make -s CC=gcc && ./calc "3 + 4 * (2 - 7) / 2.5" "sqrt(2) ^ 3" "1 / 0" "2 +"'
same "gcc -O3" /bin/sh -c '
    cd /tmp && gcc -O3 -o calc /share/calc/*.c -lm && ./calc "2 ^ 0.5"'
same "g++ with exceptions and templates" /bin/sh -c 'cd /tmp && g++ -O1 -o t /share/except.cc && ./t'

same "git" /bin/bash -c '
    export GIT_AUTHOR_DATE="2024-01-02 03:04:05 +0000" GIT_COMMITTER_DATE="2024-01-02 03:04:05 +0000"
    export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
    cd /tmp && git init -q -b main r && cd r && cp /share/calc/* . && git add . && git commit -qm one &&
    sed -i s/double/float/ parse.c && git commit -qam two && git checkout -qb side HEAD~ && echo x >new && git add new &&
    git commit -qm three && git merge -q -m merge main && git log --graph --oneline --stat && git gc -q && git fsck &&
    git blame -s parse.c | sort | uniq -c | sort -n | tail -1; git clone -q . ../copy && git -C ../copy log --oneline | wc -l'

go_build() {
    GOCACHE=${XDG_CACHE_HOME:-$TOP/build/cache}/go GOPATH=$work/go GOFLAGS=-mod=mod GOOS=linux GOARCH=$1 CGO_ENABLED=0 \
        go build -o "$work/primes.$1" "$SRC/primes.go"
}
# What Go and g++ call the guest.
case $EMU in
*x86_64) goarch=amd64 cxx=g++ ;;
*i386) goarch=386 cxx="g++ -m32 -I/usr/include/$(uname -m)-linux-gnu" ;;
*) goarch=arm64 cxx=aarch64-linux-gnu-g++ ;;
esac
if ! command -v go >/dev/null; then
    skip "a Go program" "needs go"
elif ! go_build $goarch || ! go_build amd64; then
    skip "a Go program" "go cannot compile here"
else
    native /share/primes.amd64 >"$work/.want"
    guest /share/primes.$goarch >"$work/.got" 2>"$work/.err"
    verdict "a Go program with goroutines, channels and a panic"
fi

need ${cxx%% *}
g++ -O2 -static -pthread -o "$work/threads.native" "$SRC/threads.cc"
"$work/threads.native" >"$work/.want"
# threads NAME OPTION...: compiled with them.
threads() {
    if ! $cxx -O2 -static -pthread "${@:2}" -o "$work/$1" "$SRC/threads.cc" 2>"$work/.err"; then
        tail -1 "$work/.err"
        skip "C++ $1: mutexes, conditions, atomics, futures, thread-local" "$cxx cannot compile here"
        return
    fi
    emu "$work/$1" >"$work/.got" 2>"$work/.err"
    verdict "C++ $1: mutexes, conditions, atomics, futures, thread-local"
}
threads threads
[ $goarch != arm64 ] || threads threads_lse -march=armv8.1-a+lse
