/* SPDX-License-Identifier: Apache-2.0
 * Storage pools: refused requests, adding and removing hosts and volume types, and the effects of the
 * reconciler's reports. For volumes that move between hosts see tests/unit/reconcile/test_pools.c. */
#include "cloud.h"
#include "engine/storage/storage_pool.h"
#include "engine/storage/volume_type/volume_type.h"
#include "model/condition.h"
#include "store/pool_host.h"
#include "store/storage_pool.h"
#include "store/volume_type.h"

enum { LONG = 1100 };

static char letters[LONG];
static struct str monitors[17];

static struct storage_pool_wish directory_wish(void)
{
	return (struct storage_pool_wish){
		.name = STR("nfs"), .kind = STORAGE_POOL_KIND_SHARED_DIR, .path = STR("/srv/nfs")};
}

static struct storage_pool_wish ceph_wish(void)
{
	monitors[0] = STR("10.0.0.1:6789");
	return (struct storage_pool_wish){.name = STR("ceph"),
					  .kind = STORAGE_POOL_KIND_RBD,
					  .monitors = {monitors, 1},
					  .rbd_pool = STR("vms"),
					  .rbd_user = STR("dari"),
					  .rbd_key = STR("sealed")};
}

static struct str long_text(size_t n)
{
	memset(letters, 'a', sizeof letters);
	return (struct str){letters, n};
}

static void refuses(struct cloud *c, struct storage_pool_wish wish, enum err err, const char *field)
{
	cloud_fails(c, &c->operator, engine_add_storage_pool, &wish, err, KIND_STORAGE_POOL);
	assert_true(str_is(c->c.problem.field, field));
}

static uuid add(struct cloud *c, struct storage_pool_wish wish)
{
	cloud_ok(c, &c->operator, engine_add_storage_pool, &wish);
	return wish.pool;
}

static const struct storage_pool *pool_of(struct cloud *c, uuid id)
{
	return storage_pool_find(cloud_tables(c), id);
}

static const struct pool_host *host_in(struct cloud *c, uuid pool, size_t host)
{
	return pool_host_find_by_pool(cloud_tables(c), pool, c->hosts[host]);
}

static struct storage_pool_settings settings_of(struct cloud *c, uuid pool)
{
	return (struct storage_pool_settings){.pool = ref_to(c, KIND_STORAGE_POOL, pool)};
}

/* ---- wishes ---- */

static void check_names(void **state)
{
	struct cloud *c = *state;
	static const char *const wrong[] = {"", "-nfs", ".nfs", "_nfs", "a b", "a/b", "a,b", "local/"};
	struct storage_pool_wish wish = directory_wish();
	cloud_fails(c, &c->alice, engine_add_storage_pool, &wish, ERR_DENIED, KIND_STORAGE_POOL);
	for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
		wish.name = str_from(wrong[k]);
		refuses(c, wish, ERR_INVALID, "name");
	}
	wish.name = STORAGE_POOL_LOCAL; /* names the hosts' own directories in a type's spec */
	refuses(c, wish, ERR_INVALID, "name");
	wish.name = long_text(256);
	refuses(c, wish, ERR_INVALID, "name");
	wish.name = long_text(255);
	add(c, wish);
	wish.path = STR("/srv/other");
	refuses(c, wish, ERR_EXISTS, "name");
	wish.name = STR("a-b.c_1");
	wish.description = long_text(256);
	refuses(c, wish, ERR_INVALID, "description");
	wish.description = STR("\x01");
	refuses(c, wish, ERR_INVALID, "description");
	wish.description = long_text(255);
	add(c, wish);
	wish = (struct storage_pool_wish){.name = STR("l"), .kind = STORAGE_POOL_KIND_LOCAL};
	refuses(c, wish, ERR_UNSUPPORTED, "kind");
}

