/* SPDX-License-Identifier: Apache-2.0
 * Licences: inheritance from image to instance, rights to set them, conversion, meters, dedicated hosts,
 * required versus entitled licences, and which accounts get which part of the mapping. */
#include "cloud.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "engine/licence/compliance.h"
#include "engine/licence/mapping.h"
#include "engine/region/dedicated_host.h"
#include "store/entitlement.h"
#include "store/host.h"
#include "store/image.h"
#include "store/instance.h"
#include "store/volume.h"

/* ---- requests ---- */

static void license(struct cloud *c, const char *text)
{
	struct str texts[] = {str_from(text)};
	struct image_licensing wish = {.image = ref_to(c, KIND_IMAGE, c->image),
				       .licences = {texts, *text != 0}};
	cloud_ok(c, &c->operator, engine_license_image, &wish);
}

static void convert(struct cloud *c, uuid instance, const char *to, enum err err)
{
	struct licence_conversion wish = {.instance = ref_to(c, KIND_INSTANCE, instance)};
	struct ctx *ctx = &c->c;
	assert_true(result_is_ok(engine_read_licences(ctx, str_from(to), &wish.licences)));
	cloud_expect(c, cloud_run(c, &c->alice, engine_convert_licences_run, &wish), err,
		     err == ERR_NONE    ? KIND_NONE
		     : err == ERR_STATE ? KIND_INSTANCE
					: KIND_PRODUCT);
}

static const char *licences_of(struct cloud *c, uuid instance)
{
	return str_to_z(c->arena, licence_write_all(c->arena, cloud_instance(c, instance)->licences));
}

static int64_t use_of(struct cloud *c, uuid instance, const char *licence)
{
	char host[UUID_TEXT_SIZE], meter[128];
	snprintf(meter, sizeof meter, "software:%s:%s", licence,
		 uuid_write(cloud_instance(c, instance)->host, host));
	return cloud_usage(c, instance, meter);
}

static void sell(struct cloud *c, const char *product)
{
	struct product_wish wish = {.name = str_from(product), .is_sold = CHOICE_YES};
	cloud_ok(c, &c->operator, engine_set_product, &wish);
	cloud_fails(c, &c->alice, engine_set_product, &wish, ERR_DENIED, KIND_PRODUCT);
}

static void instances_have_the_licences_of_their_image(void **state)
{
	struct cloud *c = *state;
	license(c, "rhel:included");
	uuid instance = cloud_launch_one(c);
	assert_string_equal(licences_of(c, instance), "rhel:included");
	license(c, "");
	assert_string_equal(licences_of(c, instance),
			    "rhel:included"); /* existing instances keep their licences */
	struct instance_launch own = cloud_launch(c, 1);
	struct str rhel = STR("rhel:byos");
	own.licences = (struct licences_wish){.licences = {&rhel, 1}};
	cloud_ok(c, &c->alice, engine_create_instances, &own);
	assert_string_equal(licences_of(c, own.made.at[0]), "rhel:byos");
	struct instance_launch none = cloud_launch(c, 1);
	none.licences = (struct licences_wish){.sets_all = true, .source = LICENCE_BYOS};
	cloud_fails(c, &c->alice, engine_create_instances, &none, ERR_INVALID, KIND_PRODUCT);
	rhel = STR("rhel:included");
	cloud_fails(c, &c->alice, engine_create_instances, &own, ERR_DENIED, KIND_PRODUCT);
	rhel = STR("hat:byos");
	cloud_fails(c, &c->alice, engine_create_instances, &own, ERR_INVALID, KIND_PRODUCT);
	rhel = STR("rhel:mine");
	cloud_fails(c, &c->alice, engine_create_instances, &own, ERR_INVALID, KIND_PRODUCT);
}

static void images_of_instances_keep_them(void **state)
{
	struct cloud *c = *state;
	license(c, "rhel:included");
	uuid instance = cloud_launch_one(c);
	cloud_see(c, instance, INSTANCE_SEEN_POWER_ON);
	cloud_see_volume(c, cloud_volume(c, instance)->row.id);
	struct image_capture capture = {
		.instance = ref_to(c, KIND_INSTANCE, instance), .name = STR("mine"), .no_reboot = true};
	cloud_ok(c, &c->alice, engine_capture_image, &capture);
	const struct image *image = image_find(cloud_tables(c), capture.image);
	assert_int_equal(image->licences.count, 1);
	struct image_licensing drop = {.image = ref_to(c, KIND_IMAGE, capture.image)};
	cloud_fails(c, &c->alice, engine_license_image, &drop, ERR_DENIED, KIND_PRODUCT);
	struct str byos = STR("rhel:byos");
	drop.licences = (struct strs){&byos, 1};
	cloud_ok(c, &c->alice, engine_license_image, &drop);
}

