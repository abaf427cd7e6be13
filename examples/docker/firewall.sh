#!/bin/sh
set -e
iptables -I DOCKER-USER -i eth0 -o docker0 -d 239.1.2.3 -j ACCEPT
iptables -I DOCKER-USER -i docker0 -o eth0 -d 239.4.0.0/16 -j ACCEPT
