/* SPDX-License-Identifier: Apache-2.0
 * The region of a history: that of tests/unit/cloud, with faces and accounts that sign requests. */
#include "api/autoscaling/autoscaling.h"
#include "api/azure/core/azure.h"
#include "api/cloudstack/core/cloudstack.h"
#include "api/core/park.h"
#include "api/ec2/compute/later_launch.h"
#include "api/elb/elb.h"
#include "auth/guard/guard.h"
#include "auth/key/key.h"
#include "engine/people/policy/role.h"
#include "engine/storage/storage_pool.h"
#include "model/access_key.h"
#include "simulation.h"
#include "store/account.h"
#include "store/instance_type.h"
#include "store/volume_type.h"
#include "store/zone.h"

static void open_openstack(struct region *r)
{
	struct cloud *c = r->cloud;
	const struct tokens_config tokens = {c->store, cloud_master_key, 24 * HOUR};
	cloud_expect_at(c, tokens_new(&c->c, &tokens, &r->tokens), __FILE__, __LINE__);
	cloud_expect_at(c, tickets_new(&c->c, r->tokens, cloud_master_key, &r->tickets), __FILE__, __LINE__);
	const struct bearers_config bearers = {c->store, r->tokens, world_bearer_key(), r->sigv4, 24 * HOUR};
	cloud_expect_at(c, bearers_new(&c->c, &bearers, &r->bearers), __FILE__, __LINE__);
	const struct passwords_config passwords = {
		.memory_kib = 8, .passes = 1, .failures_max = 3, .locked_us = MINUTE};
	cloud_expect_at(c, passwords_new(&c->c, c->executor, &passwords, &r->passwords), __FILE__, __LINE__);
	const struct api_config openstack = {.store = c->store,
					     .guards = r->guards,
					     .tokens = r->tokens,
					     .bearers = r->bearers,
					     .passwords = r->passwords,
					     .key_lane = r->key_lane,
					     .tickets = r->tickets,
					     .master_key = cloud_master_key,
					     .reconciler = c->reconciler,
					     .backup_target = c->backup.url,
					     .region = STR("xy-west-2"),
					     .endpoint = STR("http://cloud.test:8773")};
	cloud_expect_at(c, api_face_new(&c->c, &openstack_protocol, &openstack, &r->openstack), __FILE__,
			__LINE__);
	cloud_expect_at(c, api_face_new(&c->c, &cloudstack_protocol, &openstack, &r->cloudstack), __FILE__,
			__LINE__);
	struct api_config azure = openstack;
	if (r->deploys)
		azure.executor = c->executor;
	cloud_expect_at(c, api_face_new(&c->c, &azure_protocol, &azure, &r->azure), __FILE__, __LINE__);
}

static void open_face(struct region *r)
{
	struct cloud *c = r->cloud;
	const struct sigv4_config sigv4 = {c->store, cloud_master_key, STR("us-east-1"), 0};
	cloud_expect_at(c, sigv4_new(&c->c, &sigv4, &r->sigv4), __FILE__, __LINE__);
	const struct guards_config guards = {c->store, cloud_master_key, STR("us-east-1")};
	cloud_expect_at(c, guards_new(&c->c, &guards, &r->guards), __FILE__, __LINE__);
	cloud_expect_at(c, api_new_key_lane(&c->c, c->executor, &r->key_lane), __FILE__, __LINE__);
	const struct api_config ec2 = {.store = c->store,
				       .guards = r->guards,
				       .sigv4 = r->sigv4,
				       .key_lane = r->key_lane,
				       .master_key = cloud_master_key,
				       .reconciler = c->reconciler,
				       .region = STR("xy-west-2"), /* the cloud's own name */
				       .endpoint = STR("ec2.us-east-1.test:8773")};
	cloud_expect_at(c, api_face_new(&c->c, &ec2_protocol, &ec2, &r->face), __FILE__, __LINE__);
	open_openstack(r);
	const struct api_config iam = {.store = c->store,
				       .sigv4 = r->sigv4,
				       .passwords = r->passwords,
				       .master_key = cloud_master_key};
	cloud_expect_at(c, api_face_new(&c->c, &iam_protocol, &iam, &r->iam), __FILE__, __LINE__);
	struct api_config balancing = ec2;
	balancing.read_scaling = ec2_read_scaling_source;
	cloud_expect_at(c, api_face_new(&c->c, &elb_protocol, &balancing, &r->elb), __FILE__, __LINE__);
	cloud_expect_at(c, api_face_new(&c->c, &elb_classic_protocol, &balancing, &r->elb_classic), __FILE__,
			__LINE__);
	cloud_expect_at(c, api_face_new(&c->c, &autoscaling_protocol, &balancing, &r->autoscaling), __FILE__,
			__LINE__);
}

