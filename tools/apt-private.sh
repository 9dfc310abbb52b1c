# SPDX-License-Identifier: GPL-2.0-or-later
# A private apt configuration; sourced, not run.  The machine's own one stays as it is.
#   apt_private DIR LINE...   LINE: "deb SUITE" or "deb-src SUITE", from the mirror that this machine
#                             has Debian 12 from; sets APT_CONFIG and fetches the package lists
apt_private() {
    local apt=$1 keyring=/usr/share/keyrings/debian-archive-keyring.gpg mirror line
    shift
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' \
        'Codename: bookworm' | head -n 1)
    [ -n "$mirror" ] || { echo "$0: apt knows no Debian archive here" >&2; return 1; }
    mkdir -p "$apt"/{lists/partial,cache/archives/partial,etc/apt.conf.d,etc/preferences.d}
    : > "$apt/status"
    for line; do
        echo "${line% *} [signed-by=$keyring] $mirror ${line#* } main"
    done > "$apt/sources.list"
    cat > "$apt/apt.conf" <<EOF
Dir "$apt"; Dir::State "$apt"; Dir::State::lists "$apt/lists"; Dir::State::status "$apt/status";
Dir::Cache "$apt/cache"; Dir::Etc "$apt/etc"; Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "/dev/null"; Dir::Etc::main "/dev/null";
Dir::Bin::Methods "/usr/lib/apt/methods"; APT::Sandbox::User ""; Acquire::Languages "none";
EOF
    export APT_CONFIG=$apt/apt.conf
    apt-get -qq update >&2
}
