/* SPDX-License-Identifier: ISC */
#include "applets/diaglog.h"

#include <string.h>


void diaglog_put(const struct conf *c, const struct diag *d, struct log_limit *lim, int64_t now)
{
	enum log_level lvl = d->error ? LOG_LVL_ERR : d->is_line_lost ? LOG_LVL_NOTICE : LOG_LVL_INFO;
	struct buf b = { 0 };

	diag_print(&b, c, d, log_shows(LOG_LVL_DEBUG));
	buf_chr(&b, '\0');
	for (char *p = b.failed ? NULL : b.p, *end; p && (end = strchr(p, '\n')); p = end + 1) {
		*end = '\0';
		if (lim)
			log_limited(lim, now, lvl, "%s", p);
		else
			log_at(lvl, "%s", p);
	}
	buf_free(&b);
}
