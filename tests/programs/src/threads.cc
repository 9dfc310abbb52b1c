// SPDX-License-Identifier: GPL-2.0-or-later
// Threads: counts that come out wrong when an atomic, a lock or a wake-up is lost.
#include <atomic>
#include <condition_variable>
#include <future>
#include <iostream>
#include <mutex>
#include <numeric>
#include <queue>
#include <shared_mutex>
#include <thread>
#include <vector>

static const int THREADS = 8, ROUNDS = 20000;
static thread_local long mine;

template <typename F> static void in_threads(F f)
{
    std::vector<std::thread> ts;
    for (int i = 0; i < THREADS; i++)
        ts.emplace_back(f, i);
    for (auto &t : ts)
        t.join();
}

static void counters()
{
    std::atomic<long> a{0}, b{0}, cas{0};
    std::atomic<unsigned char> byte{0};
    std::atomic<unsigned short> half{0};
    std::mutex m;
    long locked = 0;
    in_threads([&](int id) {
        for (int i = 0; i < ROUNDS; i++) {
            a.fetch_add(i & 3);
            b.fetch_xor(1L << (id + i % 8), std::memory_order_relaxed);
            byte.fetch_add(1);
            half.fetch_sub(3);
            for (long o = cas.load(); !cas.compare_exchange_weak(o, o + id + 1);)
                ;
            std::lock_guard<std::mutex> l(m);
            locked += ++mine & 1;
        }
    });
    std::cout << a << " " << b << " " << int(byte) << " " << half << " " << cas << " " << locked << "\n";
}

static void queue()
{
    std::queue<int> q;
    std::mutex m;
    std::condition_variable cv;
    bool done = false;
    std::atomic<long> sum{0};
    std::thread producer([&] {
        for (int i = 1; i <= ROUNDS; i++) {
            std::lock_guard<std::mutex> l(m);
            q.push(i);
            cv.notify_one();
        }
        std::lock_guard<std::mutex> l(m);
        done = true;
        cv.notify_all();
    });
    in_threads([&](int) {
        for (;;) {
            std::unique_lock<std::mutex> l(m);
            cv.wait(l, [&] { return done || !q.empty(); });
            if (q.empty())
                return;
            sum += q.front();
            q.pop();
        }
    });
    producer.join();
    std::cout << sum << "\n";
}

// Store buffering must not be seen with sequentially consistent atomics; message passing must hold.
static void ordering()
{
    long bad = 0;
    for (int i = 0; i < 2000; i++) {
        std::atomic<int> x{0}, y{0}, ready{0};
        int r1 = 0, r2 = 0, data = 0;
        std::thread t([&] {
            x = 1;
            r1 = y;
            data = 42;
            ready.store(1, std::memory_order_release);
        });
        y = 1;
        r2 = x;
        while (!ready.load(std::memory_order_acquire))
            ;
        bad += data != 42;
        t.join();
        bad += r1 == 0 && r2 == 0;
    }
    std::cout << "violations " << bad << "\n";
}

int main()
{
    counters();
    queue();
    ordering();
    std::shared_mutex sm;
    long value = 0;
    in_threads([&](int id) {
        for (int i = 0; i < 2000; i++) {
            if (i % 10 == id) {
                std::unique_lock<std::shared_mutex> l(sm);
                value++;
            } else {
                std::shared_lock<std::shared_mutex> l(sm);
            }
        }
    });
    std::vector<std::future<long>> fs;
    for (int i = 0; i < 20; i++)
        fs.push_back(std::async(std::launch::async, [i] { return (long)i * i; }));
    std::cout << value << " " << std::accumulate(fs.begin(), fs.end(), 0L, [](long s, auto &f) { return s + f.get(); }) << "\n";
}