/* An image of a volume has the licences of the volume's image, unless the call names others. */
static void images_of_volumes_keep_them(void **state)
{
	struct cloud *c = *state;
	license(c, "rhel:included");
	uuid instance = cloud_launch_one(c), volume = cloud_volume(c, instance)->row.id;
	struct str byos = STR("rhel:byos");
	struct volume_capture capture = {.volume = ref_to(c, KIND_VOLUME, volume), .also_attached = true};
	cloud_see_volume(c, volume);
	cloud_ok(c, &c->alice, engine_capture_volume, &capture);
	const struct image *image = image_find(cloud_tables(c), capture.image);
	assert_true(image->licences.count == 1 && str_is(image->licences.at[0], "rhel:included"));
	capture.form.licences = (struct strs){&byos, 1};
	cloud_ok(c, &c->alice, engine_capture_volume, &capture);
	image = image_find(cloud_tables(c), capture.image);
	assert_true(image->licences.count == 1 && str_is(image->licences.at[0], "rhel:byos"));
}

/* ---- meters ---- */

static void a_guest_that_is_on_is_metered(void **state)
{
	struct cloud *c = *state;
	license(c, "rhel:included");
	uuid instance = cloud_launch_one(c);
	assert_int_equal(cloud_usage(c, instance, "licence:rhel:small"), -1);
	cloud_see(c, instance, INSTANCE_SEEN_POWER_ON);
	int64_t vcpus = cloud_instance(c, instance)->vcpus;
	assert_int_equal(cloud_usage(c, instance, "licence:rhel:small"), vcpus);
	assert_int_equal(use_of(c, instance, "rhel:included"), vcpus);
	size_t records = c->usage_count;
	convert(c, instance, "byos", ERR_NONE); /* while it runs */
	assert_int_equal(cloud_usage(c, instance, "licence:rhel:small"), 0);
	assert_int_equal(use_of(c, instance, "rhel:included"), 0);
	assert_int_equal(use_of(c, instance, "rhel:byos"), vcpus);
	assert_int_equal(c->usage_count, records + 3);
	convert(c, instance, "byos", ERR_NONE); /* it is already */
	assert_int_equal(c->usage_count, records + 3);
	assert_true(cloud_instance(c, instance)->converted_us > 0);
	convert(c, instance, "included", ERR_DENIED); /* not sold in the region */
	sell(c, "rhel");
	convert(c, instance, "rhel:included", ERR_NONE);
	assert_int_equal(cloud_usage(c, instance, "licence:rhel:small"), vcpus);
	convert(c, instance, "sles:included", ERR_DENIED); /* another product is no source of this one */
	cloud_see_off(c, instance, INSTANCE_OFF_GUEST);
	assert_int_equal(cloud_usage(c, instance, "licence:rhel:small"), 0);
	assert_int_equal(use_of(c, instance, "rhel:included"), 0);
}

/* ---- entitlements ---- */

static void entitle(struct cloud *c, uuid account, int64_t quantity, bool dedicated, uuid *ret)
{
	struct entitlement_wish wish = {.account = ref_to(c, KIND_ACCOUNT, account),
					.product = STR("rhel"),
					.source = LICENCE_BYOS,
					.quantity = quantity,
					.sets_metric = true,
					.metric = PRODUCT_METRIC_VCPU,
					.needs_dedicated = dedicated};
	if (uuid_is_none(account))
		wish.account = (struct ref){0};
	cloud_ok(c, &c->operator, engine_add_entitlement, &wish);
	*ret = wish.entitlement;
	cloud_fails(c, &c->alice, engine_add_entitlement, &wish, ERR_DENIED, KIND_ENTITLEMENT);
}

static struct licence_need weigh(struct cloud *c)
{
	struct licence_needs needs;
	assert_true(
		result_is_ok(engine_weigh_licences(&c->c, cloud_tables(c), clock_now_us(), NULL, 0, &needs)));
	assert_int_equal(needs.list.count, 1);
	return *needs.list.at[0];
}

static void what_is_over_is_named(void **state)
{
	struct cloud *c = *state;
	uuid first, second;
	license(c, "rhel:byos");
	uuid instance = cloud_launch_one(c);
	cloud_see(c, instance, INSTANCE_SEEN_POWER_ON);
	struct licence_need need = weigh(c);
	assert_true(uuid_equal(need.account, c->alice.account));
	assert_true(uuid_is_none(need.entitlement)); /* no entitlement */
	assert_int_equal(need.needed, 1);            /* an instance, as the product is counted */
	assert_int_equal(need.entitled, 0);
	assert_true(engine_is_over(&need));
	assert_int_equal(need.guests.count, 1);
	entitle(c, UUID_NONE, 100, false, &first); /* the operator's, for all accounts */
	need = weigh(c);
	assert_true(uuid_is_none(need.account));
	assert_int_equal(need.needed, cloud_instance(c, instance)->vcpus);
	assert_int_equal(need.entitled, 100);
	assert_false(engine_is_over(&need));
	struct entitlement_end end = {.entitlement = ref_by_id(KIND_ENTITLEMENT, first)};
	cloud_ok(c, &c->operator, engine_end_entitlement, &end);
	entitle(c, c->alice.account, 1, false, &second);
	need = weigh(c);
	assert_true(uuid_equal(need.account, c->alice.account));
	assert_int_equal(need.entitled, 1);
	assert_true(engine_is_over(&need));
	assert_string_equal(str_to_z(c->arena, engine_licence_condition(c->arena, &need)),
			    "LicencesOver-rhel-byos");
	cloud_see_off(c, instance, INSTANCE_OFF_GUEST);
	assert_int_equal(weigh(c).needed, 0);
}

