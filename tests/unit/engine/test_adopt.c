/* SPDX-License-Identifier: Apache-2.0
 * Adoption: a manifest restores rows unchanged, next to the rows that exist now. Conflicts and missing rows
 * are reported, and an adoption is never partial. */
#include "cloud.h"
#include "model/instance_event.h"
#include "model/port.h"
#include "model/secondary_ip.h"
#include "model/states.h"
#include "model/subnet.h"
#include "model/user.h"
#include "store/address.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/router.h"
#include "store/volume.h"
#include "store/volume_attachment.h"

#include "base/vec.h"
#include "engine/instance/instance_event.h"
#include "engine/network/subnet.h"
#include "engine/region/adopt.h"
#include "engine/storage/volume/volume_attachment.h"
#include "model/mac.h"

struct lost {
	struct cloud *c;
	uuid id;
	struct manifest manifest;
	struct disk_found disks[4];
	struct instance_adoption wish;
};

static void note(struct lost *l, struct manifest_row *rows, size_t *count, enum kind kind,
		 const struct row *row)
{
	if (row_is_live(row))
		rows[(*count)++] =
			(struct manifest_row){kind, row_copy(l->c->arena, &model_kinds[kind], row)};
}

/* Writes the manifest like the reconciler does, and reads it back like a host's. */
static void take_manifest(struct lost *l)
{
	struct manifest_row *rows = arena_new_array(l->c->arena, struct manifest_row, 16);
	const struct tables *t = cloud_tables(l->c);
	size_t count = 0;
	note(l, rows, &count, KIND_INSTANCE, &instance_find(t, l->id)->row);
	struct volume_list disks;
	assert_true(result_is_ok(engine_list_disks(l->c->arena, t, l->id, false, &disks)));
	for (size_t k = 0; k < disks.count; k++) {
		const struct volume *v = disks.at[k];
		note(l, rows, &count, KIND_VOLUME, &v->row);
		l->disks[l->wish.disk_count++] = (struct disk_found){v->row.id, v->size, v->is_raw};
	}
	const struct port *p = cloud_port(l->c, l->id);
	note(l, rows, &count, KIND_PORT, &p->row);
	for (const struct secondary_ip *s = engine_first_secondary_ip(t, p->row.id); s;
	     s = engine_next_secondary_ip(t, s))
		note(l, rows, &count, KIND_SECONDARY_IP, &s->row);
	for (const struct address *a = address_first_by_port(t, p->row.id); a; a = address_next_by_port(t, a))
		note(l, rows, &count, KIND_ADDRESS, &a->row);
	struct str text = STR_NONE;
	ctx_clear_problem(&l->c->c);
	assert_true(result_is_ok(manifest_write(&l->c->c, &(struct manifest){rows, count}, &text)));
	assert_true(result_is_ok(manifest_read(&l->c->c, text, &l->manifest)));
}

/* All rows of the manifest are gone, as in an older database. */
static RESULT op_lose(struct op *op, void *arg)
{
	const struct lost *l = arg;
	const struct volume_attachment *further = volume_attachment_first(op->head);
	if (further)
		TRY(volume_attachment_forget(op, further->row.id));
	for (size_t k = l->manifest.count; k-- > 0;)
		if (tables_find(op->head, l->manifest.at[k].kind, l->manifest.at[k].row->id))
			TRY(op_forget(op, l->manifest.at[k].kind, l->manifest.at[k].row->id));
	return OK;
}

static struct lost lose(struct cloud *c, struct instance_launch *launch, enum instance_seen_power power)
{
	cloud_ok(c, &c->alice, engine_create_instances, launch);
	struct lost l = {.c = c, .id = launch->made.at[0]};
	cloud_see(c, l.id, power);
	uuid host = cloud_instance(c, l.id)->host;
	take_manifest(&l);
	cloud_expect(c, cloud_run(c, NULL, op_lose, &l), ERR_NONE, KIND_NONE);
	assert_null(cloud_instance(c, l.id));
	l.wish.instance = l.id;
	l.wish.host = host;
	l.wish.is_on = power == INSTANCE_SEEN_POWER_ON;
	return l;
}

static struct lost lose_one(struct cloud *c)
{
	struct instance_launch launch = cloud_launch(c, 1);
	return lose(c, &launch, INSTANCE_SEEN_POWER_ON);
}

/* The wish points into the struct, which is returned by value. */
static struct instance_adoption *wish_of(struct lost *l)
{
	l->wish.manifest = &l->manifest;
	l->wish.disks = l->disks;
	return &l->wish;
}

