/* SPDX-License-Identifier: ISC */
#include "applets/doctor/started.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/probe.h"
#include "lib/proc.h"

#define STARTED_WORDS 128

const char *const started_dirs[STARTED_DIRS] = { RUNSTATEDIR, "/run" };

/* Reads the options of smcrouted (applets/smcrouted.c). */
static void started_options(struct started *l, size_t len)
{
	char *words[STARTED_WORDS + 1], **argv = words;
	int argc = 0, opt;

	for (size_t at = 0; at < len && argc < STARTED_WORDS; at += strlen(l->text + at) + 1)
		words[argc++] = l->text + at;
	words[argc] = NULL;
	/* As `smcroute smcrouted`, too: not every getopt(3) goes on behind a word. */
	if (argc > 1 && *argv[1] != '-') {
		argv++;
		argc--;
	}
	proc_options_anew();
	opterr = 0;
	while ((opt = getopt(argc, argv, "c:d:D:e:f:F:hi:I:kl:m:M:nNp:P:st:Tu:v")) != -1) {
		if (opt == 'i' || opt == 'I')
			l->ident = optarg;
		else if (opt == 'u')
			l->path = optarg;
		else if (opt == 'f')
			l->file = optarg;
		else if (opt == 't')
			l->table = (uint32_t)strtoul(optarg, NULL, 10);
	}
}

void started_read(struct started *l, int pid)
{
	long n = pid ? probe_cmdline(pid, l->text, sizeof l->text - 1) : -1;

	l->ident = l->path = l->file = NULL;
	l->table = 0;
	l->text[n > 0 ? n : 0] = '\0';
	if (n > 0)
		started_options(l, (size_t)n);
}

void started_socket(const struct started *l, unsigned i, char path[PATH_MAX])
{
	if (l->path)
		snprintf(path, PATH_MAX, "%s", l->path);
	else
		snprintf(path, PATH_MAX, "%s/%s.sock", started_dirs[i], l->ident ? l->ident : "smcroute");
}
