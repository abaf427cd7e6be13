/* SPDX-License-Identifier: ISC
 *
 * The loop hears of SIGTERM before it reads what clients send, so an instance that answers a request had not been asked
 * to leave before that request.  One that leaves closes its socket first, then the routing sockets, and its PID file
 * last.  One that was killed holds all of them for as long as the kernel takes to close them.
 */
#include "applets/predecessor.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "applets/pause.h"
#include "lib/clock.h"
#include "lib/usock.h"
#include "lib/wire.h"

#define PREDECESSOR_PATIENCE_MS 5000
#define PREDECESSOR_STEP_MS 10

/* Waits for one step: false when there was time enough, or the daemon is to end. */
static bool predecessor_step(struct daemon *d)
{
	int64_t now = loop_touch(d->loop);

	if (!d->patience) {
		d->patience = now + PREDECESSOR_PATIENCE_MS;
		log_info("another instance is there, waiting a little in case it is about to end");
	}
	return now < d->patience && pause_for(d, PREDECESSOR_STEP_MS) == 0;
}

/* Asks for the interfaces, as every version since 2.4 understands it: false when that cannot be sent. */
static bool predecessor_ask(int fd)
{
	const char *const words[] = { "interfaces" };
	struct buf b = { 0 };
	bool is_sent = wire_put_request(&b, 's', 1, words) &&
		       send(fd, b.p, b.len, MSG_NOSIGNAL) == (ssize_t)b.len;

	buf_free(&b);
	return is_sent;
}

/* True when whoever has our socket answers, or does not end while there is time. */
static bool predecessor_stays(struct daemon *d)
{
	int fd = usock_connect(d->set->socket);
	bool is_asked, stays;
	ssize_t n = 0;
	char byte;

	if (fd < 0)
		return errno == EAGAIN && !predecessor_step(d);
	/* Another program's is left alone, and so is one that cannot be seen from here. */
	stays = !usock_peer_is(fd, "smcroute");
	is_asked = !stays && predecessor_ask(fd);
	while (is_asked && (n = recv(fd, &byte, 1, MSG_DONTWAIT)) < 0 && errno == EAGAIN)
		if (!predecessor_step(d))
			break;
	stays |= n > 0 || (n < 0 && errno == EAGAIN);
	close(fd);
	return stays;
}

bool predecessor_wait(struct daemon *d)
{
	return !predecessor_stays(d) && predecessor_step(d);
}

bool predecessor_wait_closing(struct daemon *d)
{
	return kernel_mroute_is_closing() && predecessor_step(d);
}
