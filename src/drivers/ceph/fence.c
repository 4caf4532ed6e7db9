/* SPDX-License-Identifier: Apache-2.0
 * Lists clients that have an image open, and keeps hosts out by Ceph's blocklist. Uses monitor commands with
 * an explicit expiry time, because the default one depends on the monitors' configuration. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>

#include "base/heap.h"
#include "drivers/ceph/pool.h"

enum { USERS_MAX = 64, ADDRESS_MAX = 80, NEVER = 1 /* answers are 0 or negative */ };

static RESULT check_address(struct ctx *c, struct str address)
{
	for (size_t k = 0; k < address.n; k++)
		if (!str_is_alphanumeric(address.p[k]) && !strchr(".:/[]", address.p[k]))
			address.n = 0;
	return address.n && address.n <= ADDRESS_MAX
		       ? OK
		       : ctx_fail(c, ERR_INVALID, "that is no address of a client of Ceph's");
}

/* end: the command's part behind the address. is_done: the answer that means it was already so. */
static RESULT change(struct disk_host *h, struct ctx *c, const char *verb, struct str address,
		     const char *end, int is_done)
{
	int answer = 0;
	struct str output = STR_NONE;
	TRY(ceph_begin(h, c));
	TRY(check_address(c, address));
	struct str command = str_print(
		c->arena,
		"{\"prefix\": \"osd blocklist\", \"blocklistop\": \"%s\", \"addr\": \"%" STR_FMT "\"%s}",
		verb, STR_ARG(address), end);
	if (!command.p)
		return ctx_no_memory(c);
	TRY(ceph_ask_monitors(h, c, command.p, &answer, &output));
	if (answer == is_done)
		return OK;
	if (answer == -EINVAL)
		return ctx_fail(c, ERR_INVALID, "\"%" STR_FMT "\" is no address of a client of Ceph's",
				STR_ARG(address));
	if (answer >= 0)
		answer = ceph.rados_wait_for_latest_osdmap(h->cluster);
	return answer < 0 ? ceph_fail(h, c, answer, "blocking or unblocking %" STR_FMT, STR_ARG(address))
			  : OK;
}

RESULT ceph_block(struct disk_host *h, struct ctx *c, struct str address, int64_t expire_s)
{
	struct str end = str_print(c->arena, ", \"expire\": %" PRId64 ".0", expire_s);
	if (!end.p)
		return ctx_no_memory(c);
	if (expire_s <= 0)
		return ctx_fail(c, ERR_INVALID, "a block of %" PRId64 " seconds", expire_s);
	return change(h, c, "add", address, end.p, NEVER);
}

RESULT ceph_unblock(struct disk_host *h, struct ctx *c, struct str address)
{
	return change(h, c, "rm", address, "", -ENOENT);
}

/* A host is listed as address:0/0, with brackets around IPv6 addresses. */
static struct str trim_address(struct str s)
{
	static const struct str all_clients = STR(":0/0");
	if (str_ends_with(s, all_clients))
		s.n -= all_clients.n;
	return s.n > 1 && s.p[0] == '[' && s.p[s.n - 1] == ']' ? str_slice(s, 1, s.n - 1) : s;
}

/* The answer consists of two concatenated lists: addresses, and ranges, which Dari doesn't create. */
RESULT ceph_see_block(struct disk_host *h, struct ctx *c, struct str address, bool *ret_is_blocked)
{
	int answer = 0;
	struct str output = STR_NONE;
	TRY(ceph_begin(h, c));
	TRY(check_address(c, address));
	TRY(ceph_ask_monitors(h, c, "{\"prefix\": \"osd blocklist ls\", \"format\": \"json\"}", &answer,
			      &output));
	if (answer < 0)
		return ceph_fail(h, c, answer, "reading the blocklist");
	json_t *whole = json_loadb(output.p, output.n, JSON_DISABLE_EOF_CHECK, NULL), *entry = NULL;
	size_t k = 0;
	*ret_is_blocked = false;
	json_array_foreach (whole, k, entry) {
		const char *listed = json_string_value(json_object_get(entry, "addr"));
		*ret_is_blocked =
			*ret_is_blocked || str_equal(trim_address(address), trim_address(str_from(listed)));
	}
	json_decref(whole);
	return OK;
}

RESULT ceph_list_users(struct disk_host *h, struct ctx *c, uuid volume, struct strs *ret_addresses)
{
	AUTO_IMAGE image = NULL;
	size_t count = USERS_MAX;
	rbd_image_watcher_t watchers[USERS_MAX];
	struct str *addresses = arena_new_array(c->arena, struct str, USERS_MAX);
	if (!addresses)
		return ctx_no_memory(c);
	TRY(ceph_begin(h, c));
	*ret_addresses = (struct strs){0};
	TRY(ceph_look_at(h, c, ceph_volume_name(c->arena, h->region, volume), &image));
	if (!image)
		return OK;
	int answer = ceph.rbd_watchers_list(image, watchers, &count);
	if (answer < 0)
		return ceph_fail(h, c, answer, "asking who has a volume");
	for (size_t k = 0; k < count; k++)
		addresses[k] = str_copy(c->arena, str_from(watchers[k].addr));
	ceph.rbd_watchers_list_cleanup(watchers, count);
	*ret_addresses = (struct strs){addresses, count};
	return OK;
}
