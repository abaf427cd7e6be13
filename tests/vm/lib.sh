#!/bin/busybox sh
# SPDX-License-Identifier: ISC
# shellcheck shell=dash
# shellcheck disable=SC2034
#
# What the scripts of a guest share.  The router is the first namespace, the host at its interface aN is hN:
# 10.N.0.1 and fd00:N::1 here, .2 and ::2 there.  Results are TAP.

n=0 why=/tmp/why conf=/etc/smcroute.conf PACKETS=20

# What process 1 does first.
prepare() {
	/bin/busybox --install -s /bin
	export PATH=/sbin:/bin:/usr/bin LC_ALL=C
	mount -t proc proc /proc
	mount -t sysfs sys /sys
	mount -t devtmpfs dev /dev
	mkdir -p /run /tmp
	mount -t tmpfs run /run
	mount -t tmpfs tmp /tmp
	exec </dev/null
	missing=
	while read -r m; do
		insmod "/modules/$m.ko" 2>/tmp/insmod || missing="$missing $m"
	done </modules/order
	# What a firmware said last has no end of line.
	echo
	[ -z "$missing" ] || echo "# modules that did not load:$missing"
	for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 >"$f"; done
	echo 0 2>/dev/null >/proc/sys/net/ipv6/conf/default/accept_dad
	ip link set lo up
	echo "# $(uname -srm), $(smcrouted -v | head -n 1)"
}

# The end of the guest: qemu leaves at a restart, and some machines cannot switch off.
over() {
	echo "# kernel: $(dmesg | grep -E 'BUG|WARNING|Oops|Call Trace|segfault|traps:' | head -n 5)"
	echo "1..$n"
	case $(uname -m) in
	x86_64 | i?86) reboot -f ;;
	*) poweroff -f ;;
	esac
}

# busybox would rather run its own.
ip() { /sbin/ip "$@"; }

# at HOST COMMAND...: there.
at() {
	there=$1
	shift
	[ "$1" != ip ] || { shift; set -- /sbin/ip "$@"; }
	nsenter --net="/run/netns/$there" "$@"
}

quiet() { "$@" >/dev/null 2>&1; }
has_ipv6() { [ -e /proc/net/if_inet6 ]; }
says() { echo "$*" >>$why; }

# result NAME: passed when nobody said anything.
result() {
	n=$((n + 1))
	if [ -s $why ]; then
		sed 's/^/# /' $why
		[ ! -s /tmp/log ] || { echo "# the daemon's log:"; tail -n 12 /tmp/log | sed 's/^/#   /'; }
		echo "not ok $n - $1"
	else
		echo "ok $n - $1"
	fi
	: >$why
}

skip() { n=$((n + 1)); : >$why; echo "ok $n - $1 # SKIP $2"; }

# until_ok SECONDS COMMAND...: tries till it works.
until_ok() {
	tries=$(($1 * 5))
	shift
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		usleep 200000
	done
}

# reaches HOST ADDRESS: a packet there and back, behind all that were sent before.
reaches() { until_ok 60 at "$1" ping -c 1 -W 5 "$2" || says "$1 does not reach $2"; }

# link N...: the interface aN with its host.
link() {
	for i in "$@"; do
		ip netns add "h$i" && at "h$i" ip link set lo up
		at "h$i" sh -c 'echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad' 2>/dev/null
		ip link add "a$i" type veth peer name eth0 netns "h$i" || return
		ip addr add "10.$i.0.1/24" dev "a$i"
		at "h$i" ip addr add "10.$i.0.2/24" dev eth0
		if has_ipv6; then
			ip addr add "fd00:$i::1/64" dev "a$i" nodad
			at "h$i" ip addr add "fd00:$i::2/64" dev eth0 nodad
		fi
		ip link set "a$i" up
		at "h$i" ip link set eth0 up
	done
	for i in "$@"; do
		reaches "h$i" "10.$i.0.1"
		! has_ipv6 || reaches "h$i" "fd00:$i::1"
	done
}

# json NAME: what comes in, for the other side to read.
json() { echo "JSON $1 $(cat)"; }

# daemon ARGS...: in the foreground of a child; ready when the socket answers.
daemon() {
	smcrouted -n -l info "$@" >/tmp/log 2>&1 &
	pid=$!
	until_ok 60 smcroutectl ping || says "the daemon did not come up"
}

stop() {
	quiet smcroutectl kill
	wait "$pid" || says "the daemon ended with $?"
}

