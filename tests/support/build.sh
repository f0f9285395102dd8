# SPDX-License-Identifier: BSD-2-Clause
# What check.sh and run-all.sh share; both are in the project's folder then.
status=0

# configure DIRECTORY OPTION...: configure, in what is there of an earlier time.
configure() {
    dir=$1
    shift
    verb=setup
    [ ! -e "$dir/build.ninja" ] || verb=configure
    meson "$verb" "$dir" "$@" >"$dir.log" 2>&1 || { cat "$dir.log"; exit 1; }
    rm -f "$dir.log"
}

# setup DIRECTORY OPTION...: configure and build.
setup() {
    configure "$@"
    ninja -C "$dir" --quiet || exit 1
}

# The build that most tests are made with: gcc, both kinds of library.
setup_plain() {
    setup build-test -Dwerror=true -Ddefault_library=both
}

# run DIRECTORY OPTION...: run tests. What fails is said once more at the end. Many of them only
# wait for a network, so twice as many go side by side as there are cores.
run() {
    MESON_TESTTHREADS=$((2 * $(nproc))) \
        meson test -C "$@" --no-rebuild --print-errorlogs || status=1
}
