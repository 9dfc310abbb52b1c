#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Python's own regression tests, as Debian packages them.  PY_MODULES: others; PY_LIMIT and PY_TIMEOUT: seconds
# for all and for each.
. "$(dirname "$0")/../lib.sh"
need_roots
limit=${PY_LIMIT:-500}
modules="test_int test_float test_math test_cmath test_struct test_threading test_signal test_json
test_re test_hashlib test_zlib test_long test_bytes test_array test_complex test_fractions test_thread
test_epoll test_mmap test_fork1 test_wait4 test_fcntl test_fileio test_generators test_heapq test_random
test_strtod test_time test_unicode test_weakref"

guest /usr/bin/python3 -X utf8 -m test -j 2 --timeout "${PY_TIMEOUT:-120}" ${PY_MODULES:-$modules} >"$work/log" 2>&1
status=$?
grep -aE '^(FAIL|ERROR):' "$work/log" | head -30
bad=$(sed -n '/tests\? failed:/,/^$/p' "$work/log" | grep -aoE 'test_[a-z0-9_]+' | sort -u)
ran=$(grep -aoE '^[0-9:.]+ (load avg: [0-9.]+ )?\[ *[0-9]+/[0-9]+(/[0-9]+)?\] test_[a-z0-9_]+( passed)?' "$work/log" | grep -oE 'test_[a-z0-9_]+' | sort -u)
[ $status = 0 ] || [ -n "$bad" ] || tail -20 "$work/log"
for m in ${PY_MODULES:-$modules}; do
    if grep -qx "$m" <<<"$bad" || ! grep -qx "$m" <<<"$ran"; then fail "$m"; else pass "$m"; fi
done
