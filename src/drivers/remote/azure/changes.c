/* SPDX-License-Identifier: Apache-2.0
 * The change feed of Azure: the activity log of the subscription, from two minutes before its newest known event, because events arrive
 * out of order. Only its first page is read; a longer answer stands for changes that are to be listed. Source: Azure
 * Monitor REST reference 2015-04-01, Activity Logs - List. */
#include "drivers/remote/azure/changes.h"

#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"

#define LATE_US (2 * MINUTE)
enum { EVENTS_MAX = 2000 };

#define TYPE(name) 1U << REMOTE_RESOURCE_TYPE_##name
static const struct {
	const char *name; /* in lower case, as in a resource's id */
	unsigned types;
} kinds[] = {
	{"/providers/microsoft.compute/disks/", TYPE(VOLUME)},
	{"/providers/microsoft.compute/snapshots/", TYPE(SNAPSHOT)},
	{"/providers/microsoft.compute/images/", TYPE(IMAGE)},
	{"/providers/microsoft.compute/sshpublickeys/", TYPE(KEY_PAIR)},
	{"/providers/microsoft.network/virtualnetworks/", TYPE(NETWORK) | TYPE(SUBNET)},
	{"/providers/microsoft.network/networksecuritygroups/", TYPE(SECURITY_GROUP)},
	{"/providers/microsoft.network/publicipaddresses/", TYPE(ADDRESS)},
};

/* The id of the machine that the resource is, or is a part of, such as an extension; empty: none. */
static struct str machine_in(struct ctx *c, struct str id, struct str subscription)
{
	struct str mark = STR("/providers/microsoft.compute/virtualmachines/"), lower = azure_lower(c, id);
	const char *at = lower.n > mark.n ? memmem(lower.p, lower.n, mark.p, mark.n) : NULL;
	if (!at)
		return STR_NONE;
	size_t end = str_find_char(lower, '/', (size_t) (at - lower.p) + mark.n);
	return azure_ref_of_id(c, str_slice(id, 0, end), subscription);
}

/* A begun and an ended operation may share an id, so that the time counts, too. */
static uint64_t digest_of(struct ctx *c, const json_t *event)
{
	uint8_t sum[SHA256_SIZE];
	uint64_t digest = 0;
	crypto_sha256(str_print(c->arena, "%" STR_FMT " %" STR_FMT,
				STR_ARG(remote_json_text(c, event, "eventDataId")),
				STR_ARG(remote_json_text(c, event, "eventTimestamp"))),
		      sum);
	memcpy(&digest, sum, sizeof digest);
	return digest;
}

static RESULT read_event(struct ctx *c, const json_t *event, struct str subscription,
			 struct remote_changes *changes)
{
	struct str id = remote_json_text(c, event, "resourceId"), lower = azure_lower(c, id);
	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
		if (str_contains(lower, str_from(kinds[k].name)))
			changes->types |= kinds[k].types;
	struct str ref = machine_in(c, id, subscription);
	return ref.n ? remote_touch_machine(c, changes, ref, digest_of(c, event)) : OK;
}

RESULT azure_read_events(struct ctx *c, const json_t *root, struct str subscription, int64_t since_us,
			 struct remote_changes *ret_changes)
{
	const json_t *events = json_object_get(root, "value");
	int64_t newest_us = since_us + LATE_US, now_us = clock_now_us();
	char text[CLOCK_TEXT_SIZE];
	if (!json_is_array(events))
		return ctx_fail(c, ERR_IO, "The answer is not usable: it is no list of events.");
	for (size_t k = 0; k < json_array_size(events) && k < EVENTS_MAX; k++) {
		const json_t *event = json_array_get(events, k);
		int64_t at_us = remote_json_time(c, event, "eventTimestamp");
		newest_us = at_us > newest_us ? at_us : newest_us;
		TRY(read_event(c, event, subscription, ret_changes));
	}
	ret_changes->has_overflow |=
		json_array_size(events) > EVENTS_MAX || json_object_get(root, "nextLink");
	if (newest_us > now_us) /* a false time must not hide later events */
		newest_us = now_us;
	ret_changes->cursor = str_copy(c->arena, str_from(clock_write_s(newest_us, text)));
	return OK;
}

RESULT azure_read_changes(struct ctx *c, struct remote *r, struct str cursor,
			  struct remote_changes *ret_changes)
{
	AUTO_ANSWER answer = {0};
	int64_t since_us = clock_now_us();
	char text[CLOCK_TEXT_SIZE];
	if (cursor.n)
		IGNORE(clock_parse(cursor, &since_us)); /* the driver's own text */
	since_us -= LATE_US;
	struct str filter = str_print(c->arena, "eventTimestamp ge '%s'", clock_write_s(since_us, text));
	struct str path = str_print(
		c->arena,
		"/providers/Microsoft.Insights/eventtypes/management/values?api-version=2015-04-01&$filter="
		"%" STR_FMT "&$select=eventDataId,eventTimestamp,resourceId",
		STR_ARG(str_encode_url(c->arena, filter, false)));
	TRY(azure_ask(c, r, "GET", azure_url_in(c, r, str_to_z(c->arena, path)), STR_NONE, &answer));
	return azure_read_events(c, answer.root, r->project, since_us, ret_changes);
}
