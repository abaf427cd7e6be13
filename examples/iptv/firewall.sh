#!/bin/sh
set -e
for room in eth1.20 eth1.30; do
	iptables -A FORWARD -i eth0.10 -o $room -s 10.20.0.8/30 -d 232.10.0.0/26 -j ACCEPT
done
# the provider asks for memberships: IGMP is protocol 2
iptables -A INPUT -p 2 -j ACCEPT
