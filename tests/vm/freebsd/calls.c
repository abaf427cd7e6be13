/* SPDX-License-Identifier: ISC */
#include "facts.h"

#include <sys/param.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/icmp6.h>
#include <netinet/igmp.h>
#include <netinet/ip_mroute.h>
#include <netinet6/in6_var.h>
#include <netinet6/ip6_mroute.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int facts_set(int s, int level, int option, const void *value, size_t n)
{
	return setsockopt(s, level, option, value, (socklen_t)n) ? errno : 0;
}

static int facts_open(int family, int proto, int level, int option)
{
	int s = socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, proto), one = 1, bad;

	if (s < 0)
		return -errno;
	bad = facts_set(s, level, option, &one, sizeof(one));
	if (!bad)
		return s;
	close(s);
	return -bad;
}

int facts_open4(void)
{
	return facts_open(AF_INET, IPPROTO_IGMP, IPPROTO_IP, MRT_INIT);
}

int facts_open6(void)
{
	return facts_open(AF_INET6, IPPROTO_ICMPV6, IPPROTO_IPV6, MRT6_INIT);
}

int facts_vif_add4(int s, unsigned vif, const char *addr)
{
	struct vifctl v = { .vifc_vifi = (vifi_t)vif, .vifc_threshold = 1 };

	inet_pton(AF_INET, addr, &v.vifc_lcl_addr);
	return facts_set(s, IPPROTO_IP, MRT_ADD_VIF, &v, sizeof(v));
}

int facts_vif_add6(int s, unsigned mif, unsigned ifindex)
{
	struct mif6ctl m = { .mif6c_mifi = (mifi_t)mif, .mif6c_pifi = (u_short)ifindex };

	return facts_set(s, IPPROTO_IPV6, MRT6_ADD_MIF, &m, sizeof(m));
}

int facts_vif_del4(int s, unsigned vif)
{
	vifi_t v = (vifi_t)vif;

	return facts_set(s, IPPROTO_IP, MRT_DEL_VIF, &v, sizeof(v));
}

int facts_vif_del6(int s, unsigned mif)
{
	mifi_t m = (mifi_t)mif;

	return facts_set(s, IPPROTO_IPV6, MRT6_DEL_MIF, &m, sizeof(m));
}

static int facts_entry4(int s, const struct facts_entry *e, int option)
{
	struct mfcctl m = { .mfcc_parent = (vifi_t)e->parent };

	inet_pton(AF_INET, e->source, &m.mfcc_origin);
	inet_pton(AF_INET, e->group, &m.mfcc_mcastgrp);
	for (int i = 0; i < MAXVIFS; i++)
		m.mfcc_ttls[i] = e->outputs >> i & 1;
	return facts_set(s, IPPROTO_IP, option, &m, sizeof(m));
}

static struct sockaddr_in6 facts_sin6(const char *text)
{
	struct sockaddr_in6 a = { .sin6_len = sizeof(a), .sin6_family = AF_INET6 };

	inet_pton(AF_INET6, text, &a.sin6_addr);
	return a;
}

static int facts_entry6(int s, const struct facts_entry *e, int option)
{
	struct mf6cctl m = { .mf6cc_origin = facts_sin6(e->source), .mf6cc_mcastgrp = facts_sin6(e->group),
		.mf6cc_parent = (mifi_t)e->parent };

	for (int i = 0; i < 32; i++)
		if (e->outputs >> i & 1)
			IF_SET(i, &m.mf6cc_ifset);
	return facts_set(s, IPPROTO_IPV6, option, &m, sizeof(m));
}

int facts_add4(int s, const struct facts_entry *e)
{
	return facts_entry4(s, e, MRT_ADD_MFC);
}

int facts_add6(int s, const struct facts_entry *e)
{
	return facts_entry6(s, e, MRT6_ADD_MFC);
}

int facts_del4(int s, const struct facts_entry *e)
{
	return facts_entry4(s, e, MRT_DEL_MFC);
}

int facts_del6(int s, const struct facts_entry *e)
{
	return facts_entry6(s, e, MRT6_DEL_MFC);
}

struct facts_counts facts_counts4(int s, const struct facts_entry *e)
{
	struct sioc_sg_req req = { 0 };

	inet_pton(AF_INET, e->source, &req.src);
	inet_pton(AF_INET, e->group, &req.grp);
	if (ioctl(s, SIOCGETSGCNT, &req))
		return (struct facts_counts){ 0 };
	return (struct facts_counts){ .packets = req.pktcnt, .wrong = req.wrong_if };
}

struct facts_counts facts_counts6(int s, const struct facts_entry *e)
{
	struct sioc_sg_req6 req = { .src = facts_sin6(e->source), .grp = facts_sin6(e->group) };

	if (ioctl(s, SIOCGETSGCNT_IN6, &req))
		return (struct facts_counts){ 0 };
	return (struct facts_counts){ .packets = (unsigned long)req.pktcnt, .wrong = (unsigned long)req.wrong_if };
}

struct facts_upcall facts_upcall(int s, int family, int ms)
{
	struct facts_upcall up = { .type = -1 };
	int64_t end = lab_now() + ms;
	uint8_t b[2048];

	while (lab_now() < end) {
		struct pollfd p = { .fd = s, .events = POLLIN };
		struct mrt6msg m6;
		struct igmpmsg m4;
		ssize_t n;

		if (poll(&p, 1, (int)(end - lab_now())) <= 0)
			break;
		n = recv(s, b, sizeof(b), 0);
		memcpy(&m4, b, sizeof(m4));
		memcpy(&m6, b, sizeof(m6));
		if (family == 4 && n >= (ssize_t)sizeof(m4) && m4.im_mbz == 0)
			return (struct facts_upcall){ .type = m4.im_msgtype, .vif = m4.im_vif, .bytes = (int)n };
		if (family == 6 && n >= (ssize_t)sizeof(m6) && m6.im6_mbz == 0) {
			up = (struct facts_upcall){ .type = m6.im6_msgtype, .vif = m6.im6_mif, .bytes = (int)n };
			memcpy(up.source, &m6.im6_src, sizeof(up.source));
			return up;
		}
	}
	return up;
}

void facts_ignore(int s)
{
	uint8_t b[2048];

	while (recv(s, b, sizeof(b), MSG_DONTWAIT) > 0)
		;
}