static void close_face(struct region *r)
{
	api_face_free(TAKE(r->autoscaling));
	api_face_free(TAKE(r->elb_classic));
	api_face_free(TAKE(r->elb));
	api_face_free(TAKE(r->iam));
	api_face_free(TAKE(r->openstack));
	api_face_free(TAKE(r->cloudstack));
	api_face_free(TAKE(r->azure));
	passwords_free(TAKE(r->passwords));
	lane_free(TAKE(r->key_lane));
	tickets_free(TAKE(r->tickets));
	bearers_free(TAKE(r->bearers));
	tokens_free(TAKE(r->tokens));
	api_face_free(TAKE(r->face));
	guards_free(TAKE(r->guards));
	sigv4_free(TAKE(r->sigv4));
}

static void add_user(struct region *r, const char *name, struct world_user *user)
{
	struct cloud *c = r->cloud;
	struct access_key key = {.row.id = uuid_random()};
	cloud_expect_at(c, key_draw(&c->c, cloud_master_key, &key, &user->secret), __FILE__, __LINE__);
	struct account_wish wish = {.name = str_from(name), .key = &key, .with_default_router = true};
	cloud_ok(c, NULL, engine_create_account, &wish);
	user->key_id = key.key_id;
	user->who = (struct identity){.rights = RIGHTS_OF_MEMBER, .account = wish.account, .user = wish.user};
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	user->tenant = account_find(view.tables, wish.account)->domain;
	view_close(&view);
	struct account_limits limits = account_limits_all(cloud_ref(c, KIND_ACCOUNT, wish.account), -1);
	limits.instances = LIMIT_INSTANCES;
	limits.addresses = LIMIT_ADDRESSES;
	limits.routers = LIMIT_ROUTERS;
	limits.groups = LIMIT_GROUPS;
	cloud_ok(c, NULL, engine_set_limits, &limits);
}

/* The administrator has a separate project and the role admin there. */
static void add_admin(struct region *r)
{
	struct world_user *admin = &r->users[ADMIN];
	add_user(r, "admin", admin);
	struct role_grant grant = {
		.role = {.kind = KIND_ROLE, .text = STR("admin")},
		.user = {.kind = KIND_USER, .prefix = admin->who.user, .bits = 128},
		.account = {.kind = KIND_ACCOUNT, .prefix = admin->who.account, .bits = 128}};
	cloud_ok(r->cloud, NULL, engine_grant_role, &grant);
}

/* Lets users expunge and recover their machines. */
static void name_offerings(struct region *r)
{
	struct cloud *c = r->cloud;
	struct setting_wish setting = {SETTING_USERS_RECOVER, STR("1")};
	cloud_ok(c, NULL, engine_put_setting, &setting);
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	uuid_write(zone_find_by_name(view.tables, STR("xy-west-2a"))->row.id, r->zone);
	uuid_write(instance_type_find_by_name(view.tables, STR("t3.micro"))->row.id, r->offering);
	uuid_write(volume_type_find_by_name(view.tables, STR("gp3"))->row.id, r->disk_offering);
	uuid_write(c->image, r->template);
}

/* In two of three regions the volumes of some types are in a shared pool: root disks, or others; in a
 * directory, or in a Ceph pool. */
