/* SPDX-License-Identifier: ISC
 *
 * PID file and control socket in a directory where others do what they like: three instances of the daemon, each with a
 * number of its own, and somebody who puts links, pipes, directories, sockets, locked files and any bytes in their
 * place, moves the directory away, or hands over descriptors of anything.  Each byte is a step, with bytes behind it
 * that the step wants.  A step may be kept for later: it is done in the middle of another one, in front of one of its
 * calls of the system, or that call fails.
 *
 * Whatever happens, nothing of somebody else's is written to, and no descriptor is left.  Of a step that nobody came
 * between it is known what comes of it, and that all else stays where it is.
 */
#include "tests/fuzz/files.h"

/* ---- the PID file ---- */

/* Whoever has written a file has not taken the place of another one. */
static void fuzz_check_living(const struct instance *i)
{
	/* Who stops for a second in the middle is taken for dead: see fd_lock_directory(). */
	if (fuzz_has_failed || fuzz_waited >= 1000)
		return;
	for (const struct instance *o = fuzz_instances; o < fuzz_instances + INSTANCES; o++)
		if (o != i && o->is_safe && !o->is_busy && fuzz_ino_of(o) != fuzz_ino_of(i))
			fuzz_wrong("the file of a living instance was replaced");
}

static void fuzz_write_pidfile(struct instance *i)
{
	struct look was = fuzz_look(fuzz_pidfile), is;
	bool is_free = !was.kind || (was.kind == S_IFREG && !was.is_locked) || was.kind == S_IFLNK ||
		       was.kind == S_IFIFO;
	int r, error;

	if (i->f.path)
		return;
	r = pidfile_write(&i->f, fuzz_pidfile);
	error = errno;
	is = fuzz_look(fuzz_pidfile);
	if ((r == 0) != (i->f.path != NULL))
		fuzz_wrong("what it returns and what it holds differ");
	if (r == 0 && fuzz_is_of_others(fuzz_ino_of(i)))
		fuzz_wrong("a file that we did not write is ours");
	if (r == 0)
		fuzz_check_living(i);
	if (!fuzz_is_alone)
		return;
	if (r != (is_free ? 0 : -1) || (r < 0 && was.is_locked && error != EBUSY))
		fuzz_wrong("the PID file is written where it must not be, or not where it must");
	if (r == 0 && (is.kind != S_IFREG || is.ino != fuzz_ino(i->f.fd) || is.names != 1 || !is.is_locked ||
		       is.pid != i->pid))
		fuzz_wrong("the PID file is not as it should be");
	if (r < 0 && is.ino != was.ino)
		fuzz_wrong("what was at the path is gone");
}