static void check_directories(void **state)
{
	struct cloud *c = *state;
	static const char *const wrong[] = {"",          "/",           "srv",      "/srv/",  "/srv/..",
					    "/srv//nfs", "/srv/../nfs", "/srv/a b", "/srv/<", "/.."};
	struct storage_pool_wish wish = directory_wish();
	for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
		wish.path = str_from(wrong[k]);
		refuses(c, wish, ERR_INVALID, "path");
	}
	wish.path = long_text(1025);
	letters[0] = '/';
	refuses(c, wish, ERR_INVALID, "path");
	wish.path.n = 1024;
	add(c, wish);
	wish.name = STR("second");
	refuses(c, wish, ERR_EXISTS, "path");
	struct storage_pool_wish mixed = directory_wish();
	mixed.name = STR("mixed");
	mixed.monitors = ceph_wish().monitors;
	refuses(c, mixed, ERR_INVALID, "kind");
	mixed.monitors = (struct strs){0};
	mixed.rbd_pool = STR("vms");
	refuses(c, mixed, ERR_INVALID, "kind");
	mixed.rbd_pool = STR_NONE;
	mixed.rbd_user = STR("dari");
	refuses(c, mixed, ERR_INVALID, "kind");
	mixed.rbd_user = STR_NONE;
	mixed.rbd_key = STR("sealed");
	refuses(c, mixed, ERR_INVALID, "kind");
}

static void check_ceph(void **state)
{
	struct cloud *c = *state;
	struct storage_pool_wish wish = ceph_wish();
	wish.path = STR("/srv/nfs");
	refuses(c, wish, ERR_INVALID, "path");
	wish = ceph_wish();
	wish.monitors.count = 0;
	refuses(c, wish, ERR_INVALID, "monitors");
	for (size_t k = 0; k < 17; k++)
		monitors[k] = STR("[fd00::1]:6789");
	wish.monitors.count = 17;
	refuses(c, wish, ERR_INVALID, "monitors");
	wish.monitors.count = 2;
	monitors[1] = STR("mon 1");
	refuses(c, wish, ERR_INVALID, "monitors");
	monitors[1] = STR("");
	refuses(c, wish, ERR_INVALID, "monitors");
	monitors[1] = long_text(129);
	refuses(c, wish, ERR_INVALID, "monitors");
	wish = ceph_wish();
	wish.rbd_pool = STR("v/ms");
	refuses(c, wish, ERR_INVALID, "pool");
	wish = ceph_wish();
	wish.rbd_user = STR("client:dari");
	refuses(c, wish, ERR_INVALID, "user");
	wish = ceph_wish();
	wish.rbd_key = STR_NONE;
	refuses(c, wish, ERR_MISSING, "key-file");
	uuid pool = add(c, ceph_wish());
	assert_int_equal(pool_of(c, pool)->fence, STORAGE_POOL_FENCE_BLOCKLIST);
	wish = ceph_wish();
	wish.name = STR("again");
	refuses(c, wish, ERR_EXISTS, "pool");
	monitors[0] = STR("10.0.0.2:6789"); /* another cluster's pool of that name */
	add(c, (struct storage_pool_wish){.name = STR("other"),
					  .kind = STORAGE_POOL_KIND_RBD,
					  .monitors = {monitors, 1},
					  .rbd_pool = STR("vms"),
					  .rbd_user = STR("dari"),
					  .rbd_key = STR("sealed")});
}

/* ---- hosts ---- */