/* A running instance that has the volume. */
static void launch_with(struct cloud *c, uuid volume, struct lost *l)
{
	struct instance_launch launch = cloud_launch(c, 1);
	launch.zone = ref_named(KIND_ZONE, "xy-west-2a");
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	l->id = launch.made.at[0];
	cloud_see(c, l->id, INSTANCE_SEEN_POWER_ON);
	l->wish = (struct instance_adoption){
		.instance = l->id, .host = cloud_instance(c, l->id)->host, .is_on = true};
	const struct volume *v = volume_find(cloud_tables(c), volume);
	struct volume_report seen = {
		.volume = volume, .gen = v->row.gen, .host = v->host, .size = v->size, .is_raw = true};
	cloud_ok(c, NULL, engine_see_volume, &seen);
	struct volume_attaching attach = {.volume = ref_to(c, KIND_VOLUME, volume),
					  .instance = ref_to(c, KIND_INSTANCE, l->id),
					  .device = STR("/dev/sdf")};
	cloud_ok(c, &c->alice, engine_attach_volume, &attach);
}

/* A volume that two had comes back with the first, and to the other. */
static void check_shared(void **state)
{
	struct cloud *c = *state;
	struct lost lost[2] = {{.c = c}, {.c = c}};
	struct volume_wish make = {
		.zone = ref_named(KIND_ZONE, "xy-west-2a"),
		.disk = {.size = 4 * GIB, .type = STR("io2"), .iops = 100, .is_shared = CHOICE_YES}};
	cloud_ok(c, &c->alice, engine_create_volume, &make);
	for (size_t k = 1; k < CLOUD_HOSTS; k++) {
		struct host_settings closed = {.host = ref_to(c, KIND_HOST, c->hosts[k]),
					       .enabled = CHOICE_NO};
		cloud_ok(c, &c->operator, engine_update_host, &closed);
	}
	for (size_t k = 0; k < 2; k++)
		launch_with(c, make.volume, &lost[k]);
	for (size_t k = 0; k < 2; k++)
		take_manifest(&lost[k]);
	for (size_t k = 0; k < 2; k++)
		cloud_expect(c, cloud_run(c, NULL, op_lose, &lost[k]), ERR_NONE, KIND_NONE);
	for (size_t k = 2; k-- > 0;)
		cloud_ok(c, &c->operator, engine_adopt_instance, wish_of(&lost[k]));
	struct volume_list list;
	const struct volume *back = volume_find(cloud_tables(c), make.volume);
	assert_true(back->is_raw && back->is_shared && uuid_equal(back->instance, lost[1].id));
	assert_true(result_is_ok(engine_list_attachments(c->arena, cloud_tables(c), back, &list)));
	assert_int_equal(list.count, 2);
	assert_true(uuid_equal(list.at[1]->instance, lost[0].id));
}

/* If its host has a maintenance planned, the adopted instance gets an event like the host's other
 * instances. */
static void check_maintenance(void **state)
{
	struct cloud *c = *state;
	struct lost on = lose_one(c);
	struct instance_launch launch = cloud_launch(c, 1);
	struct lost off = lose(c, &launch, INSTANCE_SEEN_POWER_OFF);
	for (size_t k = 0; k < sizeof c->hosts / sizeof *c->hosts; k++) {
		struct maintenance_wish wish = {
			.host = {.kind = KIND_HOST, .prefix = c->hosts[k], .bits = 128},
			.from_us = clock_now_us() + HOUR,
			.kind = HOST_MAINTENANCE_KIND_STOP};
		cloud_ok(c, &c->operator, engine_plan_maintenance, &wish);
	}
	cloud_ok(c, &c->operator, engine_adopt_instance, wish_of(&on));
	cloud_ok(c, &c->operator, engine_adopt_instance, wish_of(&off));
	const struct instance_event *e = engine_find_event(cloud_tables(c), on.id);
	assert_true(e && uuid_equal(e->host, on.wish.host) && e->stage == INSTANCE_EVENT_STAGE_SCHEDULED);
	assert_int_equal(e->code, INSTANCE_EVENT_CODE_INSTANCE_STOP);
	assert_null(engine_find_event(cloud_tables(c), off.id));
	cloud_check(c);
}

