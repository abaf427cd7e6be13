/* SPDX-License-Identifier: ISC */
#include "applets/pause.h"

int pause_for(struct daemon *d, int64_t ms)
{
	if (ms)
		timer_set(d->loop, &d->pause, ms);
	loop_run(d->loop);
	timer_stop(d->loop, &d->pause);
	return d->stopping ? -1 : 0;
}

void pause_end(void *ctx)
{
	struct daemon *d = ctx;

	loop_stop(d->loop, 0);
}
