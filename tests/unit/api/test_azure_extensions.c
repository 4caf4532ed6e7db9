/* SPDX-License-Identifier: Apache-2.0
 * Tests limits of the settings that an Azure machine's extensions are given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "engine/instance/azure_guest.h"
#include "script.h"
#include "world.h"

static struct str member(struct str body, const char *mark, char end)
{
	size_t at = 0;
	while (at < body.n && !str_starts_with(str_slice(body, at, body.n), str_from(mark)))
		at++;
	assert_true(at < body.n);
	struct str rest = str_slice(body, at + strlen(mark), body.n);
	return str_slice(rest, 0, str_find_char(rest, end, 0));
}

/* Puts an extension whose settings, as they are stored, have that many bytes. */
static int put(struct world *w, struct str path, const char *member_name, size_t size)
{
	static char text[EXTENSION_SETTINGS_MAX + 16];
	size_t quotes = strlen("{\"a\":\"\"}");
	memset(text, 'a', sizeof text);
	const struct script_request request = {
		.method = STR("PUT"),
		.path = path,
		.query = STR("api-version=2022-08-01"),
		.body = str_print(
			w->arena,
			"{\"location\":\"useast1\",\"properties\":{\"publisher\":\"Microsoft.Azure."
			"Extensions\","
			"\"type\":\"CustomScript\",\"typeHandlerVersion\":\"2.1\",\"%s\":{\"a\":\"%.*s\"}}}",
			member_name, (int) (size - quotes), text)};
	return world_request(w, &w->alice, &request).status;
}

static void test_settings(void **state)
{
	struct world w;
	(void) state;
	world_make(&w);
	struct str image = id_to_text(w.arena, KIND_IMAGE, w.image);
	struct world_answer launched = world_post(&w, &w.alice,
						  str_print(w.arena,
							    "Action=RunInstances&ImageId=%" STR_FMT
							    "&InstanceType=t3.micro&MinCount=1&MaxCount=1",
							    STR_ARG(image)));
	world_settle(&w, MINUTE);
	const struct script_request list = {
		.method = STR("GET"), .path = STR("/subscriptions"), .query = STR("api-version=2019-11-01")};
	struct str subscription =
		member(world_request(&w, &w.alice, &list).body, "\"subscriptionId\":\"", '"');
	struct str path =
		str_print(w.arena,
			  "/subscriptions/%" STR_FMT "/resourceGroups/dari-default/providers/"
			  "Microsoft.Compute/virtualMachines/%" STR_FMT "/extensions/x",
			  STR_ARG(subscription), STR_ARG(member(launched.body, "<instanceId>", '<')));
	static const char *const names[] = {"settings", "protectedSettings"};
	for (size_t k = 0; k < 2; k++) {
		assert_int_equal(put(&w, path, names[k], EXTENSION_SETTINGS_MAX + 1), 400);
		/* Short enough: what is refused then is the image, which has no agent. */
		assert_int_equal(put(&w, path, names[k], EXTENSION_SETTINGS_MAX), 409);
	}
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_settings)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