static void check_whole(void **state)
{
	struct cloud *c = *state;
	struct tag tags[] = {{STR("Name"), STR("a <b> \"c\"")}};
	struct instance_launch launch = cloud_launch(c, 1);
	struct disk_wish disks[] = {{.device = STR("/dev/xvda"), .size = 8 * GIB},
				    {.device = STR("/dev/sdb"), .size = 16 * GIB}};
	launch.instance_tags = (struct tags){tags, 1};
	launch.user_data = STR("#!/bin/sh\n\0\xff");
	launch.disks = disks;
	launch.disk_count = 2;
	const struct launch_port port = {.ips.more = 1};
	launch.ports = &port;
	launch.port_count = 1;
	struct lost l = lose(c, &launch, INSTANCE_SEEN_POWER_ON);
	size_t events = c->event_count;
	cloud_ok(c, &c->operator, engine_adopt_instance, wish_of(&l));
	assert_int_equal(l.wish.port_count, 1);
	assert_int_equal(l.wish.volume_count, 2);
	assert_int_equal(l.wish.address_count, 1);
	assert_int_equal(l.wish.dropped_count, 0);
	assert_non_null(engine_first_secondary_ip(cloud_tables(c), cloud_port(c, l.id)->row.id));
	assert_true(c->event_count > events);

	const struct instance *i = cloud_instance(c, l.id), *kept = instance_of(l.manifest.at[0].row);
	assert_int_equal(cloud_state(c, l.id), INSTANCE_RUNNING);
	assert_int_equal(i->row.gen, kept->row.gen);
	assert_int_equal(i->seen_gen, i->row.gen);
	assert_true(str_equal(i->user_data, launch.user_data));
	assert_true(str_is(tags_find(i->tags, STR("Name"))->value, "a <b> \"c\""));
	assert_true(uuid_equal(i->host, l.wish.host));
	assert_int_equal(cloud_usage(c, l.id, "instance:t3.micro"), 1);
	const struct port *p = cloud_port(c, l.id);
	const struct address *a = cloud_address(c, l.id);
	assert_non_null(p);
	assert_true(a && uuid_equal(a->port, p->row.id) && ip_equal(a->private_ip, p->ip));
	assert_int_equal(p->groups.count, 1);
	const struct volume *v = cloud_volume(c, l.id);
	assert_int_equal(model_derive_volume_state(v), VOLUME_IN_USE);
	assert_true(uuid_equal(v->seen_instance, l.id) && uuid_equal(v->seen_host, l.wish.host));
	assert_int_equal(cloud_usage(c, v->row.id, "volume:gp3"), 8 * GIB);
	cloud_check(c);

	/* An adopted instance behaves like any other: it can be seen, stopped and terminated. */
	cloud_see(c, l.id, INSTANCE_SEEN_POWER_ON);
	assert_null(cloud_condition(c, l.id, INSTANCE_RESTARTED));
	struct ref ref = ref_to(c, KIND_INSTANCE, l.id);
	struct instances_wish end = {.instances = {&ref, 1}};
	cloud_ok(c, &c->alice, engine_terminate_instances, &end);
	cloud_see(c, l.id, INSTANCE_SEEN_POWER_ABSENT);
	assert_int_equal(cloud_state(c, l.id), INSTANCE_TERMINATED);
}

static void check_off(void **state)
{
	struct cloud *c = *state;
	struct instance_launch launch = cloud_launch(c, 1);
	struct lost l = lose(c, &launch, INSTANCE_SEEN_POWER_OFF);
	cloud_ok(c, &c->operator, engine_adopt_instance, wish_of(&l));
	assert_int_equal(cloud_state(c, l.id), INSTANCE_STOPPED);
	assert_int_equal(cloud_usage(c, l.id, "instance:t3.micro"), -1);
}

static void check_missing_disk(void **state)
{
	struct cloud *c = *state;
	struct lost l = lose_one(c);
	l.wish.disk_count = 0;
	cloud_ok(c, &c->operator, engine_adopt_instance, wish_of(&l));
	const struct volume *v = cloud_volume(c, l.id);
	assert_int_equal(v->seen_size, 0);
	assert_true(v->seen_gen > 0); /* it was there: the host is never told to make it */
}

static void check_grown_disk(void **state)
{
	struct cloud *c = *state;
	struct lost l = lose_one(c);
	l.disks[0].size = 100 * GIB;
	cloud_ok(c, &c->operator, engine_adopt_instance, wish_of(&l));
	assert_int_equal(cloud_volume(c, l.id)->size, 100 * GIB);
}

static void check_who(void **state)
{
	struct cloud *c = *state;
	struct lost l = lose_one(c);
	cloud_fails(c, &c->alice, engine_adopt_instance, wish_of(&l), ERR_DENIED, KIND_HOST);
	l.wish.host = l.id;
	cloud_fails(c, &c->operator, engine_adopt_instance, wish_of(&l), ERR_NOT_FOUND, KIND_HOST);
}

