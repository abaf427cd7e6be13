#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Two far hosts and a router between them, in network namespaces of this machine:
# multicast of the one reaches the other once smcrouted runs.  Every command is
# printed.  Root, or a kernel that gives user namespaces; nothing outside is touched.
PATH=$PATH:/usr/sbin:/sbin
cd "$(dirname "$0")/.." || exit 1
SMCROUTE=${SMCROUTE:-$PWD/build/smcroute}
export PATH SMCROUTE PYTHONDONTWRITEBYTECODE=1

if [ "$1" != --inside ]; then
	for flags in -nm -Urnm; do
		unshare $flags true 2>/dev/null && exec unshare $flags sh "$0" --inside
	done
	echo "demo: needs root or user namespaces (sysctl kernel.unprivileged_userns_clone?)" >&2
	exit 77
fi

set -e
mount --make-rprivate /
mount -t tmpfs demo /run
[ -L /var/run ] || mount -t tmpfs demo /var/run
mkdir /run/demo /run/netns
"$SMCROUTE" --install -s /run/demo
PATH=/run/demo:$PATH
trap 'kill $daemon $receiver 2>/dev/null || :' EXIT
daemon='' receiver=''

say() { printf '\n\033[1m# %s\033[0m\n' "$*"; }
run() { echo "\$ $*"; "$@"; }
[ -t 1 ] || say() { printf '\n# %s\n' "$*"; }

# wait_for COMMAND...: until it succeeds, at most ten seconds
wait_for() {
	i=0
	until "$@"; do
		i=$((i + 1))
		[ $i -lt 200 ] || { echo "demo: waited in vain for: $*" >&2; exit 1; }
		sleep 0.05
	done
}

say "The topology:   west eth0 ---- a1 (router) a2 ---- eth0 east"
for side in west:1 east:2; do
	host=${side%:*} n=${side#*:}
	run ip netns add "$host"
	run ip link add "a$n" type veth peer name eth0 netns "$host"
	run ip addr add "10.$n.0.1/24" dev "a$n"
	run ip addr add "fd00:$n::1/64" dev "a$n" nodad
	run ip link set "a$n" up
	run ip -n "$host" addr add "10.$n.0.2/24" dev eth0
	run ip -n "$host" addr add "fd00:$n::2/64" dev eth0 nodad
	run ip -n "$host" link set eth0 up
done
# The kernel makes the route for IPv6 multicast when it has seen the link come up.
wait_for sh -c 'ip -n west -6 route get ff2e::42 oif eth0 >/dev/null 2>&1'

say "The config: one source and group, and a template for any source, in both families"
cat >/run/demo/demo.conf <<'CONF'
mroute from a1 source 10.1.0.2  group 225.1.2.3        to a2
mroute from a1                  group 225.9.0.0/16     to a2
mroute from a1 source fd00:1::2 group ff2e::42         to a2
mroute from a1                  group ff2e::9:0/112    to a2
CONF
run cat /run/demo/demo.conf
run smcroute-check /run/demo/demo.conf

say "The router"
echo '$ smcrouted -n -f /run/demo/demo.conf &'
smcrouted -n -f /run/demo/demo.conf &
daemon=$!
wait_for test -s /run/smcroute.pid

say "east joins four groups"
groups='225.1.2.3 225.9.8.7 ff2e::42 ff2e::9:9'
# shellcheck disable=SC2086
ip netns exec east python3 tests/tools/mcast.py count eth0 20 $groups >/run/demo/east &
receiver=$!
wait_for grep -q listening /run/demo/east

say "west sends 20 packets to each"
for group in $groups; do
	run ip netns exec west python3 tests/tools/mcast.py send eth0 "$group" 20
done

say "What the router has: rules, and one learned entry for each template"
run smcroutectl -p -d show
run ip mroute show
run ip -6 mroute show

say "What east has counted"
rc=0
wait "$receiver" || rc=$?
receiver=
grep -v listening /run/demo/east

say "The end"
run smcroutectl kill
wait "$daemon" || rc=$?
daemon=
[ $rc = 0 ] && echo "All packets arrived." || echo "NOT all packets arrived."
exit $rc