static void add_shared_pool(struct region *r, uint64_t seed)
{
	struct cloud *c = r->cloud;
	static struct str types[] = {STR("gp3"), STR("gp2"), STR("__DEFAULT__")},
			  monitors[] = {STR("sim:3300")};
	struct storage_pool_wish pool = {
		.name = STR("shared"), .kind = STORAGE_POOL_KIND_SHARED_DIR, .path = STR("/srv/shared")};
	if (seed % 3 == 0)
		return;
	if (seed % 2)
		pool = (struct storage_pool_wish){.name = STR("shared"),
						  .kind = STORAGE_POOL_KIND_RBD,
						  .monitors = {monitors, 1},
						  .rbd_pool = STR("vms"),
						  .rbd_user = STR("dari"),
						  .rbd_key = cloud_seal(c, STR("shared"), STR("key"))};
	cloud_ok(c, NULL, engine_add_storage_pool, &pool);
	struct storage_pool_settings bound = {.pool = cloud_ref(c, KIND_STORAGE_POOL, pool.pool),
					      .more_types = {types + (seed % 3 - 1), 3 - seed % 3}};
	cloud_ok(c, NULL, engine_update_storage_pool, &bound);
	cloud_settle(c);
}

void region_open(struct region *r, uint64_t seed)
{
	static const char *const names[ACCOUNTS] = {"ann", "ben", "cho"};
	r->cloud = cloud_new(seed, HOSTS);
	r->cloud->read_scaling = ec2_read_later_scaling; /* from the restart on, groups launch */
	cloud_restart(r->cloud);
	bills_open(&r->bills, r->cloud);
	add_shared_pool(r, seed);
	r->master_key = cloud_master_key;
	for (size_t k = 0; k < ACCOUNTS; k++)
		add_user(r, names[k], &r->users[k]);
	for (unsigned k = 0; k < ACCOUNTS; k++)
		policies_add_hand(r, k);
	add_admin(r);
	name_offerings(r);
	r->image_id = id_to_ec2(r->cloud->arena, KIND_IMAGE, r->cloud->image);
	open_face(r);
}

bool region_step(struct region *r, int64_t until_us)
{
	fault_resume(r->faults);
	bool has_stepped = executor_step(r->cloud->executor, until_us);
	r->faults = fault_suspend();
	return has_stepped;
}

void region_arm(struct region *r, unsigned points, uint64_t n, bool forever, unsigned next, uint64_t next_n)
{
	fault_arm(points, n, forever);
	if (next)
		fault_arm_next(next, next_n);
	r->faults = fault_suspend();
}

void region_disarm(struct region *r)
{
	fault_disarm();
	r->faults = 0;
}

void region_kill(struct region *r)
{
	region_disarm(r);
	cloud_cut(r->cloud); /* calls in the queue still use the faces and guards */
	close_face(r);
	cloud_kill(r->cloud);
}

void region_restart(struct region *r)
{
	region_disarm(r);
	if (r->face) {
		cloud_cut(r->cloud);
		close_face(r);
	}
	cloud_restart(r->cloud);
	bills_listen(&r->bills, r->cloud);
	open_face(r);
}

struct api_face *region_face_for(const struct region *r, const struct call *call)
{
	return azure_has_path(call->path)        ? r->azure
	       : cloudstack_has_path(call->path) ? r->cloudstack
	       : openstack_has_path(call->path)  ? r->openstack
	       : iam_has_call(call)              ? r->iam
	       : autoscaling_has_call(call)      ? r->autoscaling
	       : elb_classic_has_call(call)      ? r->elb_classic
	       : elb_has_call(call)              ? r->elb
						 : r->face;
}

uuid region_find(struct region *r, enum kind kind, const char *id)
{
	struct ref ref;
	if (!result_is_ok(id_parse_ec2(str_from(id), kind, &ref)))
		return UUID_NONE;
	AUTO_VIEW view = {0};
	view_open(r->cloud->store, &view);
	const struct row *row = tables_find_prefix(view.tables, kind, ref.prefix, ref.bits);
	return row ? row->id : UUID_NONE;
}