static void check_hosts(void **state)
{
	struct cloud *c = *state;
	struct str names[] = {STR("h1"), STR("h3")}, own = STR("h2"), nobody = STR("h9");
	struct storage_pool_wish wish = directory_wish();
	wish.hosts = (struct strs){&nobody, 1};
	cloud_fails(c, &c->operator, engine_add_storage_pool, &wish, ERR_NOT_FOUND, KIND_HOST);
	wish.hosts = (struct strs){names, 2};
	wish.zone = ref_named(KIND_ZONE, "nowhere");
	cloud_fails(c, &c->operator, engine_add_storage_pool, &wish, ERR_NOT_FOUND, KIND_ZONE);
	wish.zone = (struct ref){0};
	uuid pool = add(c, wish);
	assert_true(host_in(c, pool, 0) && host_in(c, pool, 2) && !host_in(c, pool, 1));

	struct storage_pool_settings more = settings_of(c, pool);
	more.more_hosts = (struct strs){&own, 1};
	cloud_fails(c, &c->alice, engine_update_storage_pool, &more, ERR_DENIED, KIND_STORAGE_POOL);
	cloud_ok(c, &c->operator, engine_update_storage_pool, &more);
	uuid row = host_in(c, pool, 1)->row.id;
	cloud_ok(c, &c->operator, engine_update_storage_pool, &more); /* a second time changes nothing */
	assert_true(uuid_equal(host_in(c, pool, 1)->row.id, row));
	struct storage_pool_settings less = settings_of(c, pool);
	less.less_hosts = (struct strs){&nobody, 1};
	cloud_fails(c, &c->operator, engine_update_storage_pool, &less, ERR_NOT_FOUND, KIND_HOST);
	less.less_hosts = (struct strs){&own, 1};
	cloud_ok(c, &c->operator, engine_update_storage_pool, &less);
	assert_null(host_in(c, pool, 1));
	cloud_ok(c, &c->operator, engine_update_storage_pool, &less); /* nor does it here */
}

static void check_zone(void **state)
{
	struct cloud *c = *state;
	struct str second = STR("elsewhere");
	struct host_wish host = {.name = second,
				 .uri = STR("sim://elsewhere"),
				 .zone = ref_named(KIND_ZONE, "xyw2-az2"),
				 .pool_path = STR("/srv/own")};
	cloud_ok(c, &c->operator, engine_add_host, &host);
	struct storage_pool_wish wish = directory_wish();
	wish.path = STR("/srv/own");
	refuses(c, wish, ERR_INVALID, "path"); /* that host's own directory */
	wish.zone = ref_named(KIND_ZONE, "xyw2-az1");
	wish.hosts = (struct strs){&second, 1};
	cloud_fails(c, &c->operator, engine_add_storage_pool, &wish, ERR_INVALID, KIND_HOST);
	wish.hosts = (struct strs){0};
	uuid pool = add(c, wish); /* all hosts of the zone, and no other */
	assert_non_null(host_in(c, pool, 0));
	assert_null(pool_host_find_by_pool(cloud_tables(c), pool, host.host));
}

/* ---- reports ---- */

static struct pool_host_report report_of(const struct pool_host *p, bool is_there, const uuid *saw,
					 size_t count)
{
	return (struct pool_host_report){
		.pool_host = p->row.id, .is_there = is_there, .saw = {saw, count}, .size = 1000 * GIB};
}

static void check_proofs(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	uuid pool = add(c, directory_wish());
	struct pool_host_report report = report_of(host_in(c, pool, 0), true, c->hosts, 1);
	cloud_ok(c, NULL, engine_see_pool_host, &report); /* sees its own mark alone */
	assert_false(engine_host_sees_pool(t, c->hosts[0], pool));
	const struct condition *told = cloud_condition(c, report.pool_host, "PoolUnproven");
	assert_non_null(told);
	assert_int_equal(pool_of(c, pool)->seen_size, 0);

	report = report_of(host_in(c, pool, 1), true, c->hosts, 2);
	cloud_ok(c, NULL, engine_see_pool_host,
		 &report); /* and the next host sees both marks: both are proven */
	assert_true(engine_host_sees_pool(t, c->hosts[0], pool) &&
		    engine_host_sees_pool(t, c->hosts[1], pool));
	assert_null(cloud_condition(c, host_in(c, pool, 0)->row.id, "PoolUnproven"));
	assert_int_equal(pool_of(c, pool)->seen_size, 1000 * GIB);

	report = report_of(host_in(c, pool, 0), false, NULL, 0);
	report.size = 5;
	cloud_ok(c, NULL, engine_see_pool_host, &report); /* unmounted */
	assert_false(engine_host_sees_pool(t, c->hosts[0], pool));
	assert_int_equal(pool_of(c, pool)->seen_size, 1000 * GIB);
	uint64_t commit = host_in(c, pool, 0)->row.commit;
	cloud_ok(c, NULL, engine_see_pool_host, &report);
	assert_int_equal(host_in(c, pool, 0)->row.commit, commit); /* no news, no write */
	report.pool_host = uuid_random();
	cloud_ok(c, NULL, engine_see_pool_host, &report);
	struct storage_pool_report absent = {.pool = uuid_random(), .is_up = true};
	cloud_ok(c, NULL, engine_see_storage_pool, &absent);
}

