#!/bin/busybox sh
# SPDX-License-Identifier: ISC
# shellcheck shell=dash disable=SC2154
#
# The daemon becomes process 1 here, without -n; a child tries it out.
. /vm/lib.sh
prepare
printf '%s\n' 'mroute from a1 group 225.1.2.4 to a2' 'mroute from a1 group ff2e::42 to a2' >$conf
sh /vm/pid1_child.sh &
exec smcrouted
