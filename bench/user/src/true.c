/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nothing at all: what starting a program costs. category: startup */
int main(void)
{
    return 0;
}
