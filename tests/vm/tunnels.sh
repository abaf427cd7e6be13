#!/bin/busybox sh
# SPDX-License-Identifier: ISC
# shellcheck shell=dash
# shellcheck disable=SC2154
#
# Tunnels to a far router r9, where a second daemon routes for the host h9.

far_up() {
	ip netns add r9
	ip netns add h9
	ip link add a9 type veth peer name up0 netns r9 || return
	ip addr add 10.9.0.1/24 dev a9
	ip link set a9 up
	at r9 sh -c 'for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 >$f; done'
	at r9 ip addr add 10.9.0.2/24 dev up0
	at r9 ip link set up0 up
	at r9 ip link add lan9 type veth peer name eth0 netns h9
	at r9 ip addr add 10.99.0.1/24 dev lan9
	at h9 ip addr add 10.99.0.2/24 dev eth0
	if has_ipv6; then
		ip addr add fd00:9::1/64 dev a9 nodad
		at r9 ip addr add fd00:9::2/64 dev up0 nodad
		at r9 ip addr add fd00:99::1/64 dev lan9 nodad
		at h9 ip addr add fd00:99::2/64 dev eth0 nodad
	fi
	at r9 ip link set lan9 up
	at h9 ip link set eth0 up
	reaches r9 10.9.0.1
	! has_ipv6 || reaches r9 fd00:9::1
	reaches h9 10.99.0.1
}

far_down() {
	quiet ip link del a9
	quiet ip netns del r9
	quiet ip netns del h9
}

# daemons TUNNEL: one on either side, for SSDP and an IPv6 group between h1 and h9.
daemons() {
	far_up
	printf '%s\n' "mgroup from $1 group 239.255.255.250" 'mgroup from a1 group 239.255.255.250' \
		"mroute from $1 group 239.255.255.250 to a1" "mroute from a1 group 239.255.255.250 to $1" \
		"mgroup from $1 group ff05::c" "mroute from $1 group ff05::c to a1" \
		"mroute from a1 group ff05::c to $1" >$conf
	sed 's/a1/lan9/g' $conf >/etc/far.conf
	daemon
	nsenter --net=/run/netns/r9 smcrouted -n -i far -f /etc/far.conf -l info >/tmp/far.log 2>&1 &
	far=$!
	until_ok 60 smcroutectl -u /run/far.sock ping || says "the far daemon did not come up: $(cat /tmp/far.log)"
}

daemons_end() {
	stop
	quiet smcroutectl -u /run/far.sock kill
	wait $far
}

# addresses N DEV [HOST]: 10.200.0.N and fd00:200::N, and it is up.
addresses() {
	number=$1 device=$2 where=${3-}
	${where:+at $where} ip addr add "10.200.0.$number/24" dev "$device"
	! has_ipv6 || ${where:+at $where} ip addr add "fd00:200::$number/64" dev "$device" nodad
	${where:+at $where} ip link set "$device" up multicast on
}

wg_here() {
	ip link add wg0 type wireguard || return
	wg set wg0 listen-port 51820 private-key /tmp/k1 peer "$(cat /tmp/p2)" endpoint 10.9.0.2:51820 \
		allowed-ips 10.200.0.2/32,10.99.0.0/24,224.0.0.0/4,fd00:200::2/128,fd00:99::/64,ff00::/8
	addresses 1 wg0
}

wg_there() {
	at r9 ip link add wg0 type wireguard
	at r9 wg set wg0 listen-port 51820 private-key /tmp/k2 peer "$(cat /tmp/p1)" endpoint 10.9.0.1:51820 \
		allowed-ips 10.200.0.1/32,10.1.0.0/24,224.0.0.0/4,fd00:200::1/128,fd00:1::/64,ff00::/8
	addresses 2 wg0 r9
}

case_wg() {
	if ! ip link add wg0 type wireguard 2>/tmp/out; then
		skip "WireGuard" "$(tr '\n' ' ' </tmp/out)"
		return
	fi
	ip link del wg0
	for i in 1 2; do (umask 077; wg genkey >/tmp/k$i; wg pubkey </tmp/k$i >/tmp/p$i); done
	daemons wg0
	wg_here || says "no wg0 here"
	wg_there
	vif wg0
	until_ok 60 at r9 grep -q ' wg0 ' /proc/net/ip_mr_vif
	reaches r9 10.200.0.1
	flow h1 239.255.255.250 h9
	result "WireGuard: SSDP out"
	flow h9 239.255.255.250 h1
	result "WireGuard: SSDP in"
	flow h1 ff05::c h9
	flow h9 ff05::c h1
	result "WireGuard: IPv6 both ways"
	smcroutectl show -j groups | json wggroups
	paced h1 eth0 239.255.255.250
	for i in 1 2 3; do
		ip link del wg0
		first_after wg0 a1 h9 239.255.255.250 wg_here
	done
	late_is_seen wg0 a1 h9 239.255.255.250 wg_here
	paced_end
	flow h1 239.255.255.250 h9
	flow h9 239.255.255.250 h1
	flow h1 ff05::c h9
	flow h9 ff05::c h1
	smcroutectl show -j interfaces | json wginterfaces
	daemons_end
	quiet ip link del wg0
	far_down
	result "WireGuard: made again under a stream, forwarded within a second"
}

