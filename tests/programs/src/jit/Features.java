// SPDX-License-Identifier: GPL-2.0-or-later
// Hot methods, implicit null checks, exceptions, locks, threads, garbage.
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;

class Hello {
    public static void main(String[] args) { System.out.println("hello " + System.getProperty("java.version").split("\\.")[0]); }
}

public class Features {
    static class Node { Node next; int value; Node(Node n, int v) { next = n; value = v; } }
    interface Op { long apply(long x); }
    static long sum(Node n) { long s = 0; for (; n != null; n = n.next) s += n.value; return s; }
    static int deref(Node n) { return n.value; }

    public static void main(String[] args) throws Exception {
        int rounds = Integer.parseInt(args[0]);
        long total = 0; int nulls = 0; double fp = 0;
        Op[] ops = { x -> x + 1, x -> x * 3, x -> x ^ 0x55 };
        for (int r = 0; r < rounds; r++) {
            Node list = null;
            for (int i = 0; i < 5000; i++) list = new Node(list, i ^ r);
            total += sum(list);
            for (int i = 0; i < 2000; i++) {
                try { total += deref(i % 100 == 0 ? null : list); } catch (NullPointerException e) { nulls++; }
                total = ops[i % 3].apply(total);
                fp = fp * 0.999 + Math.sqrt(i) + Math.sin(i) / (i + 1);
            }
        }
        System.out.println(total + " " + nulls + " " + String.format(Locale.ROOT, "%.9f", fp));
        Map<String, Integer> words = new TreeMap<>();
        for (String w : "a b a c b a".split(" ")) words.merge(w, 1, Integer::sum);
        System.out.println(words);
        try { System.out.println(new int[3][rounds % 2 + 5].length / (rounds - rounds)); } catch (ArithmeticException e) { System.out.println(e.getMessage()); }
        AtomicLong atomic = new AtomicLong(); long[] locked = new long[1]; Object lock = new Object();
        ExecutorService pool = Executors.newFixedThreadPool(4);
        for (int t = 0; t < 8; t++) pool.submit(() -> { for (int i = 0; i < 5000; i++) { atomic.addAndGet(i); synchronized (lock) { locked[0]++; } } });
        pool.shutdown(); pool.awaitTermination(60, TimeUnit.SECONDS);
        System.out.println(atomic.get() + " " + locked[0]);
        System.out.println(depth(0) > 500);
    }
    static int depth(int n) { try { return depth(n + 1); } catch (StackOverflowError e) { return n; } }
}