# vif IFACE: it has its number, in each family that is routed by what the file says, and entries are made for it.
vif() {
	until_ok 60 grep -q " $1 " /proc/net/ip_mr_vif || says "$1 is not in ip_mr_vif: $(smcroutectl show -j pending)"
	if has_ipv6 && grep -E "[ 	]$1( |$)" $conf | grep -qE 'group [0-9a-f]+:'; then
		until_ok 60 grep -q " $1 " /proc/net/ip6_mr_vif || says "$1 is not in ip6_mr_vif"
	fi
	quiet smcroutectl ping
}

# hears NAME HOST[:DEV] GROUP COUNT SECONDS: receives from now on, into /tmp/got.NAME.
hears() {
	dev=${2#*:}
	[ "$dev" != "$2" ] || dev=eth0
	: >"/tmp/got.$1"
	nsenter --net="/run/netns/${2%%:*}" packets recv "$dev" "$3" "$4" "$5" >"/tmp/got.$1" 2>&1 &
	eval "hears_$1=$!"
	until_ok 60 grep -q ready "/tmp/got.$1" || says "no receiver at $2: $(cat "/tmp/got.$1")"
}

# heard NAME: its end, be it a child of this shell or not; what it got is in $got, $twice, $gap and $first.
heard() {
	eval "wait \$hears_$1" 2>/dev/null
	until_ok 60 grep -q '^[0-9]' "/tmp/got.$1" || says "the receiver $1 did not end: $(cat "/tmp/got.$1")"
	got='' twice='' gap=''
	first=$(sed -n 's/^first //p' "/tmp/got.$1")
	read -r got twice gap <<-HEARD
		$(tail -n 1 "/tmp/got.$1")
	HEARD
}

# flow FROM[:DEV] GROUP TO[:DEV]...: packets from one host reach all the others, each once.  The kernel holds four of a
# new source back until the daemon has said what to do, so the rest follows when the first one is through.
flow() {
	from=$1 group=$2
	shift 2
	case $group in *:*) has_ipv6 || return 0 ;; esac
	for to in "$@"; do hears "${to%%:*}" "$to" "$group" "$PACKETS" 60; done
	dev=${from#*:}
	[ "$dev" != "$from" ] || dev=eth0
	at "${from%%:*}" packets send "$dev" "$group" 1 >/tmp/sent 2>&1 || says "$from to $group: $(cat /tmp/sent)"
	for to in "$@"; do
		until_ok 30 grep -q first "/tmp/got.${to%%:*}" || says "$from to $group: the first packet is not at $to"
	done
	at "${from%%:*}" packets send "$dev" "$group" $((PACKETS - 1)) 10 8 1 >/tmp/sent 2>&1 ||
		says "$from to $group: $(cat /tmp/sent)"
	for to in "$@"; do
		heard "${to%%:*}"
		[ "$got $twice" = "$PACKETS 0" ] ||
			says "$from to $group: ${to%%:*} got $got, $twice twice, of $PACKETS"
	done
}

# nothing FROM GROUP TO: no packet comes there, though the network was quick enough for it.
nothing() {
	hears none "$3" "$2" 0 600
	at "$1" packets send eth0 "$2" 5 10 >/dev/null 2>&1
	reaches "$1" "10.${1#h}.0.1"
	reaches "$3" "10.${3#h}.0.1"
	eval "kill \$hears_none"
	heard none
	[ "$got" = 0 ] || says "$1 to $2: $3 got $got, wanted none"
}

# stream FROM GROUP TO, then lossless WHAT: packets all the time between the two, none is lost.  The rest follows when
# the first one is through, as in flow.
stream() {
	stream_to=$3
	hears stream "$3" "$2" 0 3600
	at "$1" packets send eth0 "$2" 1 >/tmp/sent 2>&1 || says "$1 to $2: $(cat /tmp/sent)"
	until_ok 60 grep -q first /tmp/got.stream || says "$1 to $2: the first packet is not at $3"
	: >/tmp/sent
	nsenter --net="/run/netns/$1" packets send eth0 "$2" 0 10 8 1 >/tmp/sent 2>&1 &
	sender=$!
}

lossless() {
	kill "$sender"
	until_ok 60 test -s /tmp/sent || says "$1: the sender did not end"
	reaches "$stream_to" "10.${stream_to#h}.0.1"
	eval "kill \$hears_stream"
	heard stream
	sent=$(($(cat /tmp/sent) + 1))
	echo "# measured: $1: $got of $sent packets, $gap ms without one at most"
	[ "$got $twice" = "$sent 0" ] || says "$1: got $got of $sent, $twice twice"
}
