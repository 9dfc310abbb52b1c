# SPDX-License-Identifier: GPL-2.0-or-later
# Strip the authentication code (DDI 0487, C6.2 XPACD, and the Strip() pseudocode).

# a lower-half pointer keeps its tag
# in:  x0=0x12345f1f4c05c1fb
# out: x0=0x12005f1f4c05c1fb
    xpaci   x0

# an upper-half pointer has no tag
# in:  x0=0xf4965f1f4c05c1fb
# out: x0=0xffff5f1f4c05c1fb
    xpacd   x0
