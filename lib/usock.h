/* SPDX-License-Identifier: ISC
 *
 * Unix stream sockets by path: listening without ever taking the place of a living one, connecting without waiting, and
 * who is at the other end.  What is said over them is not known here.
 */
#ifndef LIB_USOCK_H
#define LIB_USOCK_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

/* Descriptors in one message, less than SCM_MAX_FD of the kernel (include/net/scm.h: 253). */
#define USOCK_FDS 128

/* Which file a socket was bound to, so that only that one is removed. */
struct usock_id {
	dev_t dev;
	ino_t ino;		/* 0: none */
	int dir;		/* of fd_directory() */
};

/* Returns a non-blocking listening socket at path, owned by uid and gid (-1 = ours).  A dead socket is replaced.  -1
 * with errno: EADDRINUSE somebody answers there (or might), EEXIST a file of another kind, ENAMETOOLONG, and what
 * bind(2) says. */
int usock_listen(const char *path, mode_t mode, uid_t uid, gid_t gid, struct usock_id *id);

/* True when fd, that another process has listened on, does so at path, and a socket is there, for usock_remove().  With
 * is_known the path is known to lead there, and may be another one than that which it was made by. */
bool usock_listens_at(int fd, const char *path, bool is_known, struct usock_id *id);

/* Removes path if it is still the socket that usock_listen() made, wherever that is now, and closes what id holds. */
void usock_remove(const char *path, struct usock_id *id);

/* Returns a non-blocking connected socket, or -1 with errno: EAGAIN the listener is behind, ECONNREFUSED nobody
 * listens, ENOENT, EACCES, ENAMETOOLONG. */
int usock_connect(const char *path);

/* Sends a text with n descriptors, at most USOCK_FDS, which stay open here (unix(7), SCM_RIGHTS), on a connected socket
 * or, unless that is NULL, to an address of so many bytes.  As sendmsg(2). */
ssize_t usock_send(int fd, const char *text, const int *fds, unsigned n, void *address, socklen_t len, int flags);

/* What came with bytes. */
struct usock_beside {
	int fds[USOCK_FDS];	/* n descriptors, closed on exec, which are the caller's now */
	unsigned n;
	pid_t pid;		/* who sent it, where usock_ask_sender() asked for that and he can be seen; or 0 */
	int flags;		/* MSG_TRUNC, MSG_CTRUNC: not all came over */
};

/* Room for what usock_sender() reads, in the control part of a message: not more than this on any system. */
#define USOCK_SENDER_SPACE 512

/* Has each message to a datagram socket tell who sent it.  0, or -1 with errno. */
int usock_ask_sender(int fd);

/* The process that sent a message, of a part of what came beside it; 0 when that part is something else. */
pid_t usock_sender(const struct cmsghdr *c);

/* Gives a datagram socket a name that others can send to, and writes it as NOTIFY_SOCKET has it: one without a file,
 * begun by '@', where the system has such, else a path, which usock_unname() removes.  0, or -1 with errno. */
int usock_name(int fd, char *name, size_t size);
void usock_unname(const char *name);

/* Receives at most size bytes, without waiting.  As recvmsg(2); when it fails nothing came beside them. */
ssize_t usock_receive(int fd, void *bytes, size_t size, struct usock_beside *beside);

/* The process at the other end, or 0 when it cannot be seen from here. */
pid_t usock_peer_pid(int fd);

/* True when the process at the other end was of user uid or root when it connected. */
bool usock_peer_may(int fd, uid_t uid);

/* True when the command name of the process at the other end begins so; false also when it cannot be seen from here. */
bool usock_peer_is(int fd, const char *begin);

/* True when the name of a socket begins so, or the process does whose PID file is beside it (X.pid for X.sock): asked
 * before a connection, which might upset a stranger. */
bool usock_may_be(const char *path, const char *begin);

/* False when /proc/net/unix, which has the sockets of this network namespace alone, is there and has none that listens
 * at this path. */
bool usock_is_listed(const char *path);

/* Has a socket that another process listened on name this one to who connects: that is the one that called listen(2)
 * last (Linux: net/unix/af_unix.c, unix_listen(); FreeBSD: sys/kern/uipc_usrreq.c, uipc_listen()). */
void usock_listen_again(int fd);

/* True when the process at the other end is in another network namespace; false also when that cannot be seen. */
bool usock_peer_is_elsewhere(int fd);

#endif
