#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Started by the kernel through binfmt_misc with flags P, O, C and F (docs/binfmt.md), registered in a
# namespace of its own.
. "$(dirname "$0")/../lib.sh"
need_roots
unshare -Urm sh -c 'mount -t binfmt_misc none /proc/sys/fs/binfmt_misc' 2>/dev/null ||
    { skip "runs" "needs binfmt_misc in a user namespace (Linux 6.7)"; exit 0; }
EMU_BINFMT=1

prints "the machine is aarch64" aarch64 guest /bin/uname -m
prints "children, pipes, scripts" "5
script one two" guest /bin/bash -c 'seq 5 | tail -n 1; printf "#!/bin/sh\necho script \$*\n" >/tmp/s; chmod +x /tmp/s; /tmp/s one two'
prints "argv[0] is what the caller says" "other" guest /bin/bash -c 'exec -a other /bin/bash -c "echo \$0"'
prints "an absolute argv[0] of a link" "/tmp/applet" guest /bin/bash -c 'ln -s /bin/bash /tmp/applet; exec -a /tmp/applet /tmp/applet -c "echo \$0"'
prints "python starts programs" "b'aarch64\\n'" guest /usr/bin/python3 -c 'import subprocess; print(subprocess.check_output(["uname", "-m"]))'
prints "a program that can be executed but not read" "aarch64" guest /bin/bash -c 'cp /bin/uname /tmp/u; chmod 111 /tmp/u; /tmp/u -m'
prints "/proc/self/exe" "/bin/readlink" guest /bin/readlink /proc/self/exe
