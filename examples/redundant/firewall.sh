#!/bin/sh
set -e
# A stays in A, B in B
iptables -A FORWARD -i eth0 -o eth2 -d 239.50.0.0/28 -j ACCEPT
iptables -A FORWARD -i eth1 -o eth3 -d 239.50.0.0/28 -j ACCEPT
# queriers: IGMP is protocol 2
iptables -A INPUT -p 2 -j ACCEPT