# tunnel NAME TYPE ARGS-HERE -- ARGS-THERE
tunnel() {
	name=$1 type=$2 here=''
	shift 2
	while [ "$1" != -- ]; do here="$here $1"; shift; done
	shift
	daemons tun0
	# shellcheck disable=SC2086
	if ! ip link add tun0 type $type $here 2>/tmp/out; then
		daemons_end
		far_down
		skip "$name" "$(tr '\n' ' ' </tmp/out)"
		return
	fi
	addresses 1 tun0
	# shellcheck disable=SC2086
	at r9 ip link add tun0 type $type "$@" || says "none there"
	addresses 2 tun0 r9
	vif tun0
	reaches r9 10.200.0.1
	until_ok 60 at r9 grep -q ' tun0 ' /proc/net/ip_mr_vif
	flow h1 239.255.255.250 h9
	flow h9 239.255.255.250 h1
	if [ "$type" != ipip ]; then
		flow h1 ff05::c h9
		flow h9 ff05::c h1
	fi
	ip link del tun0
	# shellcheck disable=SC2086
	ip link add tun0 type $type $here
	addresses 1 tun0
	vif tun0
	reaches r9 10.200.0.1
	flow h1 239.255.255.250 h9
	daemons_end
	quiet ip link del tun0
	far_down
	result "$name, made again"
}

case_gre() { tunnel GRE gre local 10.9.0.1 remote 10.9.0.2 ttl 64 -- local 10.9.0.2 remote 10.9.0.1 ttl 64; }
case_gretap() {
	tunnel "GRE with frames" gretap local 10.9.0.1 remote 10.9.0.2 ttl 64 -- local 10.9.0.2 remote 10.9.0.1 ttl 64
}
case_ip6gre() {
	tunnel "GRE over IPv6" ip6gre local fd00:9::1 remote fd00:9::2 -- local fd00:9::2 remote fd00:9::1
}
case_ipip() { tunnel "IP in IP" ipip local 10.9.0.1 remote 10.9.0.2 ttl 64 -- local 10.9.0.2 remote 10.9.0.1 ttl 64; }
case_vxlan() {
	tunnel VXLAN vxlan id 7 local 10.9.0.1 remote 10.9.0.2 dstport 4789 dev a9 -- \
		id 7 local 10.9.0.2 remote 10.9.0.1 dstport 4789 dev up0
}

tun_here() {
	mkdir -p /dev/net
	[ -c /dev/net/tun ] || mknod /dev/net/tun c 10 200
	ip tuntap add tun7 mode tun || return
	ip addr add 10.70.0.1/24 dev tun7
	! has_ipv6 || ip addr add fd00:70::1/64 dev tun7 nodad
	ip link set tun7 up multicast on
}

case_tun() {
	printf '%s\n' 'mroute from a1 source 10.1.0.2 group 225.1.2.4 to tun7' \
		'mroute from a1 source fd00:1::2 group ff2e::42 to tun7' \
		'mroute from tun7 source 10.70.0.2 group 225.1.2.5 to a1' \
		'mroute from tun7 source fd00:70::2 group ff2e::45 to a1' >$conf
	daemon || { result "tun"; return; }
	made "tun" tun_here || return
	vif tun7
	out6=0
	! has_ipv6 || out6=$PACKETS
	packets tun tun7 "$PACKETS" $out6 60 >/tmp/got &
	reader=$!
	until_ok 60 grep -q ready /tmp/got || says "tun7 cannot be read"
	at h1 packets send eth0 225.1.2.4 "$PACKETS" 10 >/dev/null
	! has_ipv6 || at h1 packets send eth0 ff2e::42 "$PACKETS" 10 >/dev/null
	wait $reader
	[ "$(tail -n 1 /tmp/got)" = "$PACKETS $out6" ] || says "out: $(tail -n 1 /tmp/got) of $PACKETS $out6"
	for g in 225.1.2.5 ff2e::45; do
		src=10.70.0.2
		case $g in *:*) src=fd00:70::2; has_ipv6 || continue ;; esac
		hears h1 h1 $g "$PACKETS" 60
		packets tunsend tun7 $src $g "$PACKETS" 10 >/dev/null
		heard h1
		[ "$got $twice" = "$PACKETS 0" ] || says "in: $g: got $got, $twice twice"
	done
	stop
	quiet ip link del tun7
	result "tun"
}