/* A host alone in its pool has nobody to be seen by. */
static void check_alone(void **state)
{
	struct cloud *c = *state;
	struct str name = STR("h1");
	struct storage_pool_wish wish = directory_wish();
	wish.hosts = (struct strs){&name, 1};
	uuid pool = add(c, wish);
	struct pool_host_report report = report_of(host_in(c, pool, 0), true, NULL, 0);
	cloud_ok(c, NULL, engine_see_pool_host, &report);
	assert_true(engine_host_sees_pool(cloud_tables(c), c->hosts[0], pool));
}

static void check_ceph_reports(void **state)
{
	struct cloud *c = *state;
	uuid pool = add(c, ceph_wish());
	struct pool_host_report report = report_of(host_in(c, pool, 0), false, NULL, 0);
	report.problem = STR("no secret");
	cloud_ok(c, NULL, engine_see_pool_host, &report);
	assert_true(str_contains(cloud_condition(c, report.pool_host, "PoolUnproven")->message,
				 STR("no secret")));
	report.is_there = true;
	cloud_ok(c, NULL, engine_see_pool_host, &report);
	assert_true(engine_host_sees_pool(cloud_tables(c), c->hosts[0], pool));
	assert_null(cloud_condition(c, report.pool_host, "PoolUnproven"));

	struct storage_pool_report up = {.pool = pool, .is_up = true, .size = GIB};
	cloud_ok(c, NULL, engine_see_storage_pool, &up);
	assert_int_equal(pool_of(c, pool)->seen_state, STORAGE_POOL_SEEN_STATE_UP);
	uint64_t commit = pool_of(c, pool)->row.commit;
	cloud_ok(c, NULL, engine_see_storage_pool, &up);
	assert_int_equal(pool_of(c, pool)->row.commit, commit);

	/* A new key, or other monitors: each host is to prove anew that it has the key. */
	struct storage_pool_settings change = settings_of(c, pool);
	change.rbd_key = STR("sealed anew");
	cloud_ok(c, &c->operator, engine_update_storage_pool, &change);
	assert_int_equal(host_in(c, pool, 0)->seen_state, POOL_HOST_SEEN_STATE_UNKNOWN);
	assert_true(str_is(pool_of(c, pool)->rbd_key, "sealed anew"));
	change = settings_of(c, pool);
	change.monitors = (struct strs){monitors, 17};
	cloud_fails(c, &c->operator, engine_update_storage_pool, &change, ERR_INVALID, KIND_STORAGE_POOL);
	uuid nfs = add(c, directory_wish());
	change = settings_of(c, nfs);
	change.rbd_key = STR("sealed");
	cloud_fails(c, &c->operator, engine_update_storage_pool, &change, ERR_INVALID, KIND_STORAGE_POOL);
}

/* ---- types, and room ---- */

static struct volume_wish volume_of(int64_t size)
{
	return (struct volume_wish){.zone = ref_named(KIND_ZONE, "xy-west-2a"),
				    .disk = {.size = size, .type = STR("gp2")}};
}