static void a_licence_for_dedicated_hosts_is_placed_there(void **state)
{
	struct cloud *c = *state;
	uuid entitlement;
	license(c, "rhel:byos");
	uuid shared = cloud_launch_one(c); /* before any entitlement for dedicated hosts */
	entitle(c, c->alice.account, 100, true, &entitlement);
	struct instance_launch launch = cloud_launch(c, 1);
	cloud_fails(c, &c->alice, engine_create_instances, &launch, ERR_CAPACITY, KIND_DEDICATED_HOST);
	launch.tenancy = INSTANCE_TENANCY_DEDICATED;
	cloud_fails(c, &c->alice, engine_create_instances, &launch, ERR_COMBINATION, KIND_INSTANCE);
	convert(c, shared, "spla", ERR_NONE); /* which that entitlement is not about */
	convert(c, shared, "byos", ERR_STATE);
	struct dedicated_host_wish allocate = {.zone = ref_named(KIND_ZONE, "xy-west-2a"),
					       .family = STR("t3"),
					       .count = 1,
					       .auto_placement = true};
	cloud_ok(c, &c->alice, engine_allocate_dedicated_hosts, &allocate);
	launch = cloud_launch(c, 1);
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	const struct instance *i = cloud_instance(c, launch.made.at[0]);
	assert_int_equal(i->tenancy, INSTANCE_TENANCY_HOST);
	assert_true(engine_find_dedicated(cloud_tables(c), i->host) != NULL);
}

/* ---- software in guests ---- */

static void software_is_told_for_tickets(void **state)
{
	struct cloud *c = *state;
	struct software s;
	uuid plain = cloud_launch_one(c);
	assert_false(engine_find_software(cloud_tables(c), cloud_instance(c, plain), &s));
	license(c, "rhel:byos");
	uuid instance = cloud_launch_one(c);
	assert_true(engine_find_software(cloud_tables(c), cloud_instance(c, instance), &s));
	assert_true(str_is(s.product, "rhel"));
	assert_true(str_is(s.source, "byos"));
	assert_true(str_is(s.vendor, "Red Hat"));
}

/* ---- visibility of the mapping ---- */

static const char *mapping_of(struct cloud *c, uuid account)
{
	const struct mapping_scope scope = {.account = account};
	struct str json;
	assert_true(result_is_ok(engine_write_mapping(&c->c, cloud_tables(c), &scope, &json)));
	return str_to_z(c->arena, json);
}

static void nobody_is_told_of_anothers_guests(void **state)
{
	struct cloud *c = *state;
	char mine[UUID_TEXT_SIZE], theirs[UUID_TEXT_SIZE];
	uuid first = cloud_launch_one(c);
	cloud_see(c, first, INSTANCE_SEEN_POWER_ON);
	struct instance_launch launch = cloud_launch(c, 1);
	cloud_ok(c, &c->bob, engine_create_instances, &launch);
	cloud_see(c, launch.made.at[0], INSTANCE_SEEN_POWER_ON);
	uuid_write(first, mine);
	uuid_write(launch.made.at[0], theirs);
	assert_non_null(strstr(mapping_of(c, c->alice.account), mine));
	assert_null(strstr(mapping_of(c, c->alice.account), theirs));
	assert_null(strstr(mapping_of(c, c->bob.account), mine));
	assert_non_null(strstr(mapping_of(c, UUID_NONE), mine));
	assert_non_null(strstr(mapping_of(c, UUID_NONE), theirs));
	assert_string_equal(mapping_of(c, c->alice.account), mapping_of(c, c->alice.account));
}

int main(void)
{
#define CLOUD_TEST(test) cmocka_unit_test_setup_teardown(test, cloud_setup, cloud_teardown)
	const struct CMUnitTest tests[] = {
		CLOUD_TEST(instances_have_the_licences_of_their_image),
		CLOUD_TEST(images_of_instances_keep_them),
		CLOUD_TEST(images_of_volumes_keep_them),
		CLOUD_TEST(a_guest_that_is_on_is_metered),
		CLOUD_TEST(what_is_over_is_named),
		CLOUD_TEST(a_licence_for_dedicated_hosts_is_placed_there),
		CLOUD_TEST(software_is_told_for_tickets),
		CLOUD_TEST(nobody_is_told_of_anothers_guests),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
