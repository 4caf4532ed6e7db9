/* SPDX-License-Identifier: Apache-2.0
 * Fuzzes messages of an OVSDB server: framing in two pieces, then each message as an update of a cache with
 * rows. The first byte chooses the place of the cut. */
#include <stddef.h>
#include <stdint.h>

#include "drivers/ovn/nb.h"
#include "drivers/ovsdb/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char seed[] =
	"{\"Logical_Switch\":{\"11111111-1111-1111-1111-111111111111\":{\"initial\":{\"name\":\"s\","
	"\"ports\":"
	"[\"uuid\",\"22222222-2222-2222-2222-222222222222\"],\"external_ids\":[\"map\",[[\"dari-scope\","
	"\"x\"]]]}}},"
	"\"Logical_Switch_Port\":{\"22222222-2222-2222-2222-222222222222\":{\"initial\":{\"name\":\"p\"}}}}";

/* Applies the message that ends after `used` bytes as an update; an invalid one ends the connection. */
static bool take(struct ovsdb_cache *cache, const char *text, size_t size)
{
	json_t *message = json_loadb(text, size, 0, NULL);
	json_t *tables = json_array_get(json_object_get(message, "params"), 2);
	bool ok = message && (!tables || !ovsdb_cache_update(cache, tables, NULL, NULL).code);
	json_decref(message);
	return ok;
}

/* Feeds bytes up to `to`; false if the connection ended. */
static bool feed(struct frame *f, struct ovsdb_cache *cache, const char *text, size_t *at, size_t *begin,
		 size_t to)
{
	while (*at < to) {
		size_t used = 0;
		enum frame_state state = frame_feed(f, (struct str){text + *at, to - *at}, &used);
		*at += used;
		if (state == FRAME_BAD)
			return false;
		if (state != FRAME_WHOLE)
			continue;
		if (!take(cache, text + *begin, *at - *begin))
			return false;
		*begin = *at;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ovsdb_cache cache;
	struct frame frame;
	size_t at = 0, begin = 0;
	if (size == 0)
		return 0;
	const char *text = (const char *) data + 1;
	size_t n = size - 1, cut = n ? data[0] % n : 0;
	json_t *first = json_loads(seed, 0, NULL);
	frame_init(&frame, 1 << 20);
	if (!ovsdb_cache_init(&cache, &nb_schema).code &&
	    !ovsdb_cache_update(&cache, first, NULL, NULL).code &&
	    feed(&frame, &cache, text, &at, &begin, cut))
		(void) feed(&frame, &cache, text, &at, &begin, n);
	json_decref(first);
	ovsdb_cache_done(&cache);
	return 0;
}
