/* SPDX-License-Identifier: Apache-2.0
 * The change feed of OpenStack: servers that have changed, also deleted ones, from two minutes before the newest known change. Only the
 * first page is read; a longer one stands for changes that are to be listed. Source: Compute API reference, "List
 * Servers Detailed", changes-since. */
#include "drivers/remote/openstack/changes.h"

#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "drivers/remote/openstack/resources.h"

#define LATE_US (2 * MINUTE)
enum { PAGE_SIZE = 200 };

/* A server counts again when its time of update or its task has changed. */
static uint64_t digest_of(struct ctx *c, const json_t *server)
{
	uint8_t sum[SHA256_SIZE];
	uint64_t digest = 0;
	crypto_sha256(str_print(c->arena, "%" STR_FMT " %" STR_FMT " %" STR_FMT " %" STR_FMT,
				STR_ARG(remote_json_text(c, server, "id")),
				STR_ARG(remote_json_text(c, server, "updated")),
				STR_ARG(remote_json_text(c, server, "status")),
				STR_ARG(remote_json_text(c, server, "OS-EXT-STS:task_state"))),
		      sum);
	memcpy(&digest, sum, sizeof digest);
	return digest;
}

RESULT openstack_read_changed(struct ctx *c, const json_t *root, int64_t since_us,
			      struct remote_changes *ret_changes)
{
	const json_t *servers = json_object_get(root, "servers");
	int64_t newest_us = since_us + LATE_US, now_us = clock_now_us();
	char text[CLOCK_TEXT_SIZE];
	if (!json_is_array(servers))
		return ctx_fail(c, ERR_IO, "The answer is not usable: it is no list of servers.");
	for (size_t k = 0; k < json_array_size(servers); k++) {
		const json_t *server = json_array_get(servers, k);
		int64_t at_us = remote_json_time(c, server, "updated");
		newest_us = at_us > newest_us ? at_us : newest_us;
		TRY(remote_touch_machine(c, ret_changes, remote_json_text(c, server, "id"),
					 digest_of(c, server)));
	}
	ret_changes->has_overflow |= openstack_has_next(c, root, "servers");
	if (newest_us > now_us) /* a false time must not hide later changes */
		newest_us = now_us;
	ret_changes->cursor = str_copy(c->arena, str_from(clock_write_s(newest_us, text)));
	return OK;
}

RESULT openstack_read_changes(struct ctx *c, struct remote *r, struct str cursor,
			      struct remote_changes *ret_changes)
{
	AUTO_ANSWER answer = {0};
	int64_t since_us = clock_now_us();
	char text[CLOCK_TEXT_SIZE];
	if (cursor.n)
		IGNORE(clock_parse(cursor, &since_us)); /* the driver's own text */
	since_us -= LATE_US;
	struct str path = str_print(c->arena, "/servers/detail?changes-since=%s&limit=%d",
				    clock_write_s(since_us, text), PAGE_SIZE);
	TRY(openstack_ask(c, r, OPENSTACK_NOVA, "GET", path, STR_NONE, &answer));
	return openstack_read_changed(c, answer.root, since_us, ret_changes);
}
