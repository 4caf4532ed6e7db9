/* SPDX-License-Identifier: Apache-2.0
 * Counts the traffic of public addresses with nftables: a table with one set of addresses per direction,
 * whose elements have counters. */
#include "drivers/traffic.h"

#include <fcntl.h>
#include <jansson.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/child.h"
#include "base/clock.h"

enum {
	OUTPUT_CAP = 32 << 20,
	SCRIPT_CAP = 8 << 20,
	WORDS_MAX = 500,
	ETHERNET_HEADER = 14, /* bytes: outgoing packets are counted with it, incoming ones without */
};
#define NFT_TIMEOUT_US (20 * SECOND)
#define TABLE "dari"

/* ---- the program ---- */

static RESULT open_netns(struct ctx *c, const struct traffic_uplink *uplink, int *ret_fd)
{
	*ret_fd = 0;
	if (!uplink->netns.n)
		return OK;
	const char *path =
		str_to_z(c->arena, str_print(c->arena, "/run/netns/%" STR_FMT, STR_ARG(uplink->netns)));
	*ret_fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (*ret_fd < 0)
		return ctx_fail(c, ERR_NOT_FOUND, "there is no network namespace %" STR_FMT,
				STR_ARG(uplink->netns));
	return OK;
}

static RESULT run_nft(struct ctx *c, const struct traffic_uplink *uplink, const char *const *argv,
		      struct str input, struct child_end *ret_end)
{
	int fd = 0;
	TRY(open_netns(c, uplink, &fd));
	const struct child child = {.argv = argv,
				    .input = input,
				    .timeout_us = NFT_TIMEOUT_US,
				    .output_cap_size = OUTPUT_CAP,
				    .netns_fd = fd};
	struct result result = child_run(c, &child, ret_end);
	if (fd > 0)
		(void) close(fd);
	return result;
}

/* ---- state ---- */

/* True if the list has both chains. Chains disappear with their device, the table doesn't. */
static bool has_chains(const json_t *list)
{
	unsigned chains = 0;
	size_t k;
	const json_t *one;
	json_array_foreach (list, k, one)
		chains += json_object_get(one, "chain") != NULL;
	return chains == 2;
}

static const json_t *elements_of(const json_t *list, const char *name)
{
	size_t k;
	const json_t *one;
	json_array_foreach (list, k, one) {
		const json_t *set = json_object_get(one, "set");
		const char *is = json_string_value(json_object_get(set, "name"));
		if (is && strcmp(is, name) == 0)
			return json_object_get(set, "elem");
	}
	return NULL;
}

static int compare_counts(const void *left, const void *right)
{
	return ip_compare(*(const struct ip *) left, ((const struct traffic_count *) right)->ip);
}

/* The first record of an address: if there are two, the released one. */
static struct traffic_count *find(struct traffic_count *at, size_t count, struct ip ip)
{
	struct traffic_count *found = count ? bsearch(&ip, at, count, sizeof *at, compare_counts) : NULL;
	while (found && found > at && ip_equal(found[-1].ip, ip))
		found--;
	return found;
}

static int64_t number(const json_t *o, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(o, key));
	return value < 0 ? 0 : (int64_t) value;
}

struct reading {
	struct traffic_count *at;
	size_t count;
	bool *had[2]; /* by direction: the address has an element already */
	struct buf script;
};

static const char *const set_names[2] = {"in", "out"};

