#!/bin/sh
set -e
# searches and announcements
iptables -A FORWARD -i br-lan -o wg0 -d 239.255.255.250 -p udp --dport 1900 -j ACCEPT
iptables -A FORWARD -i wg0 -o br-lan -d 239.255.255.250 -p udp --dport 1900 -j ACCEPT
# answers, and what was found
iptables -A FORWARD -i br-lan -o wg0 -s 192.168.1.0/24 -d 10.9.0.0/24 -j ACCEPT
iptables -A FORWARD -i wg0 -o br-lan -s 10.9.0.0/24 -d 192.168.1.0/24 -j ACCEPT
# switches and routers that ask for memberships: IGMP is protocol 2
iptables -A INPUT -p 2 -j ACCEPT
