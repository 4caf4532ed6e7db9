/* SPDX-License-Identifier: Apache-2.0
 * Volumes that are destroyed: recovered in time, deleted when the time is over, and closed to all else meanwhile. */
#include "cloud.h"
#include "engine/storage/volume/volume_destroy.h"
#include "model/state.h"
#include "model/states.h"
#include "store/volume.h"

static enum volume_state state_of(const struct cloud *c, uuid id)
{
	return model_derive_volume_state(volume_find(cloud_tables(c), id));
}

static void check_recover(void **state)
{
	struct cloud *c = *state;
	uuid id = cloud_make_volume(c, GIB);
	cloud_see_volume(c, id);
	struct volume_destruction wish = {.volume = ref_to(c, KIND_VOLUME, id)};
	struct volume_expunging end = {id};
	cloud_fails(c, &c->alice, engine_recover_volume, &wish, ERR_STATE, KIND_VOLUME);
	cloud_ok(c, &c->alice, engine_destroy_volume, &wish);
	assert_int_equal(state_of(c, id), VOLUME_DELETING);
	cloud_fails(c, &c->alice, engine_destroy_volume, &wish, ERR_STATE, KIND_VOLUME);
	struct snapshot_wish cut = {.volume = ref_to(c, KIND_VOLUME, id)};
	cloud_fails(c, &c->alice, engine_create_snapshot, &cut, ERR_STATE, KIND_VOLUME);
	clock_advance_us(86399 * SECOND);
	cloud_ok(c, NULL, engine_expunge_volume, &end);
	cloud_ok(c, &c->alice, engine_recover_volume, &wish);
	assert_int_equal(state_of(c, id), VOLUME_AVAILABLE);
	clock_advance_us(86400 * SECOND);
	cloud_ok(c, NULL, engine_expunge_volume, &end);
	assert_true(row_is_live(&volume_find(cloud_tables(c), id)->row));
}

static void check_end(void **state)
{
	struct cloud *c = *state;
	uuid id = cloud_make_volume(c, GIB), other = cloud_make_volume(c, GIB);
	struct volume_destruction wish = {.volume = ref_to(c, KIND_VOLUME, id)};
	struct volume_destruction whole = {.volume = ref_to(c, KIND_VOLUME, other), .expunges = true};
	struct volume_expunging end = {id};
	cloud_ok(c, &c->alice, engine_destroy_volume, &wish);
	clock_advance_us(86400 * SECOND);
	cloud_ok(c, NULL, engine_expunge_volume, &end);
	const struct volume *gone = volume_find(cloud_tables(c), id);
	assert_true(!gone || !row_is_live(&gone->row));
	cloud_ok(c, &c->alice, engine_destroy_volume, &whole);
	gone = volume_find(cloud_tables(c), other);
	assert_true(!gone || !row_is_live(&gone->row));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_recover, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_end, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