/* Reads one direction's counters, and removes elements for addresses that are no longer requested. */
static void take_elements(struct reading *r, const json_t *list, unsigned direction)
{
	size_t k;
	const json_t *one;
	json_array_foreach (elements_of(list, set_names[direction]), k, one) {
		const json_t *elem = json_object_get(one, "elem"),
			     *counter = json_object_get(elem, "counter");
		const char *text = json_string_value(elem ? json_object_get(elem, "val") : one);
		struct ip ip;
		if (!text || !result_is_ok(ip_parse(str_from(text), &ip)))
			continue;
		struct traffic_count *found = find(r->at, r->count, ip);
		int64_t bytes = number(counter, "bytes");
		if (direction == 1)
			bytes -= number(counter, "packets") * ETHERNET_HEADER;
		if (found && direction == 0)
			found->in = bytes;
		if (found && direction == 1)
			found->out = bytes;
		if (found && !found->is_gone)
			r->had[direction][found - r->at] = true;
		else
			buf_print(&r->script, "delete element netdev " TABLE " %s { %s }\n",
				  set_names[direction], text);
	}
}

static void add_missing(struct reading *r, unsigned direction)
{
	char text[IP_TEXT_SIZE];
	for (size_t k = 0; k < r->count; k++)
		if (!r->at[k].is_gone && !r->had[direction][k])
			buf_print(&r->script, "add element netdev " TABLE " %s { %s }\n",
				  set_names[direction], ip_write(r->at[k].ip, text));
}

/* ---- reading ---- */

static void write_table(struct buf *script, struct str device)
{
	buf_print(script,
		  "add table netdev " TABLE "\ndelete table netdev " TABLE "\n"
		  "table netdev " TABLE " {\n"
		  "set in { type ipv4_addr; counter; size %d; }\n"
		  "set out { type ipv4_addr; counter; size %d; }\n"
		  "chain in { type filter hook ingress device \"%" STR_FMT "\" priority 0; policy accept;\n"
		  "ip daddr @in accept\n}\n"
		  "chain out { type filter hook egress device \"%" STR_FMT "\" priority 0; policy accept;\n"
		  "ip saddr @out accept\n}\n}\n",
		  TRAFFIC_ADDRESSES_MAX, TRAFFIC_ADDRESSES_MAX, STR_ARG(device), STR_ARG(device));
}

static RESULT change(struct ctx *c, const struct traffic_uplink *uplink, const struct buf *script)
{
	static const char *const argv[] = {"nft", "-f", "-", NULL};
	struct child_end end;
	TRY(run_nft(c, uplink, argv, buf_str(script), &end));
	struct str words = str_cut(str_trim(end.err), WORDS_MAX);
	return end.status == 0 ? OK : ctx_fail(c, ERR_IO, "nft: %" STR_FMT, STR_ARG(words));
}

static RESULT read_with(struct ctx *c, const struct traffic_uplink *uplink, struct reading *r, json_t *list,
			bool *ret_is_new)
{
	*ret_is_new = !has_chains(list);
	if (*ret_is_new)
		write_table(&r->script, uplink->device);
	for (unsigned direction = 0; direction < 2; direction++) {
		if (!*ret_is_new)
			take_elements(r, list, direction);
		add_missing(r, direction);
	}
	if (r->script.failed)
		return ctx_no_memory(c);
	return buf_str(&r->script).n ? change(c, uplink, &r->script) : OK;
}

RESULT traffic_read(struct ctx *c, const struct traffic_uplink *uplink, struct traffic_count *at,
		    size_t count, bool *ret_is_new)
{
	static const char *const argv[] = {"nft", "-j", "list", "table", "netdev", TABLE, NULL};
	struct reading r = {.at = at, .count = count};
	struct child_end end;
	for (unsigned direction = 0; direction < 2; direction++) {
		r.had[direction] = arena_new_array(c->arena, bool, count + 1);
		if (!r.had[direction])
			return ctx_no_memory(c);
	}
	TRY(run_nft(c, uplink, argv, STR_NONE, &end));
	json_t *root = end.status == 0 ? json_loadb(end.out.p, end.out.n, 0, NULL) : NULL;
	buf_init(&r.script, SCRIPT_CAP);
	struct result result = read_with(c, uplink, &r, json_object_get(root, "nftables"), ret_is_new);
	buf_done(&r.script);
	json_decref(root);
	return result;
}
