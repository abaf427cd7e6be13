#!/bin/sh
set -e
for range in 239.10.0.0/16 239.20.0.0/16; do
	iptables -A FORWARD -i eth1 -o gre1 -d $range -j ACCEPT
	iptables -A FORWARD -i gre1 -o eth1 -d $range -j ACCEPT
done
# answers
iptables -A FORWARD -s 192.168.10.0/24 -d 192.168.20.0/24 -j ACCEPT
iptables -A FORWARD -s 192.168.20.0/24 -d 192.168.10.0/24 -j ACCEPT
# the tunnel itself, GRE is protocol 47; queriers, IGMP is 2
iptables -A INPUT -p 47 -j ACCEPT
iptables -A INPUT -p 2 -j ACCEPT
