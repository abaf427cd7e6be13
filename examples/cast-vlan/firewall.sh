#!/bin/sh
set -e
# searches and announcements
iptables -A FORWARD -i eth0.10 -o eth0.20 -d 239.255.255.250 -p udp --dport 1900 -j ACCEPT
iptables -A FORWARD -i eth0.20 -o eth0.10 -d 239.255.255.250 -p udp --dport 1900 -j ACCEPT
# answers to a search; reports of Sonos players; whatever people want of devices
iptables -A FORWARD -i eth0.20 -o eth0.10 -p udp --sport 1900 -j ACCEPT
for port in 3400 3401 3500; do
	iptables -A FORWARD -i eth0.20 -o eth0.10 -p tcp --dport $port -j ACCEPT
done
iptables -A FORWARD -i eth0.10 -o eth0.20 -d 192.168.20.0/24 -j ACCEPT
# queriers, IGMP is protocol 2; mDNS for the reflector
iptables -A INPUT -p 2 -j ACCEPT
iptables -A INPUT -i eth0.10 -p udp --dport 5353 -j ACCEPT
iptables -A INPUT -i eth0.20 -p udp --dport 5353 -j ACCEPT
