/* SPDX-License-Identifier: ISC
 *
 * strerror(3) of the small build: the errors that a router gets to see, in the
 * words of glibc, so that the small program says what the other one says.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define ERRORS(is) \
	is(0, "Success") \
	is(EPERM, "Operation not permitted") \
	is(ENOENT, "No such file or directory") \
	is(ESRCH, "No such process") \
	is(EINTR, "Interrupted system call") \
	is(EIO, "Input/output error") \
	is(ENXIO, "No such device or address") \
	is(E2BIG, "Argument list too long") \
	is(ENOEXEC, "Exec format error") \
	is(EBADF, "Bad file descriptor") \
	is(ECHILD, "No child processes") \
	is(EAGAIN, "Resource temporarily unavailable") \
	is(ENOMEM, "Cannot allocate memory") \
	is(EACCES, "Permission denied") \
	is(EBUSY, "Device or resource busy") \
	is(EEXIST, "File exists") \
	is(EXDEV, "Invalid cross-device link") \
	is(ENODEV, "No such device") \
	is(ENOTDIR, "Not a directory") \
	is(EISDIR, "Is a directory") \
	is(EINVAL, "Invalid argument") \
	is(ENFILE, "Too many open files in system") \
	is(EMFILE, "Too many open files") \
	is(ENOTTY, "Inappropriate ioctl for device") \
	is(ETXTBSY, "Text file busy") \
	is(EFBIG, "File too large") \
	is(ENOSPC, "No space left on device") \
	is(EROFS, "Read-only file system") \
	is(EMLINK, "Too many links") \
	is(EPIPE, "Broken pipe") \
	is(ENAMETOOLONG, "File name too long") \
	is(ENOSYS, "Function not implemented") \
	is(ELOOP, "Too many levels of symbolic links") \
	is(ENODATA, "No data available") \
	is(EPROTO, "Protocol error") \
	is(EOVERFLOW, "Value too large for defined data type") \
	is(ENOTSOCK, "Socket operation on non-socket") \
	is(EMSGSIZE, "Message too long") \
	is(EPROTOTYPE, "Protocol wrong type for socket") \
	is(ENOPROTOOPT, "Protocol not available") \
	is(EPROTONOSUPPORT, "Protocol not supported") \
	is(ESOCKTNOSUPPORT, "Socket type not supported") \
	is(EOPNOTSUPP, "Operation not supported") \
	is(EAFNOSUPPORT, "Address family not supported by protocol") \
	is(EADDRINUSE, "Address already in use") \
	is(EADDRNOTAVAIL, "Cannot assign requested address") \
	is(ENETDOWN, "Network is down") \
	is(ENETUNREACH, "Network is unreachable") \
	is(ECONNABORTED, "Software caused connection abort") \
	is(ECONNRESET, "Connection reset by peer") \
	is(ENOBUFS, "No buffer space available") \
	is(ENOTCONN, "Transport endpoint is not connected") \
	is(ETIMEDOUT, "Connection timed out") \
	is(ECONNREFUSED, "Connection refused") \
	is(EHOSTUNREACH, "No route to host") \
	is(ESTALE, "Stale file handle") \
	is(EDQUOT, "Disk quota exceeded")

#define NUMBER(no, text) no,
#define TEXT(no, text) text "\0"

char *strerror(int e)
{
	static const uint16_t numbers[] = { ERRORS(NUMBER) };
	static const char texts[] = ERRORS(TEXT);
	static char unknown[sizeof "Unknown error -2147483648"];
	const char *text = texts;

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++, text += strlen(text) + 1)
		if (numbers[i] == e)
			return (char *)(size_t)text;
	snprintf(unknown, sizeof unknown, "Unknown error %d", e);
	return unknown;
}
