#!/bin/bash
# SPDX-License-Identifier: ISC
#
# /usr/lib/dracut/modules.d/90smcroute: the program and its configuration, for a router whose packets flow before the
# real root is there.  To be asked for: dracut --add smcroute.
check() {
	require_binaries /usr/local/sbin/smcroute || return 1
	return 255
}

depends() {
	return 0
}

# shellcheck disable=SC2154
install() {
	inst_multiple /usr/local/sbin/smcroute /usr/local/sbin/smcrouted /usr/local/sbin/smcroutectl
	inst_multiple -o /etc/smcroute.conf
	inst_hook pre-udev 90 "$moddir/smcroute.sh"
}
