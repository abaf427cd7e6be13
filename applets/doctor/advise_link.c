/* SPDX-License-Identifier: ISC */
#include "applets/doctor/advise_link.h"

#include <stdio.h>
#include <string.h>

#include "applets/doctor/bridge.h"

static const char *const advise_link_state[] = {
	[PORT_DISABLED] = "disabled", [PORT_LISTENING] = "listening", [PORT_LEARNING] = "learning",
	[PORT_FORWARDING] = "forwarding", [PORT_BLOCKING] = "blocking", [PORT_NONE] = "none",
};

static bool advise_link_runs(const struct probe_link *l)
{
	return (l->flags & (LINK_UP | LINK_RUNNING)) == (LINK_UP | LINK_RUNNING);
}

const char *advise_link_port(const struct advice *r, const struct probe_link *bridge, const struct probe_link *port,
			     uint16_t vlan, char *why)
{
	why[0] = '\0';
	if (!advise_link_runs(port))
		snprintf(why, ADVISE_WHY, "%s", port->flags & LINK_UP ?
			 "has no carrier: look at its cable, or the other end" : "is down");
	else if (port->port.state != PORT_FORWARDING)
		snprintf(why, ADVISE_WHY, "is in state %s%s", advise_link_state[port->port.state],
			 bridge->bridge.has_stp == 1 ? " by the spanning tree (STP)" : "");
	else if (!bridge_has_vlan(&r->d->host, bridge, port->ifindex, vlan))
		snprintf(why, ADVISE_WHY, "is not in VLAN %u", vlan);
	return why;
}

const struct probe_link *advise_link_stuck(const struct advice *r, const struct probe_link *bridge, uint16_t vlan,
					   char *why)
{
	const struct probe_link *port = NULL;

	why[0] = '\0';
	if (vlan && !bridge_has_vlan(&r->d->host, bridge, bridge->ifindex, vlan)) {
		snprintf(why, ADVISE_WHY, "itself is not in VLAN %u", vlan);
		return bridge;
	}
	while ((port = bridge_port(&r->d->host, bridge, port)))
		if (*advise_link_port(r, bridge, port, vlan, why))
			break;
	return port;
}

const char *advise_link_trouble(const struct advice *r, const struct probe_link *l, char *why)
{
	char more[ADVISE_WHY];
	const struct probe_link *port = NULL;

	why[0] = '\0';
	if (advise_link_runs(l))
		return why;
	/* A bridge has a carrier while a port of it passes on frames (br_port_state_selection()). */
	if (!strcmp(l->kind, "bridge") && l->flags & LINK_UP)
		port = advise_link_stuck(r, l, 0, more);
	snprintf(why, ADVISE_WHY, "%s%s%s%.90s", !(l->flags & LINK_UP) ? "is down" :
		 port ? "has no carrier: its port " :
		 strcmp(l->kind, "bridge") || bridge_port(&r->d->host, l, NULL) ?
		 "has no carrier: look at its cable, or the other end" : "has no carrier: it has no port",
		 port ? port->name : "", port ? " " : "", port ? more : "");
	return why;
}

void advise_link_port_mend(struct advice *r, const struct probe_link *bridge, const struct probe_link *port,
			   uint16_t vlan)
{
	char word[REMEDY_WORD];

	text_shell_word(word, sizeof word, port->name);
	if (port == bridge) {
		finding_fix(r->f, "bridge vlan add dev %s vid %u self", word, vlan);
	} else if (!(port->flags & LINK_UP)) {
		remedy_link(r->f, port->name, "up");
	} else if (!(port->flags & LINK_RUNNING)) {
		finding_fix(r->f, "%s %s", kernel_word(WORD_LINK_SHOW, FAM_4), word);
	} else if (port->port.state != PORT_FORWARDING) {
		/* With STP the kernel lets nobody else set it (br_set_port_state()). */
		finding_fix(r->f, bridge->bridge.has_stp == 1 ? "bridge -d link show dev %s" :
			    "bridge link set dev %s state 3", word);
	} else if (vlan && !bridge_has_vlan(&r->d->host, bridge, port->ifindex, vlan)) {
		finding_fix(r->f, "bridge vlan add dev %s vid %u", word, vlan);
		finding_or(r->f);
		finding_fix(r->f, "bridge vlan add dev %s vid %u pvid untagged", word, vlan);
	} else {
		finding_fix(r->f, "nft list ruleset bridge");
		finding_fix(r->f, "tc -s filter show dev %s egress", word);
		finding_fix(r->f, "bridge -d link show dev %s", word);
	}
}

void advise_link_mend(struct advice *r, const struct probe_link *l)
{
	const struct probe_link *port = NULL;
	char word[REMEDY_WORD], why[ADVISE_WHY];

	text_shell_word(word, sizeof word, l->name);
	if (!(l->flags & LINK_UP)) {
		const struct probe_link *lower = strcmp(l->kind, "vlan") ? NULL : host_link(&r->d->host, l->lower);

		/* It goes down with what it stands on, and cannot be up without (vlan_dev_open()). */
		if (lower && !(lower->flags & LINK_UP))
			remedy_link(r->f, lower->name, "up");
		remedy_link(r->f, l->name, "up");
		return;
	}
	if (!strcmp(l->kind, "bridge"))
		port = advise_link_stuck(r, l, 0, why);
	if (port)
		advise_link_port_mend(r, l, port, 0);
	else
		finding_fix(r->f, "%s %s", kernel_word(WORD_LINK_SHOW, FAM_4), word);
}
