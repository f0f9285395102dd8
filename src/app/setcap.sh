#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Run by "meson install" with -Dsetcap=true: setcap.sh PROGRAM, its path without DESTDIR. It gets a
# file capability, never a setuid bit. What is staged under DESTDIR gets none: archives do not carry
# it, so that the package has to set it where it is unpacked.
set -eu
program=$1
command="setcap cap_net_raw+p $program"
if [ -n "${DESTDIR:-}" ]; then
    echo "staged, without a file capability: let the package run \"$command\" once it is unpacked"
elif [ "$(id -u)" -ne 0 ]; then
    echo "not root: to let every user open raw sockets through sonde, run \"sudo $command\""
else
    PATH=$PATH:/usr/sbin:/sbin setcap cap_net_raw+p "$program"
fi
