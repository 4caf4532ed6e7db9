/* SPDX-License-Identifier: Apache-2.0
 * Ids of forgotten rows: another account gets none of them. Glance alone lets a client choose an id. */
#include "../base/test_base.h"

#include "base/clock.h"
#include "engine/storage/image/image.h"
#include "script.h"
#include "store/image.h"
#include "world.h"

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct world));
	world_make(*state);
	return 0;
}

static int teardown(void **state)
{
	world_done(*state);
	free(*state);
	return 0;
}

static struct world_answer glance(struct world *w, const struct world_user *user, const char *method,
				  struct str path, struct str body)
{
	const struct script_request request = {
		.method = str_from(method),
		.path = str_print(w->arena, "/image/v2/images%" STR_FMT, STR_ARG(path)),
		.body = body};
	return world_request(w, user, &request);
}

static int create(struct world *w, const struct world_user *user, struct str id)
{
	return glance(w, user, "POST", STR_NONE,
		      str_print(w->arena, "{\"name\":\"n\",\"id\":\"%" STR_FMT "\"}", STR_ARG(id)))
		.status;
}

/* Deletes the image and waits until no row has its id. */
static void forget(struct world *w, const struct world_user *user, struct str id)
{
	uuid image;
	assert_ok(uuid_parse(id, &image));
	struct str path = str_print(w->arena, "/%" STR_FMT, STR_ARG(id));
	assert_int_equal(glance(w, user, "DELETE", path, STR_NONE).status, 204);
	world_settle(w, MINUTE);
	clock_advance_us(IMAGE_KNOWN_US + HOUR);
	world_settle(w, HOUR);
	AUTO_VIEW view = {0};
	view_open(w->store, &view);
	assert_null(image_find(view.tables, image));
}

static void test_images(void **state)
{
	struct world *w = *state;
	struct str drawn = world_find(
		w->arena, glance(w, &w->alice, "POST", STR_NONE, STR("{\"name\":\"n\"}")).body, STR("id"));
	struct str chosen = STR("6f9619ff-8b86-4011-b42d-00cf4fc964ff");
	assert_int_equal(create(w, &w->alice, chosen), 201);
	assert_int_equal(create(w, &w->bob, chosen), 409);
	forget(w, &w->alice, drawn);
	forget(w, &w->alice, chosen);
	assert_int_equal(create(w, &w->bob, drawn), 409);
	assert_int_equal(create(w, &w->bob, chosen), 409);
	assert_int_equal(create(w, &w->alice, chosen), 201);
	assert_int_equal(create(w, &w->bob, STR("7f9619ff-8b86-4011-b42d-00cf4fc964ff")), 201);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_images, setup, teardown)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
