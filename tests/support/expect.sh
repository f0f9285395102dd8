#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# expect.sh OUTPUT COMMAND...: the command succeeds and prints just that.
wanted=$1
shift
printed=$("$@") || exit 1
[ "$printed" = "$wanted" ] && exit 0
echo "printed: $printed"
echo "wanted:  $wanted"
exit 1
