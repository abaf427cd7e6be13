/* SPDX-License-Identifier: ISC */
#include "lab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/if_mib.h>
#include <net/if_types.h>
#include <netinet/in.h>
#include <netinet/in_var.h>
#include <netinet6/in6_var.h>
#include <netinet6/nd6.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/sysctl.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { LAB_ETHER = 14, LAB_IP4 = 20, LAB_IP6 = 40, LAB_UDP = 8, LAB_DATA = 16, LAB_PAUSE_US = 50000 };

static int lab_number, lab_bad;

int64_t lab_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* The kernel mounts the root to be read only. */
static void lab_mount(char *tmp, size_t len)
{
	char type[] = "fstype", tmpfs[] = "tmpfs", path[] = "fspath";
	struct iovec iov[] = { { type, sizeof(type) }, { tmpfs, sizeof(tmpfs) }, { path, sizeof(path) },
		{ tmp, len } };

	if (nmount(iov, 4, 0))
		printf("# no tmpfs on %s: %s\n", tmp, strerror(errno));
}

void lab_start(void)
{
	char tmp[] = "/tmp", run[] = "/var/run";

	if (getpid() == 1) {
		int fd = open("/dev/console", O_RDWR);

		for (int i = 0; i < 3; i++)
			dup2(fd, i);
		lab_mount(tmp, sizeof(tmp));
		lab_mount(run, sizeof(run));
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	setenv("PATH", "/bin", 1);
}

void lab_end(void)
{
	printf("1..%d\nvm: %s\n", lab_number, lab_bad || !lab_number ? "failed" : "passed");
	fflush(stdout);
	sync();
	reboot(RB_POWEROFF);
	_exit(1);
}

void lab_check(bool good, const char *fmt, ...)
{
	va_list ap;

	lab_bad += !good;
	printf("%sok %d - ", good ? "" : "not ", ++lab_number);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

void lab_measured(const char *fmt, ...)
{
	va_list ap;

	printf("# measured: ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

int lab_sysctl(const char *name, int value)
{
	return sysctlbyname(name, NULL, NULL, &value, sizeof(value)) ? errno : 0;
}

/* What fails here is no finding: without interfaces there is nothing to see. */
static void lab_must(bool good, const char *what)
{
	if (good)
		return;
	lab_check(false, "%s: %s", what, strerror(errno));
	lab_end();
}

static void lab_addr4(int s, const struct lab_tap *tap)
{
	struct in_aliasreq req = { 0 };

	strlcpy(req.ifra_name, tap->name, sizeof(req.ifra_name));
	req.ifra_addr = (struct sockaddr_in){ .sin_len = sizeof(req.ifra_addr), .sin_family = AF_INET };
	req.ifra_mask = req.ifra_addr;
	inet_pton(AF_INET, tap->addr4, &req.ifra_addr.sin_addr);
	req.ifra_mask.sin_addr.s_addr = htonl(0xffffff00);
	lab_must(ioctl(s, SIOCAIFADDR, &req) == 0, "SIOCAIFADDR");
}

/* A fresh interface has IPv6 off (nd6 flag IFDISABLED): nothing would pass. */
static void lab_addr6(int s, const struct lab_tap *tap)
{
	struct in6_aliasreq req = { 0 };
	struct in6_ndireq nd = { 0 };

	strlcpy(nd.ifname, tap->name, sizeof(nd.ifname));
	lab_must(ioctl(s, SIOCGIFINFO_IN6, &nd) == 0, "SIOCGIFINFO_IN6");
	nd.ndi.flags = (nd.ndi.flags & ~(unsigned)ND6_IFF_IFDISABLED) | ND6_IFF_AUTO_LINKLOCAL;
	lab_must(ioctl(s, SIOCSIFINFO_IN6, &nd) == 0, "SIOCSIFINFO_IN6");
	strlcpy(req.ifra_name, tap->name, sizeof(req.ifra_name));
	req.ifra_addr = (struct sockaddr_in6){ .sin6_len = sizeof(req.ifra_addr), .sin6_family = AF_INET6 };
	req.ifra_prefixmask = req.ifra_addr;
	inet_pton(AF_INET6, tap->addr6, &req.ifra_addr.sin6_addr);
	memset(&req.ifra_prefixmask.sin6_addr, 0xff, 8);
	req.ifra_lifetime.ia6t_vltime = req.ifra_lifetime.ia6t_pltime = ND6_INFINITE_LIFETIME;
	req.ifra_flags = IN6_IFF_NODAD;
	lab_must(ioctl(s, SIOCAIFADDR_IN6, &req) == 0, "SIOCAIFADDR_IN6");
}

void lab_tap_set(const struct lab_tap *tap, bool up)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq ifr = { 0 };

	strlcpy(ifr.ifr_name, tap->name, sizeof(ifr.ifr_name));
	lab_must(ioctl(s, SIOCGIFFLAGS, &ifr) == 0, "SIOCGIFFLAGS");
	ifr.ifr_flags = (short)(up ? ifr.ifr_flags | IFF_UP : ifr.ifr_flags & ~IFF_UP);
	lab_must(ioctl(s, SIOCSIFFLAGS, &ifr) == 0, "SIOCSIFFLAGS");
	close(s);
}

void lab_tap_make(struct lab_tap *tap, int unit)
{
	int s4 = socket(AF_INET, SOCK_DGRAM, 0), s6 = socket(AF_INET6, SOCK_DGRAM, 0);
	char path[32];

	memset(tap, 0, sizeof(*tap));
	snprintf(path, sizeof(path), "/dev/tap%d", unit);
	tap->fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	lab_must(tap->fd >= 0, path);
	snprintf(tap->name, sizeof(tap->name), "tap%d", unit);
	snprintf(tap->addr4, sizeof(tap->addr4), "10.%d.0.1", unit);
	snprintf(tap->addr6, sizeof(tap->addr6), "fd00:%d::1", unit);
	tap->index = if_nametoindex(tap->name);
	lab_tap_set(tap, true);
	lab_addr4(s4, tap);
	lab_addr6(s6, tap);
	close(s4);
	close(s6);
}

/* With a pause, as an interface that comes at once, in the memory of the one that went, may end the machine:
 * MRT6_DEL_MIF looks at that one (sys/netinet6/ip6_mroute.c, del_m6if_locked; seen twice).  The daemon needs a moment
 * before. */
void lab_tap_destroy(struct lab_tap *tap)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq ifr = { 0 };

	close(tap->fd);
	tap->fd = -1;
	strlcpy(ifr.ifr_name, tap->name, sizeof(ifr.ifr_name));
	lab_must(ioctl(s, SIOCIFDESTROY, &ifr) == 0, "SIOCIFDESTROY");
	close(s);
	usleep(LAB_PAUSE_US);
}

int lab_tap_rename(struct lab_tap *tap, const char *name)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0), bad;
	struct ifreq ifr = { 0 };
	char to[sizeof(tap->name)];

	strlcpy(to, name, sizeof(to));
	strlcpy(ifr.ifr_name, tap->name, sizeof(ifr.ifr_name));
	ifr.ifr_data = to;
	bad = ioctl(s, SIOCSIFNAME, &ifr) ? errno : 0;
	close(s);
	if (!bad)
		strlcpy(tap->name, to, sizeof(tap->name));
	return bad;
}

