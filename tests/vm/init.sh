#!/bin/busybox sh
# SPDX-License-Identifier: ISC
# shellcheck shell=dash disable=SC1090,SC2154
#
# Process 1 of a guest: file systems, modules, then the cases that the kernel's command line names in cases=, and off.
# Nothing else is there: no syslog, no /etc/passwd, no /var/run.
. /vm/lib.sh
prepare
for part in second routes handover links tunnels cards bare; do . "/vm/$part.sh"; done
: >$why
link 1 2 3 4
result "four hosts with virtual cards"
# The kernel makes variables of the words of its command line that it does not know.
for c in $(echo "${cases-}" | tr , ' '); do
	t0=$(cut -d. -f1 /proc/uptime)
	"case_$c"
	echo "# $c: $(($(cut -d. -f1 /proc/uptime) - t0)) s"
done
over