static void check_conflicts(void **state)
{
	struct cloud *c = *state;
	struct lost l = lose_one(c);
	const struct port *lost_port = NULL;
	for (size_t k = 0; k < l.manifest.count; k++)
		if (l.manifest.at[k].kind == KIND_PORT)
			lost_port = port_of(l.manifest.at[k].row);
	assert_non_null(lost_port);
	struct instance_launch other = cloud_launch(c, 1);
	const struct launch_port port = {.ips.primary = lost_port->ip,
					 .subnet = ref_to(c, KIND_SUBNET, lost_port->subnet)};
	other.ports = &port;
	other.port_count = 1;
	cloud_ok(c, &c->alice, engine_create_instances, &other);
	cloud_fails(c, &c->operator, engine_adopt_instance, wish_of(&l), ERR_CONFLICT, KIND_PORT);

	struct lost m = lose_one(c);
	cloud_ok(c, &c->operator, engine_adopt_instance, wish_of(&m));
	cloud_fails(c, &c->operator, engine_adopt_instance, wish_of(&m), ERR_CONFLICT, KIND_INSTANCE);
}

static void check_missing_parts(void **state)
{
	static const struct {
		enum kind of, kind;
		const char *field;
	} rows[] = {
		{KIND_INSTANCE, KIND_ACCOUNT, "account"},    {KIND_INSTANCE, KIND_IMAGE, "image"},
		{KIND_INSTANCE, KIND_INSTANCE_TYPE, "type"}, {KIND_INSTANCE, KIND_ROUTER, "router"},
		{KIND_INSTANCE, KIND_SUBNET, "subnet"},      {KIND_PORT, KIND_NETWORK, "network"},
		{KIND_PORT, KIND_SUBNET, "subnet"},          {KIND_VOLUME, KIND_SNAPSHOT, "snapshot"},
	};
	struct cloud *c = *state;
	struct lost l = lose_one(c);
	for (size_t n = 0; n < sizeof rows / sizeof *rows; n++) {
		const struct kind_info *k = &model_kinds[rows[n].of];
		for (size_t m = 0; m < l.manifest.count; m++) {
			struct row *row = (struct row *) l.manifest.at[m].row;
			for (unsigned f = 0; l.manifest.at[m].kind == rows[n].of && f < k->field_count; f++) {
				if (strcmp(k->fields[f].name, rows[n].field) != 0)
					continue;
				uuid *at = (uuid *) (void *) ((char *) row + k->fields[f].offset), had = *at;
				*at = (uuid){{0xde, 0xad}};
				cloud_fails(c, &c->operator, engine_adopt_instance, wish_of(&l),
					    ERR_NOT_FOUND, rows[n].kind);
				*at = had;
			}
		}
	}
	cloud_ok(c, &c->operator, engine_adopt_instance, wish_of(&l));
}

static void check_foreign_manifest(void **state)
{
	struct cloud *c = *state;
	struct lost l = lose_one(c), other = lose_one(c);
	uuid id = l.wish.instance;
	l.wish.instance = other.id;
	cloud_fails(c, &c->operator, engine_adopt_instance, wish_of(&l), ERR_INVALID, KIND_INSTANCE);
	l.wish.instance = id;
	struct manifest whole = l.manifest;
	l.manifest = (struct manifest){whole.at + 1, whole.count - 1}; /* no instance */
	cloud_fails(c, &c->operator, engine_adopt_instance, wish_of(&l), ERR_INVALID, KIND_INSTANCE);
	struct manifest_row rows[16];
	memcpy(rows, whole.at, whole.count * sizeof *rows);
	struct user user = {.row = {.id = {{7}}, .gen = 1}, .account = c->alice.account};
	rows[whole.count] = (struct manifest_row){KIND_USER, &user.row}; /* users cannot be adopted */
	l.manifest = (struct manifest){rows, whole.count + 1};
	cloud_fails(c, &c->operator, engine_adopt_instance, wish_of(&l), ERR_INVALID, KIND_INSTANCE);
	rows[whole.count] = other.manifest.at[1]; /* another instance's part */
	cloud_fails(c, &c->operator, engine_adopt_instance, wish_of(&l), ERR_INVALID, KIND_INSTANCE);
	rows[whole.count] = rows[0]; /* twice */
	cloud_fails(c, &c->operator, engine_adopt_instance, wish_of(&l), ERR_INVALID, KIND_INSTANCE);
}

