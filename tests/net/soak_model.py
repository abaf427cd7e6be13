# SPDX-License-Identifier: ISC
#
# What rules mean, for the soak: a list and a loop, written without a look at the engine.
import ipaddress

ANY = {4: ipaddress.ip_network("0.0.0.0/0"), 6: ipaddress.ip_network("::/0")}


def network(text):
    return ipaddress.ip_network(text, strict=False)


class Rules:
    """Routes by who asks for them, config or client: (iif, sources, groups) -> names of outputs."""

    def __init__(self):
        self.config, self.client = {}, {}

    @staticmethod
    def key(iif, source, group):
        group = network(group)
        return iif, network(source) if source else ANY[group.version], group

    def line(self, key, outputs):
        """A line of the configuration."""
        iif, source, group = key
        return (f"mroute from {iif} " + (f"source {source} " if source.prefixlen else "") + f"group {group}" +
                (f" to {' '.join(sorted(outputs))}" if outputs else "") + "\n")

    def all(self):
        both = {key: set(outputs) for key, outputs in self.config.items()}
        for key, outputs in self.client.items():
            both.setdefault(key, set()).update(outputs)
        return both


def means(name, iface, flags):
    if name.endswith("+"):
        return iface.startswith(name[:-1]) and "MULTICAST" in flags and "LOOPBACK" not in flags
    return name == iface


def is_inside(narrow, wide):
    return narrow[1:] != wide[1:] and narrow[1].subnet_of(wide[1]) and narrow[2].subnet_of(wide[2])


def decide(rules, ifaces, iif, source, group):
    """Outputs of a packet by Rules.all() and the interfaces there are, name -> flags; None: no rule covers it."""
    source, group = ipaddress.ip_address(source), ipaddress.ip_address(group)
    matching = [key for key in rules if key[2].version == group.version and means(key[0], iif, ifaces[iif])
                and source in key[1] and group in key[2]]
    deciding = [key for key in matching if not any(is_inside(other, key) for other in matching)]
    if not matching:
        return None
    out = set()
    for key in deciding:
        if not rules[key]:
            return set()
        for name in rules[key]:
            out |= {i for i, flags in ifaces.items() if means(name, i, flags) and (i != iif or name == iif)}
    return out


def statics(rules, ifaces):
    """(source, group) of the entries that must be there whether a packet came or not."""
    return {(str(source[0]), str(group[0])) for iif, source, group in rules
            if source.num_addresses == 1 and group.num_addresses == 1 and
            any(means(iif, i, flags) for i, flags in ifaces.items())}