static void check_types(void **state)
{
	struct cloud *c = *state;
	struct str gp2 = STR("gp2"), unknown = STR("gp9");
	uuid pool = add(c, directory_wish());
	struct storage_pool_settings change = settings_of(c, pool);
	change.more_types = (struct strs){&unknown, 1};
	cloud_fails(c, &c->operator, engine_update_storage_pool, &change, ERR_NOT_FOUND, KIND_VOLUME_TYPE);
	change.more_types = (struct strs){0};
	change.less_types = (struct strs){&gp2, 1};
	cloud_fails(c, &c->operator, engine_update_storage_pool, &change, ERR_STATE, KIND_VOLUME_TYPE);
	change.less_types = (struct strs){0};
	change.more_types = (struct strs){&gp2, 1};
	cloud_ok(c, &c->operator, engine_update_storage_pool, &change);
	assert_true(engine_find_pool_of_type(cloud_tables(c), gp2) == pool_of(c, pool));
	struct storage_pool_target target = {.pool = ref_to(c, KIND_STORAGE_POOL, pool)};
	cloud_fails(c, &c->operator, engine_remove_storage_pool, &target, ERR_IN_USE, KIND_STORAGE_POOL);
	change.more_types = (struct strs){0};
	change.less_types = (struct strs){&gp2, 1};
	cloud_ok(c, &c->operator, engine_update_storage_pool, &change);
	assert_null(engine_find_pool_of_type(cloud_tables(c), gp2));
	cloud_fails(c, &c->alice, engine_remove_storage_pool, &target, ERR_DENIED, KIND_STORAGE_POOL);
	cloud_ok(c, &c->operator, engine_remove_storage_pool, &target);
	assert_null(pool_of(c, pool));
	assert_null(host_in(c, pool, 0));
	assert_int_equal(engine_get_pool_directory(cloud_tables(c), pool).n, 0);
}

static void check_room(void **state)
{
	struct cloud *c = *state;
	struct str gp2 = STR("gp2");
	uuid pool = add(c, ceph_wish());
	struct storage_pool_settings change = settings_of(c, pool);
	change.more_types = (struct strs){&gp2, 1};
	cloud_ok(c, &c->operator, engine_update_storage_pool, &change);
	struct pool_host_report host = report_of(host_in(c, pool, 0), true, NULL, 0);
	host.size = 0;
	cloud_ok(c, NULL, engine_see_pool_host, &host);
	struct volume_wish wish = volume_of(GIB);
	cloud_fails(c, &c->alice, engine_create_volume, &wish, ERR_CAPACITY,
		    KIND_VOLUME); /* does not answer */
	struct storage_pool_report seen = {.pool = pool, .is_up = true, .size = 2 * GIB};
	cloud_ok(c, NULL, engine_see_storage_pool, &seen);
	cloud_ok(c, &c->alice, engine_create_volume, &wish);
	wish = volume_of(2 * GIB);
	cloud_fails(c, &c->alice, engine_create_volume, &wish, ERR_CAPACITY, KIND_VOLUME);
	seen.size = 0; /* unknown: taken to be enough */
	cloud_ok(c, NULL, engine_see_storage_pool, &seen);
	cloud_ok(c, &c->alice, engine_create_volume, &wish);
	seen.is_full = true;
	cloud_ok(c, NULL, engine_see_storage_pool, &seen);
	wish = volume_of(GIB);
	cloud_fails(c, &c->alice, engine_create_volume, &wish, ERR_CAPACITY, KIND_VOLUME);
	seen.is_full = false;
	cloud_ok(c, NULL, engine_see_storage_pool, &seen);
	change = settings_of(c, pool);
	change.enabled = CHOICE_NO;
	cloud_ok(c, &c->operator, engine_update_storage_pool, &change);
	cloud_fails(c, &c->alice, engine_create_volume, &wish, ERR_CAPACITY, KIND_VOLUME);
	struct storage_pool_target target = {.pool = ref_to(c, KIND_STORAGE_POOL, pool)};
	cloud_fails(c, &c->operator, engine_remove_storage_pool, &target, ERR_IN_USE, KIND_STORAGE_POOL);
	struct str name = STR("h1");
	change = settings_of(c, pool);
	change.less_hosts = (struct strs){&name, 1};
	cloud_fails(c, &c->operator, engine_update_storage_pool, &change, ERR_IN_USE, KIND_STORAGE_POOL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_names, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_directories, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_ceph, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_hosts, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_zone, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_proofs, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_alone, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_ceph_reports, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_types, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_room, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
