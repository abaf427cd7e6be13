#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Interfaces may come later, so this need not wait for any.  /run moves to the real root with its socket; there
# `smcrouted -T` goes on, for systemd by init/systemd/takeover.conf.  A systemd in the initramfs ends all processes when
# it moves to the real root, but those whose name begins with an @: so bash starts it, which can give it one.
mkdir -p /run/smcroute
set -- smcrouted -k -u /run/smcroute/smcroute.sock -P /run/smcroute/smcroute.pid
if command -v bash >/dev/null; then
	# shellcheck disable=SC2016
	bash -c 'exec -a @smcroute /usr/local/sbin/smcroute "$@"' bash "$@"
else
	/usr/local/sbin/smcroute "$@"
fi || echo "smcroute: no multicast routing before the real root is there (status $?)" >&2