/* A descriptor that is handed over: of another instance, of somebody else, of what is there. */
static int fuzz_given(unsigned k)
{
	const struct instance *from = &fuzz_instances[k / 4 % INSTANCES];

	if (k % 4 < 2 && from->f.path && !from->is_busy)
		return fcntl(from->f.fd, F_DUPFD_CLOEXEC, 0);
	if (k % 4 == 2 && fuzz_others_n)
		return fcntl(fuzz_others[k / 4 % fuzz_others_n].fd, F_DUPFD_CLOEXEC, 0);
	return open(fuzz_pidfile, (k & 4 ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_CLOEXEC);
}

static void fuzz_adopt(struct instance *i, unsigned k)
{
	struct look was = fuzz_look(fuzz_pidfile);
	int fd = i->f.path ? -1 : fuzz_given(k);
	ino_t ino = fuzz_ino(fd);
	bool is_good = ino == was.ino && was.kind == S_IFREG && was.names == 1 && was.pid && was.size <= 16;
	const struct instance *from = &fuzz_instances[k / 4 % INSTANCES];
	bool must, is_taken;

	if (fd < 0)
		return;
	must = k % 4 < 2 && is_good && from->is_safe && !from->is_busy;
	is_taken = pidfile_adopt(&i->f, fuzz_pidfile, fd) == 0;
	/* Whose it was is as good as told, and what somebody says while we ask cannot be known here. */
	for (unsigned n = 0; n < fuzz_others_n; n++)
		fuzz_others[n].is_file &= fuzz_ino(fuzz_others[n].fd) != ino || (fuzz_is_alone && !is_taken);
	if (!is_taken) {
		if (fuzz_is_alone && must)
			fuzz_wrong("what was handed over is not taken");
		if (fuzz_is_alone && fuzz_look(fuzz_pidfile).pid != was.pid)
			fuzz_wrong("a file was written to that is not taken");
		close(fd);
		return;
	}
	if (fuzz_is_alone && (!is_good || i->f.before != was.pid || fuzz_look(fuzz_pidfile).pid != i->pid))
		fuzz_wrong("something else was taken over");
}

/* Who lets go leaves the number of whoever goes on, or gives back the one before. */
static void fuzz_release(struct instance *i)
{
	int fd = i->f.path ? fcntl(i->f.fd, F_DUPFD_CLOEXEC, 0) : -1;
	pid_t was = pidfile_get_pid(fd);

	if (i->f.path && i->f.out)
		was = i->f.before;
	pidfile_release(&i->f);
	if (fuzz_is_alone && pidfile_get_pid(fd) != was)
		fuzz_wrong("another number is left");
	if (fd >= 0)
		close(fd);
}

static void fuzz_remove(struct instance *i)
{
	ino_t ours = fuzz_ino_of(i);
	bool is_here = !ours || fuzz_is_here(i->f.dir);
	struct look was = fuzz_look(fuzz_pidfile), is;
	char name[80];

	pidfile_remove(&i->f);
	is = fuzz_look(fuzz_pidfile);
	if (fuzz_is_alone && was.ino && is.ino != (was.ino == ours && is_here ? 0 : was.ino))
		fuzz_wrong("what was at the path stays, or is gone");
	snprintf(name, sizeof name, "%s/s.pid", fuzz_there);
	if (fuzz_is_alone && !is_here && ours && fuzz_look(name).ino == ours)
		fuzz_wrong("it is left where it was moved to");
}

static void fuzz_ask(struct instance *i)
{
	struct look was = fuzz_look(fuzz_pidfile);
	bool is_ours = was.ino && was.ino == fuzz_ino_of(i);
	bool is_lost = pidfile_is_lost(&i->f), is_fixed = pidfile_is_fixed(&i->f);
	pid_t owner = pidfile_owner(fuzz_pidfile), pid = pidfile_read(fuzz_pidfile, false);

	if (pidfile_touch(&i->f) < 0)
		fuzz_wrong("it cannot be touched");
	if (!fuzz_is_alone)
		return;
	if (is_lost && (was.ino || !i->f.path))
		fuzz_wrong("something is there, and it is lost");
	if (!is_lost && i->f.path && i->f.dir && !was.ino && fuzz_is_here(i->f.dir))
		fuzz_wrong("nothing is there, and it is not lost");
	if (is_ours && is_fixed && was.kind == S_IFREG)
		fuzz_wrong("it is fixed");
	if (pid != was.pid || owner != (was.is_locked ? was.pid : 0))
		fuzz_wrong("its owner is somebody else");
}

static void fuzz_retake(struct instance *i)
{
	bool is_safe = i->is_safe && i->f.path;

	if (pidfile_retake(&i->f) == 0) {
		if (i->f.path && fuzz_is_alone && pidfile_get_pid(i->f.fd) != i->pid)
			fuzz_wrong("it has another number");
	} else if (is_safe && fuzz_is_alone) {
		fuzz_wrong("ours cannot be taken back");
	}
}

/* ---- the socket ---- */

/* 0, or what connect(2) says of the path. */
static int fuzz_knock(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error;

	snprintf(a.sun_path, sizeof a.sun_path, "%s", fuzz_socket);
	error = connect(fd, (struct sockaddr *)&a, sizeof a) == 0 ? 0 : errno;
	close(fd);
	return error;
}

static void fuzz_listen(struct instance *i)
{
	struct look was = fuzz_look(fuzz_socket);
	int knock = was.kind == S_IFSOCK ? fuzz_knock() : 0, want = 0;

	if (i->listener >= 0)
		return;
	if (was.kind && was.kind != S_IFSOCK)
		want = EEXIST;
	else if (was.kind && knock != ECONNREFUSED)
		want = EADDRINUSE;
	i->listener = usock_listen(fuzz_socket, 0600, (uid_t)-1, (gid_t)-1, &i->id);
	if (i->listener < 0 && i->id.dir)
		fuzz_wrong("a directory is held");
	if (!fuzz_is_alone)
		return;
	if (i->listener < 0 ? errno != want : want || fuzz_look(fuzz_socket).ino != i->id.ino || fuzz_knock())
		fuzz_wrong("it listens where it must not, or not where it must");
	if (want && fuzz_look(fuzz_socket).ino != was.ino)
		fuzz_wrong("what was in the place of the socket is gone");
}

static void fuzz_close(struct instance *i)
{
	ino_t ours = i->id.ino, was = fuzz_look(fuzz_socket).ino, is;
	bool is_here = fuzz_is_here(i->id.dir);

	usock_remove(fuzz_socket, &i->id);
	if (i->listener >= 0)
		close(i->listener);
	i->listener = -1;
	is = fuzz_look(fuzz_socket).ino;
	if (fuzz_is_alone && was && is != (was == ours && is_here ? 0 : was))
		fuzz_wrong("the socket stays, or what is not ours is gone");
}

/* The listening socket goes to another instance, or something else does in its place. */
static void fuzz_hand_socket(struct instance *i, unsigned k)
{
	struct instance *to = &fuzz_instances[k % INSTANCES];
	bool is_socket = fuzz_look(fuzz_socket).kind == S_IFSOCK;
	struct usock_id id = { 0 };
	int fd = k & 64 && fuzz_others_n ? fuzz_others[0].fd : i->listener;

	if (usock_listens_at(fd, fuzz_socket, k & 128, &id)) {
		if (fuzz_is_alone && !is_socket)
			fuzz_wrong("it listens where there is no socket");
	} else if (fuzz_is_alone && is_socket && fd >= 0 && fd == i->listener) {
		fuzz_wrong("it listens, and is said not to");
	}
	/* Somebody else may have put another socket there, and is to blame. */
	if (to == i || to->is_busy || to->listener >= 0 || fd != i->listener || id.ino != i->id.ino || !id.ino) {
		if (id.dir)
			close(id.dir);
		return;
	}
	to->id = id;
	to->listener = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	usock_listen_again(to->listener);
	if (i->id.dir)
		close(i->id.dir);
	close(i->listener);
	i->id = (struct usock_id){ 0 };
	i->listener = -1;
}

/* While sockets of others come and go one look may miss it: the kernel goes on at a place that has moved (Linux:
 * net/unix/af_unix.c, unix_from_bucket()). */
static bool fuzz_is_listed(void)
{
	int looks = 10;

	while (!usock_is_listed(fuzz_socket) && looks)
		looks--;
	return looks;
}

static void fuzz_call(void)
{
	struct look pid = fuzz_look(fuzz_pidfile);
	int knock = fuzz_knock(), fd = usock_connect(fuzz_socket), error = errno;

	/* The first of us has the number of this process. */
	if (usock_may_be(fuzz_socket, fuzz_program) != (pid.pid == fuzz_instances[0].pid) && fuzz_is_alone)
		fuzz_wrong("a socket of ours is not known as such, or one of others is");
	/* The one before may have been the last that there is room for. */
	if (fuzz_is_alone && fd < 0 && !knock && error != EAGAIN)
		fuzz_wrong("who listens is not reached");
	if (fd >= 0 && (usock_peer_pid(fd) != (getpid)() || !usock_peer_may(fd, getuid()) ||
			!usock_peer_is(fd, fuzz_program) || usock_peer_is(fd, "no such")))
		fuzz_wrong("somebody else is at the other end");
	if (fd >= 0 && usock_peer_is_elsewhere(fd))
		fuzz_wrong("it is said to be in another network");
	if (fd >= 0)
		close(fd);
	for (const struct instance *i = fuzz_instances; i < fuzz_instances + INSTANCES; i++)
		if (i->listener >= 0 && fd_is_at(fuzz_socket, i->id.dev, i->id.ino) && fuzz_is_alone &&
		    !fuzz_is_listed())
			fuzz_wrong("who listens is not listed");
}

/* ---- steps ---- */

static bool fuzz_is_busy(void)
{
	bool is = false;

	for (int k = 0; k < INSTANCES; k++)
		is |= fuzz_instances[k].is_busy;
	return is;
}

static void fuzz_own(struct instance *i, unsigned what)
{
	bool is_inside = fuzz_is_busy();

	if (i->is_busy)
		return;
	i->is_busy = true;
	fuzz_pid = i->pid;
	fuzz_is_alone = true;
	fuzz_has_failed = false;
	fuzz_waited = 0;
	switch (what) {
	case 0: case 1: fuzz_write_pidfile(i); break;
	case 2: case 3: fuzz_adopt(i, fuzz_byte()); break;
	case 4: fuzz_retake(i); break;
	case 5: pidfile_settle(&i->f); break;
	case 6: fuzz_release(i); break;
	case 7: fuzz_remove(i); break;
	case 8: fuzz_ask(i); break;
	case 9: case 10: fuzz_listen(i); break;
	case 11: fuzz_close(i); break;
	case 12: fuzz_hand_socket(i, fuzz_byte()); break;
	default: fuzz_call();
	}
	i->is_busy = false;
	fuzz_see_safe();
	/* What another one is about to take over is not written to by mistake. */
	if (!is_inside)
		fuzz_check_others();
}

static void fuzz_do(unsigned step)
{
	const char *const names[] = { fuzz_name, fuzz_pidfile, fuzz_socket, fuzz_new };
	unsigned what = step % 32;

	if (what < 14)
		fuzz_own(&fuzz_instances[step / 32 % INSTANCES], what);
	else
		fuzz_disturb(names[step / 32 % 4], fuzz_byte());
}

static void fuzz_keep_for_later(void)
{
	static const int errors[] = { ENOSPC, EPERM, EIO, EROFS, EDQUOT, EMFILE, EBADF, EACCES };
	unsigned k = fuzz_byte();

	fuzz_later.is_on = true;
	fuzz_later.calls = k / 8;
	fuzz_later.error = 0;
	if (k & 1)
		fuzz_later.error = errors[fuzz_byte() % 8];
	else
		fuzz_later.step = fuzz_byte();
}

/* ---- beginning and end ---- */

static void fuzz_empty(const char *path, bool is_gone)
{
	DIR *dir = opendir(path);
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (e->d_name[0] != '.' && unlinkat(dirfd(dir), e->d_name, 0) < 0)
			unlinkat(dirfd(dir), e->d_name, AT_REMOVEDIR);
	if (dir)
		closedir(dir);
	if (is_gone)
		rmdir(path);
}

static void fuzz_clean(void)
{
	fuzz_empty(fuzz_here, true);
	fuzz_empty(fuzz_there, true);
	fuzz_empty(fuzz_dir, true);
}

static void fuzz_begin(void)
{
	char path[64];

	if (*fuzz_here)
		return;
	if (!proc_name((getpid)(), fuzz_program, sizeof fuzz_program))
		fuzz_wrong("no /proc here");
	/* In memory it is four times as fast. */
	if ((!mkdtemp(strcpy(fuzz_dir, "/dev/shm/fuzz-files-XXXXXX")) &&
	     !mkdtemp(strcpy(fuzz_dir, "/tmp/fuzz-files-XXXXXX"))) || atexit(fuzz_clean))
		fuzz_wrong(strerror(errno));
	for (unsigned k = 0; k < FOREIGN; k++) {
		snprintf(path, sizeof path, "%s/foreign%u", fuzz_dir, k);
		fuzz_foreign_fd[k] = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
		if (write(fuzz_foreign_fd[k], fuzz_foreign[k], strlen(fuzz_foreign[k])) < 0)
			fuzz_wrong(strerror(errno));
	}
	snprintf(fuzz_there, sizeof fuzz_there, "%s/e", fuzz_dir);
	snprintf(fuzz_here, sizeof fuzz_here, "%s/d", fuzz_dir);
	snprintf(fuzz_pidfile, sizeof fuzz_pidfile, "%s/s.pid", fuzz_here);
	snprintf(fuzz_socket, sizeof fuzz_socket, "%s/s.sock", fuzz_here);
	snprintf(fuzz_name, sizeof fuzz_name, "%s/x", fuzz_here);
	snprintf(fuzz_new, sizeof fuzz_new, "%s/s.pid.new", fuzz_here);
	mkdir(fuzz_here, 0700);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint64_t open;

	fuzz_begin();
	open = fuzz_descriptors();
	fuzz_at = p;
	fuzz_end = p + n;
	fuzz_later.is_on = false;
	for (int k = 0; k < INSTANCES; k++)
		/* No process has the other ones. */
		fuzz_instances[k] = (struct instance){ .pid = k ? 100000000 + k : (getpid)(), .listener = -1 };
	for (unsigned steps = 0; fuzz_at < fuzz_end && steps < STEPS; steps++) {
		unsigned step = fuzz_byte();

		if (step % 32 >= 27)
			fuzz_keep_for_later();
		else
			fuzz_do(step);
	}
	fuzz_later.is_on = false;
	for (struct instance *i = fuzz_instances; i < fuzz_instances + INSTANCES; i++) {
		fuzz_own(i, 7);
		fuzz_own(i, 11);
	}
	fuzz_forget_others();
	fuzz_empty(fuzz_here, false);
	if (fuzz_is_moved)
		fuzz_empty(fuzz_there, true);
	fuzz_is_moved = false;
	if (fuzz_descriptors() != open)
		fuzz_wrong("a descriptor stays open");
	return 0;
}
