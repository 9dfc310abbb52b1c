// SPDX-License-Identifier: GPL-2.0-or-later
// What a JavaScript engine does with code: optimise, throw it away, compile WebAssembly and
// regular expressions, run in workers.
const { Worker } = require('worker_threads');
function add(a, b) { return a + b; }
let n = 0;
for (let i = 0; i < 300000; i++) n = add(n, i & 7);
console.log(n, add('a', 1), add(1.5, 2), add({}, []));     // deoptimised
function thrower(i) { if (i % 1000 === 0) throw new Error('at ' + i); return i; }
let caught = 0;
for (let i = 1; i < 20000; i++) try { thrower(i); } catch (e) { caught++; }
console.log(caught);
function* gen(k) { for (let i = 0; i < k; i++) yield i * i; }
console.log([...gen(10)].join(), /(\d+)-(?<word>\w+)/.exec('x 12-abc y').groups.word);
console.log('aaaa'.repeat(1000).replace(/a(?=a)/g, 'b').length, 2n ** 200n, Math.fround(1 / 3), Math.hypot(3, 4));
console.log(JSON.stringify(new Float64Array([0.1, 1e21, -0])), new Int32Array([1, 2, 3]).map((x) => x << 30).join());
const wasm = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 127, 1, 127, 3, 2, 1, 0, 7, 7, 1, 3, 102, 97, 99,
    0, 0, 10, 23, 1, 21, 0, 32, 0, 69, 4, 127, 65, 1, 5, 32, 0, 32, 0, 65, 1, 107, 16, 0, 108, 11, 11]);
const fac = new WebAssembly.Instance(new WebAssembly.Module(wasm)).exports.fac;
let f = 0;
for (let i = 0; i < 5000; i++) f = (f + fac(i % 13)) | 0;
console.log(fac(10), f);
const w = new Worker('require("worker_threads").parentPort.postMessage([1,2,3].map(x => x * x))', { eval: true });
w.on('message', (m) => console.log('worker', m.join()));
