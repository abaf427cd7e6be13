#!/bin/busybox sh
# SPDX-License-Identifier: ISC
# shellcheck shell=dash
# shellcheck disable=SC2154
#
# Two network cards on one cable, one here and one in a host.  Unlike a pair of veth a card drops what nobody has asked
# it for: the multicast that is routed comes in only because the kernel asks for all of it where there is a VIF.

cards_up() {
	ip netns add h5
	ip link set eth0 name c5 || return
	ip link set eth1 netns h5 name eth0
	at h5 sh -c 'echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad' 2>/dev/null
	ip addr add 10.5.0.1/24 dev c5
	at h5 ip addr add 10.5.0.2/24 dev eth0
	if has_ipv6; then
		ip addr add fd00:5::1/64 dev c5 nodad
		at h5 ip addr add fd00:5::2/64 dev eth0 nodad
	fi
	ip link set c5 up
	at h5 ip link set eth0 up
	reaches h5 10.5.0.1
	! has_ipv6 || reaches h5 fd00:5::1
}

case_cards() {
	if [ ! -e /sys/class/net/eth1 ]; then
		skip "network cards" "this kernel has none of the two"
		return
	fi
	cards_up || says "no card"
	# Nobody has asked for it: the card keeps it, or this would try nothing.
	before=$(cat /sys/class/net/c5/statistics/rx_packets)
	at h5 packets send eth0 225.1.2.4 50 1 >/tmp/sent 2>&1 || says "$(cat /tmp/sent)"
	reaches h5 10.5.0.1
	after=$(cat /sys/class/net/c5/statistics/rx_packets)
	[ $((after - before)) -lt 50 ] || says "the card passed $((after - before)) packets that nobody asked for"
	printf '%s\n' 'mroute from c5 group 225.1.2.4 to a1' 'mroute from c5 group ff2e::44 to a1' \
		'mroute from a1 group 225.1.2.5 to c5 c5.7' 'mroute from a1 group ff2e::45 to c5' \
		'mroute from c5.7 group 225.1.2.7 to a1' >$conf
	daemon || { result "network cards"; return; }
	flow h5 225.1.2.4 h1
	flow h5 ff2e::44 h1
	flow h1 225.1.2.5 h5
	flow h1 ff2e::45 h5
	result "network cards, both families, both ways"
	ip link add link c5 name c5.7 type vlan id 7 && ip addr add 10.57.0.1/24 dev c5.7 && ip link set c5.7 up ||
		says "no VLAN"
	at h5 ip link add link eth0 name eth0.7 type vlan id 7
	at h5 ip addr add 10.57.0.2/24 dev eth0.7
	at h5 ip link set eth0.7 up
	vif c5.7
	reaches h5 10.57.0.1
	flow h5:eth0.7 225.1.2.7 h1
	flow h1 225.1.2.5 h5:eth0.7
	stop
	flags=$(cat /sys/class/net/c5/flags)
	[ $((flags & 0x200)) = 0 ] || says "ALLMULTI is left: $flags"
	ip link del c5.7
	ip link set c5 down
	quiet ip netns del h5
	result "network cards, a VLAN on them; the card is given back"
}