static void check_dropped(void **state)
{
	struct cloud *c = *state;
	struct security_group_wish group = {.router = ref_to(c, KIND_ROUTER, c->alice_router),
					    .name = STR("gone"),
					    .description = STR("x")};
	cloud_ok(c, &c->alice, engine_create_security_group, &group);
	struct instance_launch launch = cloud_launch(c, 1);
	struct ref ref = ref_to(c, KIND_SECURITY_GROUP, group.group);
	const struct launch_port port = {.groups = {&ref, 1}};
	launch.ports = &port;
	launch.port_count = 1;
	struct lost l = lose(c, &launch, INSTANCE_SEEN_POWER_ON);
	struct security_group_target target = {ref};
	cloud_ok(c, &c->alice, engine_delete_security_group, &target);
	const struct address *lost_address = NULL;
	for (size_t k = 0; k < l.manifest.count; k++)
		if (l.manifest.at[k].kind == KIND_ADDRESS)
			lost_address = address_of(l.manifest.at[k].row);
	struct address_wish taken = {.ip = lost_address->ip};
	cloud_ok(c, &c->bob, engine_allocate_address, &taken);
	cloud_ok(c, &c->operator, engine_adopt_instance, wish_of(&l));
	assert_int_equal(l.wish.dropped_count, 2);
	assert_int_equal(l.wish.address_count, 0);
	const struct port *p = cloud_port(c, l.id);
	const struct router *router = router_find(cloud_tables(c), c->alice_router);
	assert_int_equal(p->groups.count, 1);
	assert_true(uuid_equal(p->groups.at[0], router->default_group));
	assert_non_null(cloud_address(c, l.id)); /* another one, for it runs */
	assert_false(ip_equal(cloud_address(c, l.id)->ip, taken.made_ip));
}

static void check_lone_disk(void **state)
{
	struct cloud *c = *state;
	struct volume_adoption wish = {.host = c->hosts[1],
				       .disk = {id_new(KIND_VOLUME), 3 * GIB},
				       .account = ref_named(KIND_ACCOUNT, "nobody")};
	cloud_fails(c, &c->operator, engine_adopt_volume, &wish, ERR_NOT_FOUND, KIND_ACCOUNT);
	wish.account = ref_named(KIND_ACCOUNT, "alice");
	cloud_fails(c, &c->alice, engine_adopt_volume, &wish, ERR_DENIED, KIND_HOST);
	cloud_ok(c, &c->operator, engine_adopt_volume, &wish);
	const struct volume *v = volume_find(cloud_tables(c), wish.disk.volume);
	assert_int_equal(model_derive_volume_state(v), VOLUME_AVAILABLE);
	assert_true(uuid_equal(v->zone, host_find(cloud_tables(c), c->hosts[1])->zone));
	assert_int_equal(v->size, 3 * GIB);
	assert_int_equal(cloud_usage(c, v->row.id, "volume:gp3"), 3 * GIB);
	cloud_fails(c, &c->operator, engine_adopt_volume, &wish, ERR_CONFLICT, KIND_VOLUME);
}

/* A subnet that came meanwhile: the guest has made its address of it, and the manifest does not know. */
static void check_automatic(void **state)
{
	struct cloud *c = *state;
	struct lost l = lose_one(c);
	const struct port *kept = NULL;
	for (size_t k = 0; k < l.manifest.count; k++)
		if (l.manifest.at[k].kind == KIND_PORT)
			kept = port_of(l.manifest.at[k].row);
	struct network_subnet_wish wish = {.network = ref_to(c, KIND_NETWORK, kept->network),
					   .block = cidr_of("fd00:9::/64"),
					   .ipv6_ra_mode = SUBNET_IPV6_RA_MODE_SLAAC,
					   .ipv6_address_mode = SUBNET_IPV6_ADDRESS_MODE_SLAAC};
	cloud_ok(c, &c->alice, engine_add_subnet, &wish);
	cloud_ok(c, &c->operator, engine_adopt_instance, wish_of(&l));
	struct ip made = engine_get_port_ip(cloud_tables(c), cloud_port(c, l.id), IP_V6);
	assert_true(ip_equal(made, model_make_eui64(wish.block, kept->mac)));
}

#define adopt_test(f) cmocka_unit_test_setup_teardown(f, cloud_setup, cloud_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		adopt_test(check_whole),         adopt_test(check_off),
		adopt_test(check_missing_disk),  adopt_test(check_grown_disk),
		adopt_test(check_who),           adopt_test(check_conflicts),
		adopt_test(check_missing_parts), adopt_test(check_foreign_manifest),
		adopt_test(check_dropped),       adopt_test(check_lone_disk),
		adopt_test(check_automatic),     adopt_test(check_maintenance),
		adopt_test(check_shared),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
