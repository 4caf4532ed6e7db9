/* SPDX-License-Identifier: Apache-2.0
 * DHCP options of single ports. As in Neutron, a value that OVN does not accept for its option is stored and
 * shown, but not sent. */
#include "engine/internal.h"
#include "engine/network/port/port.h"
#include "engine/network/port/port_internal.h"
#include "model/dhcp_word.h"
#include "model/port.h"

enum { OPTIONS_MAX = 32 }; /* per family; must match schema/port.toml */

/* Neutron stores these options without a value; it ignores any other option that has none. */
static bool may_be_empty(struct str name)
{
	return str_is(name, "router") || str_is(name, "classless-static-route");
}

static RESULT apply_one(struct op *op, const struct port_dhcp_word *word, struct tag *list, size_t *count)
{
	size_t at = 0;
	if (!dhcp_word_find(word->version == 6 ? IP_V6 : IP_V4, word->name))
		return ENGINE_FAIL(op, ERR_UNSUPPORTED, KIND_PORT, STR("extra_dhcp_opts"),
				   "The DHCP option %" STR_FMT " (ip_version %d) is not supported by OVN.",
				   STR_ARG(word->name), (int) word->version);
	while (at < *count && !str_equal(list[at].key, word->name))
		at++;
	if (word->ends) {
		for (; at + 1 < *count; at++)
			list[at] = list[at + 1];
		*count = at < *count ? *count - 1 : *count;
		return OK;
	}
	if (!word->value.n && !may_be_empty(word->name))
		return OK;
	if (at == OPTIONS_MAX)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_PORT, STR("extra_dhcp_opts"),
				   "A port has at most %d DHCP options of a family.", OPTIONS_MAX);
	list[at] = (struct tag){word->name, word->value};
	*count = at == *count ? at + 1 : *count;
	return OK;
}

static RESULT apply_family(struct op *op, const struct port_dhcp_words *words, int64_t version,
			   struct tags *tags)
{
	struct tag *list = arena_new_array(op->ctx->arena, struct tag, OPTIONS_MAX);
	size_t count = tags->count;
	if (!list)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < count; k++)
		list[k] = tags->at[k];
	for (size_t k = 0; k < words->count; k++)
		if (words->at[k].version == version)
			TRY(apply_one(op, &words->at[k], list, &count));
	*tags = (struct tags){list, count};
	return OK;
}

RESULT port_apply_dhcp(struct op *op, const struct port_dhcp_words *words, struct port *port)
{
	if (!words->count)
		return OK;
	TRY(apply_family(op, words, 4, &port->dhcp4));
	return apply_family(op, words, 6, &port->dhcp6);
}
