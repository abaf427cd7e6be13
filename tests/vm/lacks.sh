#!/bin/busybox sh
# SPDX-License-Identifier: ISC
# shellcheck shell=dash disable=SC1090,SC2154
#
# Process 1 of a guest that names what its kernel lacks: lacks= on the kernel's command line has the options.  There may
# be no namespaces and no /proc, so packets come in by one tun device and go out by another.
. /vm/lib.sh
prepare
: >$why
log=/tmp/log

lacking() { case ",${lacks-}," in *",$1,"*) ;; *) false ;; esac; }
routes() { ! lacking "$1_MROUTE" && ! { [ "$1" = IPV6 ] && lacking IPV6; }; }

# wanted WHAT: the options that are to be named, of each family the ones that matter: to a start, to one with -t
# (tables), to -H (host).  That IP_MULTICAST is missing can be seen in /proc only.
wanted() {
	for f in IP IPV6; do
		if [ $f = IPV6 ] && lacking IPV6; then
			echo CONFIG_IPV6
		elif lacking ${f}_MROUTE; then
			echo CONFIG_${f}_MROUTE
			[ "$1" != tables ] || echo CONFIG_${f}_MROUTE_MULTIPLE_TABLES
			[ $f = IPV6 ] || [ ! -e /proc/net/dev ] || ! lacking IP_MULTICAST || echo CONFIG_IP_MULTICAST
		else
			no_tables='' no_pim=''
			! lacking ${f}_MROUTE_MULTIPLE_TABLES || no_tables=CONFIG_${f}_MROUTE_MULTIPLE_TABLES
			! lacking ${f}_PIMSM_V2 || no_pim=CONFIG_${f}_PIMSM_V2
			case $1 in
			start) echo "$no_pim" ;;
			tables) echo "${no_tables:-$no_pim}" ;;
			host) printf '%s\n' "$no_tables" "$no_pim" ;;
			esac
		fi
	done | sort -u | grep .
}

# names WHAT FILE: the file names these options and no others.
names() {
	grep -o 'CONFIG_[A-Z0-9_]*' "$2" | sort -u | tr '\n' ' ' >/tmp/named
	wanted "$1" | tr '\n' ' ' >/tmp/wanted
	cmp -s /tmp/named /tmp/wanted || says "$1: named: $(cat /tmp/named), not: $(cat /tmp/wanted)"
	sed "s/^/# $1: /" "$2"
}

tun() {
	ip tuntap add "$1" mode tun || says "no tun device: TUN is not in this kernel"
	ip addr add "10.$2.0.1/24" dev "$1"
	lacking IPV6 || ip addr add "fd00:$2::1/64" dev "$1" nodad
	ip link set "$1" up multicast on
}

# through FAMILIES: of each the packets of a rule with a source and those of a new source, as many as the kernel keeps
# until the daemon has said what to do, come out.
through() {
	n4=0 n6=0
	for f in $1; do case $f in IP) n4=24 ;; *) n6=24 ;; esac; done
	packets tun tun8 $n4 $n6 60 >/tmp/got &
	reader=$!
	until_ok 60 grep -q ready /tmp/got || says "tun8 cannot be read"
	[ $n6 = 0 ] || until_ok 60 sh -c '/sbin/ip -6 route show table local | grep -q "ff00::/8 dev tun8"' ||
		says "no IPv6 way out: $(ip -6 route show table local)"
	for f in $1; do
		src=10.70.0.2 groups='225.1.2.4 225.1.2.5'
		[ "$f" = IP ] || src=fd00:70::2 groups='ff2e::44 ff2e::45'
		packets tunsend tun7 $src "${groups% *}" 20 10 >/dev/null || says "tunsend: $?"
		packets tunsend tun7 $src "${groups#* }" 4 10 >/dev/null || says "tunsend: $?"
	done
	wait $reader
	[ "$(tail -n 1 /tmp/got)" = "$n4 $n6" ] || says "out: $(tail -n 1 /tmp/got) of $n4 $n6"
}

start() {
	smcrouted -n -l info "$@" >$log 2>&1 &
	pid=$!
}

# over_none WHAT: no family is routed, and that is the end.
over_none() {
	wait $pid
	rc=$?
	[ $rc = 76 ] || says "exit $rc without any routing"
	names "$1" $log
}

mkdir -p /dev/net
[ -c /dev/net/tun ] || mknod /dev/net/tun c 10 200
tun tun7 70
tun tun8 80
printf '%s\n' 'mroute from tun7 source 10.70.0.2 group 225.1.2.4 to tun8' 'mroute from tun7 group 225.1.2.5 to tun8' \
	'mroute from tun7 source fd00:70::2 group ff2e::44 to tun8' 'mroute from tun7 group ff2e::45 to tun8' \
	'mgroup from tun7 group 225.1.2.5' >$conf
families='' tables=''
for f in IP IPV6; do
	! routes $f || families="$families $f"
	! routes $f || lacking ${f}_MROUTE_MULTIPLE_TABLES || tables="$tables $f"
done

start
if [ "$families" ]; then
	until_ok 60 smcroutectl ping || says "no daemon"
	names start $log
	result "start: what the kernel lacks is named, nothing else"
	through "$families"
	smcroutectl show -j routes 2>&1 | json routes
	smcroutectl show -j pending 2>&1 | json pending
	smcroutectl reload >/tmp/out 2>&1 || says "reload: exit $?: $(cat /tmp/out)"
	quiet smcroutectl flush || says "flush: $?"
	through "$families"
	result "the rest is routed:$families"
	smcroutectl upgrade >/tmp/out 2>&1 || says "upgrade: exit $?: $(cat /tmp/out)"
	until_ok 60 smcroutectl ping || says "no daemon after the upgrade"
	through "$families"
	smcroutectl kill >/tmp/out 2>&1 || says "kill: $(cat /tmp/out)"
	result "upgrade, and end"
else
	over_none start
	result "no family is routed: exit 76, and what the kernel lacks is named"
fi
smcroute-check -H >/tmp/out 2>&1
[ $? -le 1 ] || says "-H: exit"
names host /tmp/out
result "smcroute-check -H: what the kernel lacks is named, nothing else"

start -t 100
if [ "$tables" ]; then
	until_ok 60 smcroutectl ping || says "no daemon with -t"
	names tables $log
	for f in $tables; do
		six=''
		[ "$f" = IP ] || six=-6
		ip $six mrule add iif tun7 lookup 100 || says "no ip $six mrule"
	done
	through "$tables"
	smcroutectl kill >/tmp/out 2>&1 || says "kill: $(cat /tmp/out)"
	result "-t 100: what the kernel lacks is named, the rest is routed:$tables"
else
	over_none tables
	result "-t 100: exit 76, and what the kernel lacks is named"
fi
over
