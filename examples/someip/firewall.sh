#!/bin/sh
set -e
iptables -A FORWARD -d 224.244.224.245 -p udp --dport 30490 -j ACCEPT
iptables -A FORWARD -i eth0 -o eth1 -s 192.168.10.2 -d 239.192.255.0/24 -j ACCEPT
# services
iptables -A FORWARD -s 192.168.10.0/24 -d 192.168.20.0/24 -j ACCEPT
iptables -A FORWARD -s 192.168.20.0/24 -d 192.168.10.0/24 -j ACCEPT
# queriers: IGMP is protocol 2
iptables -A INPUT -p 2 -j ACCEPT
# TTL 1 to 2
iptables -t mangle -A PREROUTING -d 224.244.224.245 -m ttl --ttl-eq 1 -j TTL --ttl-set 2
