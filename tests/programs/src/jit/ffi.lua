-- SPDX-License-Identifier: GPL-2.0-or-later
-- C calls and callbacks from compiled traces, 64-bit integers, coroutines.
local ffi = require("ffi")
ffi.cdef [[ int abs(int); double sqrt(double); void qsort(void *, size_t, size_t, int (*)(const int *, const int *));
            int snprintf(char *, size_t, const char *, ...); ]]
local a = ffi.new("int[?]", 200)
for i = 0, 199 do a[i] = (i * 7919) % 1009 end
ffi.C.qsort(a, 200, 4, function(x, y) return x[0] - y[0] end)
print(a[0], a[1], a[100], a[199])
local s = 0
for i = 1, 200000 do s = s + ffi.C.abs(-i) % 7 + ffi.C.sqrt(i) end
print(string.format("%.6f", s))
local x = 1ULL
for i = 1, 64 do x = x * 6364136223846793005ULL + 1442695040888963407ULL end
print(x)
local buf = ffi.new("char[64]")
ffi.C.snprintf(buf, 64, "%d %s %.3f", ffi.new("int", 42), "text", 2.5)
print(ffi.string(buf))
local co = coroutine.wrap(function() for i = 1, 1000 do coroutine.yield(i) end end)
local t = 0
for i = 1, 1000 do t = t + co() end
print(t, pcall(error, "message"))