long lab_tap_drops(const struct lab_tap *tap)
{
	int name[] = { CTL_NET, PF_LINK, NETLINK_GENERIC, IFMIB_IFDATA, (int)tap->index, IFDATA_GENERAL };
	struct ifmibdata data = { .ifmd_flags = 0 };
	size_t size = sizeof(data);

	lab_must(sysctl(name, sizeof(name) / sizeof(*name), &data, &size, NULL, 0) == 0, "IFDATA_GENERAL");
	return (long)data.ifmd_data.ifi_oqdrops;
}

/* RFC 1071, for a header of whole words. */
static uint16_t lab_sum(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void lab_put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* Ethernet, IP and UDP without a checksum (IPv6: the kernel forwards without looking at it). */
static size_t lab_frame(uint8_t *f, int family, const char *source, const char *group, int ttl)
{
	uint8_t *ip = f + LAB_ETHER, *udp;

	memset(f, 0, LAB_ETHER + LAB_IP6 + LAB_UDP + LAB_DATA);
	memcpy(f + 6, "\x02\x00\x5e\x00\x53\x01", 6);
	if (family == 4) {
		lab_put16(f + 12, 0x0800);
		ip[0] = 0x45;
		lab_put16(ip + 2, LAB_IP4 + LAB_UDP + LAB_DATA);
		ip[8] = (uint8_t)ttl;
		ip[9] = IPPROTO_UDP;
		inet_pton(AF_INET, source, ip + 12);
		inet_pton(AF_INET, group, ip + 16);
		lab_put16(ip + 10, lab_sum(ip, LAB_IP4));
		memcpy(f, "\x01\x00\x5e", 3);
		memcpy(f + 3, ip + 17, 3);
		f[3] &= 0x7f;
		udp = ip + LAB_IP4;
	} else {
		lab_put16(f + 12, 0x86dd);
		ip[0] = 0x60;
		lab_put16(ip + 4, LAB_UDP + LAB_DATA);
		ip[6] = IPPROTO_UDP;
		ip[7] = (uint8_t)ttl;
		inet_pton(AF_INET6, source, ip + 8);
		inet_pton(AF_INET6, group, ip + 24);
		memcpy(f, "\x33\x33", 2);
		memcpy(f + 2, ip + 36, 4);
		udp = ip + LAB_IP6;
	}
	lab_put16(udp, 4000);
	lab_put16(udp + 2, 4000);
	lab_put16(udp + 4, LAB_UDP + LAB_DATA);
	return (size_t)(udp - f) + LAB_UDP + LAB_DATA;
}

void lab_send(const struct lab_tap *tap, int family, const char *source, const char *group, int ttl, int n)
{
	uint8_t f[LAB_ETHER + LAB_IP6 + LAB_UDP + LAB_DATA];
	size_t len = lab_frame(f, family, source, group, ttl);

	while (n-- > 0)
		lab_must(write(tap->fd, f, len) == (ssize_t)len, "write to a tap");
}

/* IGMPv3 report 0x22, MLDv2 report 143 (RFC 3376, 3810); advertisements 0x30 and 151 (RFC 4286). */
static void lab_note(struct lab_seen *seen, const uint8_t *f, size_t n, int family, const char *group)
{
	const uint8_t *ip = f + LAB_ETHER, *in;
	uint8_t to[16] = { 0 };
	size_t head = family == 4 ? (size_t)(ip[0] & 15) * 4 : LAB_IP6;
	bool hop = family == 6 && ip[6] == 0;

	if (n < LAB_ETHER + (size_t)(family == 4 ? LAB_IP4 : LAB_IP6) || (ip[0] >> 4) != family)
		return;
	if (hop)
		head += 8 + (size_t)ip[LAB_IP6 + 1] * 8;
	if (n < LAB_ETHER + head + 4)
		return;
	in = ip + head;
	if (group && inet_pton(family == 4 ? AF_INET : AF_INET6, group, to) == 1 &&
	    !memcmp(ip + (family == 4 ? 16 : 24), to, family == 4 ? 4 : 16)) {
		seen->packets++;
		seen->ttl = ip[family == 4 ? 8 : 7];
	}
	if (family == 4 ? ip[9] != IPPROTO_IGMP : !hop || ip[LAB_IP6] != IPPROTO_ICMPV6)
		return;
	seen->reports += in[0] == (family == 4 ? 0x22 : 143);
	if (in[0] == (family == 4 ? 0x30 : 151)) {
		seen->mrdisc++;
		seen->options = hop || head == 24;
	}
}

struct lab_seen lab_see(const struct lab_tap *tap, int family, const char *group, int want, int ms)
{
	struct lab_seen seen = { 0 };
	int64_t end = lab_now() + ms;
	uint8_t f[2048];

	for (;;) {
		struct pollfd p = { .fd = tap->fd, .events = POLLIN };
		bool enough = (group ? seen.packets : seen.reports + seen.mrdisc) >= want;
		int64_t left = end - lab_now();
		ssize_t n;

		if (left <= 0 || poll(&p, 1, (int)(enough && left > 100 ? 100 : left)) <= 0)
			return seen;
		n = read(tap->fd, f, sizeof(f));
		if (n > LAB_ETHER)
			lab_note(&seen, f, (size_t)n, family, group);
	}
}

void lab_drain(const struct lab_tap *tap)
{
	uint8_t f[2048];

	while (read(tap->fd, f, sizeof(f)) > 0)
		;
}
