/* SPDX-License-Identifier: ISC
 *
 * The environment in the small build: looked at and taken from, nothing is put there.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char **find(const char *name)
{
	size_t n = strlen(name);
	char **at = environ;

	while (at && *at && (strncmp(*at, name, n) || (*at)[n] != '='))
		at++;
	return at && *at ? at : NULL;
}

char *getenv(const char *name)
{
	char **at = find(name);

	return at ? strchr(*at, '=') + 1 : NULL;
}

int unsetenv(const char *name)
{
	for (char **at; (at = find(name)); )
		for (; *at; at++)
			at[0] = at[1];
	return 0;
}
