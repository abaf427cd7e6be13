/* SPDX-License-Identifier: ISC */
#include "kernel/linux/nft_run.h"

#include <string.h>

#include <linux/netfilter/nf_tables.h>

#define WORDS (FILTER_VALUE / 4)	/* of 32 bits, in all registers but NFT_REG_VERDICT */

/* First word of a register of len bytes, WORDS when there is none such (nft_parse_register()). */
static uint32_t nft_reg_at(uint32_t reg, size_t len)
{
	/* Four of 16 bytes, or the same as sixteen of 4; those in between come out beyond the end. */
	uint32_t at = (reg <= NFT_REG_4 ? reg * 4 : reg - NFT_REG32_00 + 4) - 4;

	return at < WORDS && len <= (WORDS - at) * 4 ? at : WORDS;
}

void nft_reg_set(struct nft_run *r, uint32_t reg, const struct filter_value *a)
{
	uint32_t at = nft_reg_at(reg, a ? a->len : 4) * 4;
	size_t len = !a ? 16 : (a->len + 3) / 4 * 4;

	if (at == FILTER_VALUE)
		return;
	if (len > FILTER_VALUE - at)
		len = FILTER_VALUE - at;
	memset(r->known + at, a ? 0xff : 0, len);
	memset(r->reg + at, 0, len);
	if (a) {
		memcpy(r->reg + at, a->v, a->len);
		memcpy(r->known + at, a->known, a->len);
	}
}

bool nft_reg_get(const struct nft_run *r, uint32_t reg, size_t len, struct filter_value *a)
{
	uint32_t at = nft_reg_at(reg, len) * 4;

	if (at == FILTER_VALUE || !len)
		return false;
	filter_value(a, r->reg + at, r->known + at, len);
	return true;
}

struct rtnl_attr nft_inside(const struct rtnl_attr *in, unsigned outer, unsigned inner)
{
	struct rtnl_attr a;

	rtnl_attr(in, outer, &a);
	rtnl_attr(&a, inner, &a);
	return a;
}

void nft_and(struct nft_run *r, enum match m, unsigned why)
{
	if (m == MATCH_MAY)
		r->why |= r->is_random && why == MAY_UNKNOWN ? MAY_BY_CHANCE : why;
	if (m < r->match)
		r->match = m;
}

enum match nft_reach(const struct nft_run *r)
{
	return filter_and(r->match, r->reach);
}
