// SPDX-License-Identifier: GPL-2.0-or-later
// Exceptions through several frames, templates, containers, streams.
#include <iomanip>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

struct Noisy {
    std::string name;
    explicit Noisy(std::string n) : name(std::move(n)) { std::cout << "+" << name << "\n"; }
    ~Noisy() { std::cout << "-" << name << "\n"; }
};

template <typename T> T deep(int n, T x)
{
    Noisy here("depth " + std::to_string(n));
    if (n == 0)
        throw std::out_of_range("bottom");
    return deep(n - 1, x + x) + x;
}

int main()
{
    try {
        std::cout << deep<double>(3, 1.5);
    } catch (const std::exception &e) {
        std::cout << "caught " << e.what() << "\n";
    }
    std::map<std::string, std::vector<int>> m;
    for (int i = 0; i < 50; i++)
        m["key" + std::to_string(i % 7)].push_back(i * i);
    for (auto &[k, v] : m)
        std::cout << k << " " << v.size() << " " << v.back() << "\n";
    try {
        std::cout << m.at("none").size();
    } catch (...) {
        std::cout << std::setprecision(17) << 0.1 << " " << std::hex << 255 << "\n";
    }
}
