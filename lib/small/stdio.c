/* SPDX-License-Identifier: ISC
 *
 * Standard output and error of the small build: a buffer for the one, none for
 * the other, nothing else.  For musl, whose struct is not declared outside it.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct _IO_FILE {
	int fd;
	bool direct, failed;
	size_t n;		/* bytes in the buffer */
};

static char held[1024];		/* of standard output */
static FILE out = { .fd = STDOUT_FILENO }, err = { .fd = STDERR_FILENO, .direct = true };

FILE *const stdout = &out;
FILE *const stderr = &err;

static bool write_all(FILE *f, const char *p, size_t n)
{
	while (n) {
		ssize_t done = write(f->fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0) {
			f->failed = true;
			return false;
		}
		p += done;
		n -= (size_t)done;
	}
	return true;
}

int fflush(FILE *f)
{
	size_t n = f->n;

	f->n = 0;
	return write_all(f, held, n) ? 0 : EOF;
}

__attribute__((destructor)) static void flush_at_exit(void)
{
	fflush(&out);
}

size_t fwrite(const void *restrict p, size_t size, size_t count, FILE *restrict f)
{
	size_t n = size * count;

	if (n > sizeof held - f->n && fflush(f))
		return 0;
	if (f->direct || n > sizeof held)
		return write_all(f, p, n) ? count : 0;
	memcpy(held + f->n, p, n);
	f->n += n;
	return count;
}

int fputs(const char *restrict s, FILE *restrict f)
{
	size_t n = strlen(s);

	return fwrite(s, 1, n, f) == n ? 0 : EOF;
}

int fputc(int c, FILE *f)
{
	char byte = (char)c;

	return fwrite(&byte, 1, 1, f) ? (unsigned char)byte : EOF;
}

int putc(int c, FILE *f)
{
	return fputc(c, f);
}

int putchar(int c)
{
	return fputc(c, &out);
}

int puts(const char *s)
{
	return fputs(s, &out) || fputc('\n', &out) < 0 ? EOF : 0;
}

int ferror(FILE *f)
{
	return f->failed;
}

int fileno(FILE *f)
{
	return f->fd;
}
