/* SPDX-License-Identifier: Apache-2.0
 * Sets up a region with an operator's operations, and calls its APIs. */
#include "world.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "api/acm/acm.h"
#include "api/autoscaling/autoscaling.h"
#include "api/awsbackup/awsbackup.h"
#include "api/azure/core/azure.h"
#include "api/azure/scale_sets/later_set.h"
#include "api/cloudstack/autoscale/later_group.h"
#include "api/cloudstack/core/cloudstack.h"
#include "api/cloudwatch/cloudwatch.h"
#include "api/core/park.h"
#include "api/dlm/dlm.h"
#include "api/ec2/compute/later_launch.h"
#include "api/elb/elb.h"
#include "api/events/events.h"
#include "api/scim/scim.h"
#include "api/support/support.h"
#include "auth/key/key.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/log.h"
#include "base/random.h"
#include "drivers/disk.h"
#include "drivers/fence.h"
#include "drivers/network.h"
#include "drivers/sim/compute.h"
#include "drivers/sim/network.h"
#include "engine/engine.h"
#include "engine/network/external_network.h"
#include "engine/people/account/account.h"
#include "engine/people/policy/role.h"
#include "engine/people/user.h"
#include "engine/region/host.h"
#include "engine/region/region.h"
#include "engine/storage/image/image.h"
#include "model/access_key.h"
#include "model/image.h"
#include "script.h"
#include "store/account.h"
#include "store/sql.h"
#include "store/user.h"

#define MADE_AT_US (INT64_C(1700000000) * SECOND)   /* 2023-11-14T22:13:20Z */
#define CALLED_AT_US (INT64_C(1700006400) * SECOND) /* 2023-11-15T00:00:00Z */

static const uint8_t master_key[MASTER_KEY_SIZE] = {1, 2, 3};

static void must(struct world *w, struct result result, const char *what)
{
	if (result_is_ok(result))
		return;
	fprintf(stderr, "world: %s: %s: %.*s\n", what, err_name(result.code), STR_ARG(w->c.problem.message));
	abort();
}
#define MUST(expression) must(w, (expression), #expression)

/* ---- operations of the set-up ---- */

struct waiting {
	struct change change;
	bool is_done;
	struct result result;
};

static void waiting_done(struct change *change, struct result result)
{
	struct waiting *waiting = (struct waiting *) (void *) change;
	waiting->is_done = true;
	waiting->result = result;
}

RESULT world_do(struct world *w, const struct identity *who, op_run run, void *wish)
{
	struct waiting waiting = {
		.change = {.run = run, .arg = wish, .ctx = &w->c, .done = waiting_done, .action = "test"}};
	ctx_clear_problem(&w->c);
	engine_act_by_roles(&w->c, who);
	store_submit(w->store, &waiting.change);
	while (!waiting.is_done && executor_step(w->executor, clock_now_us() + 1))
		;
	return waiting.is_done ? waiting.result : FAIL(TIMEOUT);
}
#define DO(operation, wish) must(w, world_do(w, &w->operator, operation##_run, (wish)), #operation)

static void make_account(struct world *w, const char *name, struct world_user *user)
{
	struct access_key key = {.row.id = uuid_random()};
	MUST(key_draw(&w->c, master_key, &key, &user->secret));
	struct account_wish wish = {.name = str_from(name), .key = &key, .with_default_router = true};
	DO(engine_create_account, &wish);
	AUTO_VIEW view = {0};
	view_open(w->store, &view);
	user->tenant = account_find(view.tables, wish.account)->domain;
	user->key_id = key.key_id;
	user->who = (struct identity){.scope = IDENTITY_ACCOUNT,
				      .rights = RIGHTS_OF_MEMBER,
				      .account = wish.account,
				      .user = wish.user,
				      .account_number = wish.number,
				      .user_name = STR("root"),
				      .access_key_id = key.key_id,
				      .is_owner = true};
}

/* An administrator, with the role admin in a project of its own. */
static void make_admin(struct world *w)
{
	make_account(w, "admin", &w->admin);
	struct role_grant grant = {
		.role = {.kind = KIND_ROLE, .text = STR("admin")},
		.user = {.kind = KIND_USER, .prefix = w->admin.who.user, .bits = 128},
		.account = {.kind = KIND_ACCOUNT, .prefix = w->admin.who.account, .bits = 128}};
	DO(engine_grant_role, &grant);
}

static RESULT put_user(struct op *op, void *wish)
{
	return user_put(op, wish);
}

/* An access key for a user who is there. */
static void add_key(struct world *w, uuid account, struct world_user *user)
{
	struct access_key key = {.row.id = uuid_random()};
	MUST(key_draw(&w->c, master_key, &key, &user->secret));
	struct access_key_wish wish = {.user = {.kind = KIND_USER, .prefix = user->who.user, .bits = 128},
				       .account = {.kind = KIND_ACCOUNT, .prefix = account, .bits = 128},
				       .key = &key};
	DO(engine_create_access_key, &wish);
	user->key_id = key.key_id;
}

void world_add_user(struct world *w, const char *name, uuid account, const char *role,
		    struct world_user *ret_user)
{
	struct user own = {.row.id = uuid_random(),
			   .row.gen = 1,
			   .account = account,
			   .name = str_from(name),
			   .enabled = true};
	struct user_wish wish = {.name = str_from(name)};
	if (role) {
		DO(engine_create_user, &wish);
		struct role_grant grant = {.role = {.kind = KIND_ROLE, .text = str_from(role)},
					   .user = {.kind = KIND_USER, .prefix = wish.user, .bits = 128},
					   .account = {.kind = KIND_ACCOUNT, .prefix = account, .bits = 128}};
		DO(engine_grant_role, &grant);
	} else {
		must(w, world_do(w, NULL, put_user, &own), "put_user");
	}
	*ret_user = (struct world_user){.who = {.scope = IDENTITY_ACCOUNT,
						.account = account,
						.user = role ? wish.user : own.row.id}};
	add_key(w, account, ret_user);
}

static void make_region(struct world *w)
{
	const struct str zones[] = {STR("us-east-1a"), STR("us-east-1b")};
	struct region_wish region = {.name = STR("us-east-1"), .zones = {zones, 2}};
	DO(engine_bootstrap_region, &region);
	struct external_network_wish external = {.name = STR("internet"),
						 .physical_network = STR("external"),
						 .next_hop = ip_from_v4(0xCB007101),
						 .infra_first = ip_from_v4(0xCB007102),
						 .infra_last = ip_from_v4(0xCB007109),
						 .first = ip_from_v4(0xCB00710A),
						 .last = ip_from_v4(0xCB007114)};
	DO(engine_add_external_network, &external);
	struct external_ipv6_wish ipv6 = {
		.external_network = {.kind = KIND_EXTERNAL_NETWORK, .text = STR("internet")},
		.pool = {{{0x20, 0x01, 0x0d, 0xb8, 0xd0}, IP_V6}, 48},
		.next_hop = {{0xfe, 0x80, [15] = 1}, IP_V6}};
	DO(engine_set_external_ipv6, &ipv6);
	for (int k = 0; k < 2; k++) {
		struct host_wish host = {.name = str_print(w->arena, "hv%d", k + 1),
					 .zone = {.kind = KIND_ZONE, .text = zones[k]},
					 .uri = str_print(w->arena, "sim://hv%d", k + 1),
					 .pool_path = STR("/var/lib/dari"),
					 .reserved_memory = -1};
		DO(engine_add_host, &host);
	}
}

void world_add_addresses(struct world *w)
{
	struct address_range_wish range = {
		.external_network = {.kind = KIND_EXTERNAL_NETWORK, .text = STR("internet")},
		.first = ip_from_v4(0xC6130001),
		.last = ip_from_v4(0xC613FFFE)};
	DO(engine_add_address_range, &range);
}

static void make_image(struct world *w)
{
	struct image_import image = {
		.name = STR("tiny"),
		.description = STR("A tiny Linux"),
		.is_public = true,
		.arch = IMAGE_ARCH_X86_64,
		.personality = IMAGE_PERSONALITY_EC2,
		.virtual_size = INT64_C(1) << 30,
		.file_size = 1 << 20,
		.sha256 = STR("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
	};
	DO(engine_import_image, &image);
	w->image = image.image;
}

/* ---- life ---- */

static void open_store(struct world *w)
{
	struct sql_driver *sql = 0;
	MUST(sqlite_open(&w->c, ":memory:", &sql));
	const struct store_config config = {.executor = w->executor,
					    .sql = sql,
					    .observe = engine_observe,
					    .check = engine_check_row,
					    .follow = engine_follow};
	MUST(store_open(&w->c, &config, &w->store));
}

/* The image store: what snapshots of simulated disks leave there is removed with the world. */
static void make_images(struct world *w)
{
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	snprintf(w->images, sizeof w->images, "%s/dari-world-XXXXXX", base);
	if (!mkdtemp(w->images))
		abort();
	snprintf(w->backups, sizeof w->backups, "file://%s/backups", w->images);
	w->backup.url = str_from(w->backups);
}

static void start_reconciler(struct world *w)
{
	struct network_handle network;
	struct proxy_handle proxies;
	MUST(network_sim_open(&w->c, &network));
	MUST(proxy_sim_open(&w->c, &proxies));
	struct vpn_handle vpns = {0};
	MUST(vpn_sim_open(&w->c, &vpns));
	struct reconcile_config config = {.executor = w->executor,
					  .store = w->store,
					  .network = network,
					  .proxies = proxies,
					  .vpns = vpns,
					  .compute = {&compute_sim},
					  .disks = {&disk_sim},
					  .fences = {&fence_sim},
					  .image_directory = str_from(w->images),
					  .later_guard = guards_later(w->guards),
					  .read_spot = ec2_read_later_spot,
					  .read_fleet = ec2_read_later_fleet,
					  .read_scaling = ec2_read_later_scaling,
					  .read_scale_set = azure_read_later_set,
					  .read_autoscale = cloudstack_read_later_group,
					  .backup = &w->backup,
					  .own_chassis = STR("dari"),
					  .master_key = master_key};
	MUST(reconciler_new(&w->c, &config, &w->reconciler));
	reconciler_start(w->reconciler);
}

/* An issuer with one key, of P-256. */
static RESULT fetch_fixed(struct ctx *c, const struct web_fetch *f, struct str *ret_body)
{
	(void) c;
	*ret_body = str_ends_with(str_from(f->url), STR("/keys"))
			    ? STR("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"one\","
				  "\"x\":\"mFReIMbXts1gBrI16dbtsm9J6nzinhzl6QvBdyzYCck\","
				  "\"y\":\"1Dr3p8OqfSBAT0ixy7fTVJYNegc-2g5d6JA4jBNeVfM\"}]}")
			    : STR("{\"issuer\":\"https://id.example.com/tenant\","
				  "\"jwks_uri\":\"https://id.example.com/keys\"}");
	return OK;
}

static void open_face(struct world *w)
{
	const struct api_config ec2 = {.store = w->store,
				       .sigv4 = w->sigv4,
				       .guards = w->guards,
				       .issuers = w->issuers,
				       .key_lane = w->key_lane,
				       .master_key = master_key,
				       .limits = w->limits,
				       .reconciler = w->reconciler,
				       .flow_log_bucket = STR("flow-logs"),
				       .region = STR("us-east-1"),
				       .endpoint = STR("ec2.us-east-1.test:8773")};
	MUST(api_face_new(&w->c, &ec2_protocol, &ec2, &w->face));
	const struct api_config iam = {.store = w->store,
				       .sigv4 = w->sigv4,
				       .guards = w->guards,
				       .passwords = w->passwords,
				       .uses = w->uses,
				       .master_key = master_key,
				       .limits = w->limits};
	MUST(api_face_new(&w->c, &iam_protocol, &iam, &w->iam));
	const struct api_config openstack = {.store = w->store,
					     .tokens = w->tokens,
					     .bearers = w->bearers,
					     .tickets = w->tickets,
					     .passwords = w->passwords,
					     .key_lane = w->key_lane,
					     .uses = w->uses,
					     .master_key = master_key,
					     .guards = w->guards,
					     .limits = w->limits,
					     .reconciler = w->reconciler,
					     .backup_target = w->backup.url,
					     .region = STR("us-east-1"),
					     .endpoint = STR("http://cloud.test:8773")};
	MUST(api_face_new(&w->c, &openstack_protocol, &openstack, &w->openstack));
	MUST(api_face_new(&w->c, &cloudstack_protocol, &openstack, &w->cloudstack));
	MUST(api_face_new(&w->c, &azure_protocol, &openstack, &w->azure));
	MUST(api_face_new(&w->c, &native_protocol, &openstack, &w->native));
	const struct api_config support = {.store = w->store,
					   .sigv4 = w->sigv4,
					   .guards = w->guards,
					   .master_key = master_key,
					   .limits = w->limits,
					   .reconciler = w->reconciler,
					   .ticket_directory = str_from(w->images),
					   .flow_log_bucket = STR("flow-logs"),
					   .region = STR("us-east-1")};
	MUST(api_face_new(&w->c, &support_protocol, &support, &w->support));
	MUST(api_face_new(&w->c, &cloudwatch_protocol, &support, &w->cloudwatch));
	MUST(api_face_new(&w->c, &events_protocol, &support, &w->events));
	MUST(api_face_new(&w->c, &acm_protocol, &support, &w->acm));
	MUST(api_face_new(&w->c, &dlm_protocol, &support, &w->dlm));
	struct api_config backup = support;
	backup.backup_target = w->backup.url;
	MUST(api_face_new(&w->c, &awsbackup_protocol, &backup, &w->awsbackup));
	MUST(api_face_new(&w->c, &elb_protocol, &support, &w->elb));
	MUST(api_face_new(&w->c, &elb_classic_protocol, &support, &w->elb_classic));
	struct api_config scaling = support;
	scaling.read_scaling = ec2_read_scaling_source;
	MUST(api_face_new(&w->c, &autoscaling_protocol, &scaling, &w->autoscaling));
	struct api_config scim = support;
	scim.passwords = w->passwords;
	MUST(api_face_new(&w->c, &scim_protocol, &scim, &w->scim));
}

static void close_faces(struct world *w)
{
	api_face_free(w->face);
	api_face_free(w->iam);
	api_face_free(w->openstack);
	api_face_free(w->cloudstack);
	api_face_free(w->azure);
	api_face_free(w->support);
	api_face_free(w->cloudwatch);
	api_face_free(w->events);
	api_face_free(w->acm);
	api_face_free(w->dlm);
	api_face_free(w->awsbackup);
	api_face_free(w->elb);
	api_face_free(w->elb_classic);
	api_face_free(w->autoscaling);
	api_face_free(w->scim);
	api_face_free(w->native);
}

void world_set_limits(struct world *w, const struct limits_config *config)
{
	close_faces(w);
	limits_free(w->limits);
	MUST(limits_new(&w->c, config, &w->limits));
	open_face(w);
}

void (*world_hear)(int permission, enum kind kind);

void world_make(struct world *w)
{
	*w = (struct world){.operator= {.is_operator = true} };
	log_set_level(LOG_ERROR);
	clock_set_us(MADE_AT_US);
	random_set_seed(1);
	sim_compute_reset();
	network_sim_reset();
	w->arena = arena_new(1 << 20, (size_t) 1 << 30);
	ctx_init(&w->c, w->arena);
	w->executor = executor_new_stepped(1);
	open_store(w);
	make_region(w);
	make_account(w, "alice", &w->alice);
	make_account(w, "bob", &w->bob);
	make_image(w);
	make_admin(w);
	make_images(w);
	const struct guards_config guards = {
		.store = w->store, .master_key = master_key, .region = STR("us-east-1"), .hear = world_hear};
	MUST(guards_new(&w->c, &guards, &w->guards));
	start_reconciler(w);
	world_settle(w, 10 * MINUTE);
	const struct last_used_config uses = {.store = w->store};
	MUST(last_used_new(&w->c, &uses, &w->uses));
	const struct sigv4_config sigv4 = {w->store, master_key, STR("us-east-1"), 0, w->uses};
	MUST(sigv4_new(&w->c, &sigv4, &w->sigv4));
	const struct tokens_config tokens = {w->store, master_key, HOUR};
	MUST(tokens_new(&w->c, &tokens, &w->tokens));
	MUST(tickets_new(&w->c, w->tokens, master_key, &w->tickets));
	const struct bearers_config bearers = {w->store, w->tokens, world_bearer_key(), w->sigv4, HOUR};
	MUST(bearers_new(&w->c, &bearers, &w->bearers));
	const struct passwords_config passwords = {
		.memory_kib = 8, .passes = 1, .failures_max = 3, .locked_us = MINUTE};
	MUST(passwords_new(&w->c, w->executor, &passwords, &w->passwords));
	MUST(api_new_key_lane(&w->c, w->executor, &w->key_lane));
	const struct issuers_config issuers = {.executor = w->executor, .fetch = fetch_fixed};
	MUST(issuers_new(&w->c, &issuers, &w->issuers));
	open_face(w);
	clock_set_us(CALLED_AT_US); /* regardless of the set-up's duration */
	world_settle(w, SECOND);
	clock_set_us(CALLED_AT_US + MINUTE);
	random_set_seed(2);
}

void world_done(struct world *w)
{
	close_faces(w);
	limits_free(w->limits);
	passwords_free(w->passwords);
	lane_free(w->key_lane);
	issuers_free(w->issuers);
	tickets_free(w->tickets);
	bearers_free(w->bearers);
	tokens_free(w->tokens);
	sigv4_free(w->sigv4);
	last_used_free(w->uses);
	reconciler_free(w->reconciler);
	store_close(w->store);
	guards_free(w->guards); /* the reconciler's changes ask it */
	executor_free(w->executor);
	arena_free(w->arena);
	file_remove_tree(w->images);
	clock_set_us(0);
	random_set_seed(0);
}

void world_settle(struct world *w, int64_t at_most_us)
{
	int64_t until = clock_now_us() + at_most_us;
	do {
		if (!executor_step(w->executor, until))
			return;
	} while (!reconciler_is_settled(w->reconciler));
}

/* ---- calls ---- */

/* Response headers, except for request ids, which differ in each call. */
static struct str show_headers(struct world *w, const struct fake_call *f)
{
	struct buf b;
	buf_init(&b, 1 << 20);
	for (size_t k = 0; k < f->answer_header_count; k++)
		if (!str_contains(f->answer_names[k], STR("request-id")))
			buf_print(&b, "%" STR_FMT ": %" STR_FMT "\n", STR_ARG(f->answer_names[k]),
				  STR_ARG(f->answer_values[k]));
	struct str text = str_copy(w->arena, buf_str(&b));
	buf_done(&b);
	return text;
}

static struct api_face *find_face(const struct world *w, const struct fake_call *f)
{
	return native_has_path(f->call.path)       ? w->native
	       : azure_has_path(f->call.path)      ? w->azure
	       : openstack_has_path(f->call.path)  ? w->openstack
	       : cloudstack_has_path(f->call.path) ? w->cloudstack
	       : support_has_call(&f->call)        ? w->support
	       : events_has_call(&f->call)         ? w->events
	       : acm_has_call(&f->call)            ? w->acm
	       : dlm_has_call(&f->call)            ? w->dlm
	       : awsbackup_has_call(&f->call)      ? w->awsbackup
	       : scim_has_path(f->call.path)       ? w->scim
	       : cloudwatch_has_call(&f->call)     ? w->cloudwatch
	       : autoscaling_has_call(&f->call)    ? w->autoscaling
	       : elb_classic_has_call(&f->call)    ? w->elb_classic
	       : elb_has_call(&f->call)            ? w->elb
	       : iam_has_call(&f->call)            ? w->iam
						   : w->face;
}

struct world_answer world_run(struct world *w, struct fake_call *f)
{
	f->call.self = find_face(w, f);
	fake_call_handle(f, &api_http_face);
	while (!f->is_answered) {
		if (f->is_woken) {
			fake_call_resume(f);
		} else if (!executor_step(w->executor, clock_now_us() + MINUTE)) {
			fprintf(stderr, "world: a call waits for nothing\n");
			abort();
		}
	}
	struct world_answer answer = {.status = f->status,
				      .body = str_copy(w->arena, buf_str(&f->body)),
				      .is_json = f->call.self != w->iam && f->call.self != w->face &&
						 !str_starts_with(buf_str(&f->body), STR("<")),
				      .action = f->call.action,
				      .longest_ns = f->longest_ns};
	if (answer.is_json)
		answer.headers = show_headers(w, f);
	fake_call_done(f);
	return answer;
}

static void sign(struct ctx *c, const struct world_user *user, struct fake_call *f)
{
	bool is_support = support_has_call(&f->call);
	bool is_watch = str_starts_with(call_header(&f->call, "X-Amz-Target"), STR("GraniteServiceVersion"));
	bool is_events = str_starts_with(call_header(&f->call, "X-Amz-Target"), STR("AWSEvents."));
	bool is_acm = str_starts_with(call_header(&f->call, "X-Amz-Target"), STR("CertificateManager."));
	bool is_sts = str_contains(f->call.query, STR("2011-06-15")) ||
		      str_contains(f->call.body, STR("2011-06-15"));
	bool is_iam = str_contains(f->call.query, STR("2010-05-08")) ||
		      str_contains(f->call.body, STR("2010-05-08"));
	bool is_elb = str_contains(f->call.query, STR("2015-12-01")) ||
		      str_contains(f->call.body, STR("2015-12-01")) || elb_is_classic(&f->call);
	bool is_scaling = str_contains(f->call.query, STR("2011-01-01")) ||
			  str_contains(f->call.body, STR("2011-01-01"));
	const struct sigv4_signing signing = {.key_id = user->key_id,
					      .secret = user->secret,
					      .region = STR("us-east-1"),
					      .service = is_support   ? STR("support")
							 : is_watch   ? STR("monitoring")
							 : is_events  ? STR("events")
							 : is_acm     ? STR("acm")
							 : is_sts     ? STR("sts")
							 : is_iam     ? STR("iam")
							 : is_elb     ? STR("elasticloadbalancing")
							 : is_scaling ? STR("autoscaling")
								      : STR("ec2"),
					      .method = f->call.method_name,
					      .path = STR("/"),
					      .query = f->call.query,
					      .body = f->call.body,
					      .host = STR("ec2.us-east-1.test:8773"),
					      .at_us = clock_now_us()};
	struct str authorization, date;
	if (!result_is_ok(sigv4_sign(c, &signing, &authorization, &date)))
		abort();
	fake_call_add_header(f, "Authorization", authorization);
	fake_call_add_header(f, "X-Amz-Date", date);
	if (user->token.n)
		fake_call_add_header(f, "X-Amz-Security-Token", user->token);
}

void world_sign_call(struct ctx *c, const struct world_user *user, const char *method, struct str parameters,
		     struct fake_call *ret_call)
{
	bool is_get = strcmp(method, "GET") == 0;
	if (!str_contains(parameters, STR("&Version=")))
		parameters = str_print(c->arena, "%" STR_FMT "&Version=2016-11-15", STR_ARG(parameters));
	fake_call_init(ret_call, method, STR("/"), is_get ? parameters : STR_NONE,
		       is_get ? STR_NONE : parameters);
	fake_call_add_header(ret_call, "Host", STR("ec2.us-east-1.test:8773"));
	if (user)
		sign(c, user, ret_call);
}

static struct world_answer call_signed(struct world *w, const struct world_user *user, const char *method,
				       struct str parameters)
{
	struct fake_call f;
	world_sign_call(&w->c, user, method, parameters, &f);
	return world_run(w, &f);
}

struct world_answer world_post(struct world *w, const struct world_user *user, struct str form)
{
	return call_signed(w, user, "POST", form);
}

struct world_answer world_get(struct world *w, const struct world_user *user, struct str query)
{
	return call_signed(w, user, "GET", query);
}

static struct str issue_token(struct ctx *c, struct tokens *tokens, const struct world_user *user)
{
	struct token token = {.scope = IDENTITY_ACCOUNT,
			      .methods = TOKEN_BY_PASSWORD,
			      .user = user->who.user,
			      .where = user->who.account};
	struct str text = STR_NONE;
	if (!result_is_ok(token_issue(tokens, c, &token, &text)))
		abort();
	return text;
}

/* A body "@zeros N" is N bytes of them: a disk. */
static struct str body_of(struct arena *a, struct str body)
{
	int64_t size = 0;
	if (!str_starts_with(body, STR("@zeros ")) ||
	    !result_is_ok(str_parse_int(str_slice(body, 7, body.n), &size)))
		return body;
	char *zeros = arena_alloc(a, (size_t) size);
	return (struct str){zeros, zeros ? (size_t) size : 0};
}

/* ---- CloudStack's signature ---- */

static int compare_names(const void *a, const void *b)
{
	const struct str *x = a, *y = b;
	return str_compare_nocase(str_slice(*x, 0, str_find_char(*x, '=', 0)),
				  str_slice(*y, 0, str_find_char(*y, '=', 0)));
}

/* Escapes parameters like CloudStack's clients do; existing escapes are kept. */
static struct str escape_parameters(struct arena *a, struct str text)
{
	struct buf b;
	bool is_value = false;
	buf_init(&b, 1 << 20);
	for (size_t k = 0; k < text.n; k++) {
		char c = text.p[k];
		bool is_sign = c == '&' || (c == '=' && !is_value);
		is_value = c != '&' && (is_value || c == '=');
		if (is_sign || str_is_alphanumeric(c) || (c && strchr("-_.%", c)))
			buf_add_char(&b, c);
		else
			buf_print(&b, "%%%02X", (unsigned char) c);
	}
	struct str escaped = str_copy(a, buf_str(&b));
	buf_done(&b);
	return escaped;
}

/* Written here a second time, apart from src/auth: the parameters in the order of their names, in lower case. */
static struct str sign_parameters(struct arena *a, struct str secret, struct str query, struct str form)
{
	enum { PAIRS_MAX = 256 };
	struct str pairs[PAIRS_MAX], both[] = {query, form}, rest, one, text = STR_NONE;
	size_t count = 0;
	uint8_t mac[20];
	for (size_t k = 0; k < 2; k++)
		for (rest = both[k]; count < PAIRS_MAX && str_split_next(&rest, '&', &one);)
			if (one.n)
				pairs[count++] = one;
	qsort(pairs, count, sizeof *pairs, compare_names);
	for (size_t k = 0; k < count; k++)
		text = str_print(a, "%" STR_FMT "%s%" STR_FMT, STR_ARG(text), k ? "&" : "",
				 STR_ARG(pairs[k]));
	crypto_hmac_sha1(secret.p, secret.n, str_lower(a, text), mac);
	return str_encode_url(a, str_encode_base64(a, (struct str){(char *) mac, sizeof mac}), false);
}

/* In JSON, unless the line says which form. */
static void write_cloudstack_call(struct ctx *c, const struct world_user *user,
				  const struct script_request *r, struct fake_call *ret_call)
{
	struct arena *a = c->arena;
	struct str query = escape_parameters(a, r->query), form = escape_parameters(a, r->body);
	bool says_form = str_contains(query, STR("response=")) || str_contains(form, STR("response="));
	if (!says_form)
		query = str_print(a, "%" STR_FMT "%sresponse=json", STR_ARG(query), query.n ? "&" : "");
	if (user) {
		query = str_print(a, "%" STR_FMT "%sapiKey=%" STR_FMT, STR_ARG(query), query.n ? "&" : "",
				  STR_ARG(user->key_id));
		struct str signature = sign_parameters(a, user->secret, query, form);
		query = str_print(a, "%" STR_FMT "&signature=%" STR_FMT, STR_ARG(query), STR_ARG(signature));
	}
	fake_call_init(ret_call, str_to_z(a, r->method), r->path, query, form);
	fake_call_add_header(ret_call, "Host", STR("cloud.test:8773"));
}

/* ---- Azure's tokens ---- */

/* In memory, and drawn outside of what the worlds draw, so that each of them draws the same. */
const char *world_bearer_key(void)
{
	static char path[64];
	struct ctx c;
	struct str pem = STR_NONE;
	if (*path)
		return path;
	struct arena *a = arena_new(1 << 16, 1 << 20);
	ctx_init(&c, a);
	int fd = memfd_create("dari-bearer-key", 0);
	if (fd < 0 || !result_is_ok(crypto_make_signing_key(&c, &pem)) ||
	    write(fd, pem.p, pem.n) != (ssize_t) pem.n)
		abort();
	arena_free(a);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return path;
}

static void write_azure_call(struct ctx *c, struct bearers *bearers, const struct world_user *user,
			     const struct script_request *r, struct fake_call *ret_call)
{
	struct bearer bearer = {.user = user ? user->who.user : UUID_NONE,
				.key_id = user ? user->key_id : STR_NONE,
				.tenant = user ? user->tenant : UUID_NONE};
	const struct bearer_words words = {.audience = STR("https://management.azure.com"),
					   .issuer = STR("http://cloud.test:8773/adfs")};
	struct str text = STR_NONE;
	fake_call_init(ret_call, str_to_z(c->arena, r->method), r->path, r->query, r->body);
	fake_call_add_header(ret_call, "Host", STR("cloud.test:8773"));
	fake_call_add_header(ret_call, "Content-Type", STR("application/json"));
	if (!user)
		return;
	if (!result_is_ok(bearer_issue(bearers, c, &bearer, &words, &text)))
		abort();
	fake_call_add_header(ret_call, "Authorization",
			     str_print(c->arena, "Bearer %" STR_FMT, STR_ARG(text)));
}

/* "POST /support/CreateCase {…}": the action is named by a header. */
static void write_target_call(struct ctx *c, const struct world_user *user, const struct script_request *r,
			      const char *type, const char *service, struct fake_call *ret_call)
{
	struct str action = str_slice(r->path, str_find_char(r->path, '/', 1) + 1, r->path.n);
	fake_call_init(ret_call, str_to_z(c->arena, r->method), STR("/"), r->query, r->body);
	fake_call_add_header(ret_call, "Host", STR("ec2.us-east-1.test:8773"));
	fake_call_add_header(ret_call, "Content-Type", str_from(type));
	fake_call_add_header(ret_call, "X-Amz-Target",
			     str_print(c->arena, "%s.%" STR_FMT, service, STR_ARG(action)));
	if (user)
		sign(c, user, ret_call);
}

/* "POST /dlm/policies {…}": the first part of the path is the service that the call is signed for. */
static void write_rest_call(struct ctx *c, const struct world_user *user, const struct script_request *r,
			    struct str service, struct fake_call *ret_call)
{
	struct str path = str_slice(r->path, 1 + service.n, r->path.n), authorization, date;
	fake_call_init(ret_call, str_to_z(c->arena, r->method), path, r->query, r->body);
	fake_call_add_header(ret_call, "Host", STR("ec2.us-east-1.test:8773"));
	fake_call_add_header(ret_call, "Content-Type", STR("application/json"));
	if (!user)
		return;
	const struct sigv4_signing signing = {.key_id = user->key_id,
					      .secret = user->secret,
					      .region = STR("us-east-1"),
					      .service = service,
					      .method = ret_call->call.method_name,
					      .path = path,
					      .query = r->query,
					      .body = r->body,
					      .host = STR("ec2.us-east-1.test:8773"),
					      .at_us = clock_now_us()};
	if (!result_is_ok(sigv4_sign(c, &signing, &authorization, &date)))
		abort();
	fake_call_add_header(ret_call, "Authorization", authorization);
	fake_call_add_header(ret_call, "X-Amz-Date", date);
}

void world_request_call(struct ctx *c, struct tokens *tokens, struct bearers *bearers,
			const struct world_user *user, const struct script_request *request,
			struct fake_call *ret_call)
{
	if (azure_has_path(request->path)) {
		write_azure_call(c, bearers, user, request, ret_call);
		return;
	}
	if (str_starts_with(request->path, STR("/support/"))) {
		write_target_call(c, user, request, "application/x-amz-json-1.1", "AWSSupport_20130415",
				  ret_call);
		return;
	}
	if (str_starts_with(request->path, STR("/events/"))) {
		write_target_call(c, user, request, "application/x-amz-json-1.1", "AWSEvents", ret_call);
		return;
	}
	if (str_starts_with(request->path, STR("/acm/"))) {
		write_target_call(c, user, request, "application/x-amz-json-1.1", "CertificateManager",
				  ret_call);
		return;
	}
	if (str_starts_with(request->path, STR("/dlm/"))) {
		write_rest_call(c, user, request, STR("dlm"), ret_call);
		return;
	}
	if (str_starts_with(request->path, STR("/backup/"))) {
		write_rest_call(c, user, request, STR("backup"), ret_call);
		return;
	}
	if (str_starts_with(request->path, STR("/monitoring/"))) {
		write_target_call(c, user, request, "application/x-amz-json-1.0",
				  "GraniteServiceVersion20100801", ret_call);
		return;
	}
	if (cloudstack_has_path(request->path)) {
		write_cloudstack_call(c, user, request, ret_call);
		return;
	}
	struct str body = body_of(c->arena, request->body);
	fake_call_init(ret_call, str_to_z(c->arena, request->method), request->path, request->query, body);
	if (str_is(request->method, "PATCH") && str_starts_with(request->path, STR("/image/")))
		fake_call_add_header(ret_call, "Content-Type",
				     STR("application/openstack-images-v2.1-json-patch"));
	if (str_ends_with(request->path, STR("/file")) || str_ends_with(request->path, STR("/stage")))
		fake_call_add_header(ret_call, "Content-Type", STR("application/octet-stream"));
	fake_call_add_header(ret_call, "Host", STR("cloud.test:8773"));
	fake_call_add_header(ret_call, "Accept", STR("application/json"));
	if (user)
		fake_call_add_header(ret_call, "X-Auth-Token", issue_token(c, tokens, user));
	if (request->version.n)
		fake_call_add_header(ret_call, "OpenStack-API-Version", request->version);
}

/* An administrator of the default domain, with a key in alice's account. */
static void make_steward(struct world *w)
{
	const struct ref domain = ref_by_id(KIND_DOMAIN, DOMAIN_DEFAULT);
	world_add_user(w, "steward", w->alice.who.account, "member", &w->steward);
	struct role_grant grant = {.role = {.kind = KIND_ROLE, .text = STR("admin")},
				   .user = ref_by_id(KIND_USER, w->steward.who.user),
				   .domain = domain};
	DO(engine_grant_role, &grant);
}

static struct world_answer request_scim(struct world *w, const struct world_user *user,
					const struct script_request *r)
{
	struct fake_call f;
	if (!w->steward.key_id.n)
		make_steward(w);
	if (user == &w->alice)
		user = &w->steward;
	fake_call_init(&f, str_to_z(w->c.arena, r->method), r->path, r->query, r->body);
	f.call.is_tls = true;
	fake_call_add_header(&f, "Host", STR("cloud.test:8773"));
	fake_call_add_header(&f, "Content-Type", STR("application/scim+json"));
	if (user)
		fake_call_add_header(&f, "Authorization",
				     str_print(w->c.arena, "Bearer %" STR_FMT ":%" STR_FMT,
					       STR_ARG(user->key_id), STR_ARG(user->secret)));
	return world_run(w, &f);
}

struct world_answer world_request(struct world *w, const struct world_user *user,
				  const struct script_request *request)
{
	struct fake_call f;
	if (scim_has_path(request->path))
		return request_scim(w, user, request);
	world_request_call(&w->c, w->tokens, w->bearers, user, request, &f);
	return world_run(w, &f);
}

/* ---- answers ---- */

/* In the order of the text: the value itself, then what is in it. */
static const json_t *find_member(const json_t *value, const char *name)
{
	const char *key;
	json_t *member;
	size_t k;
	const json_t *found = json_object_get(value, name);
	if (found && !json_is_object(found) && !json_is_array(found))
		return found;
	json_object_foreach ((json_t *) value, key, member)
		if ((found = find_member(member, name)))
			return found;
	json_array_foreach (value, k, member)
		if ((found = find_member(member, name)))
			return found;
	return NULL;
}

/* Within the object that CloudStack wraps around answers: {"listzonesresponse": {…}}. */
static const json_t *find_path(const json_t *value, struct arena *a, struct str path)
{
	struct str step;
	void *only = json_object_iter((json_t *) value);
	if (json_object_size(value) == 1 &&
	    str_ends_with(str_from(json_object_iter_key(only)), STR("response")))
		value = json_object_iter_value(only);
	while (value && str_split_next(&path, '.', &step))
		value = json_object_get(json_is_array(value) ? json_array_get(value, 0) : value,
					str_to_z(a, step));
	return value;
}

struct str world_find(struct arena *a, struct str body, struct str name)
{
	json_t *value = body.n && body.p[0] == '{' ? json_loadb(body.p, body.n, 0, NULL) : NULL;
	if (!value)
		return world_element(body, str_to_z(a, name));
	const json_t *found = str_contains(name, STR(".")) ? find_path(value, a, name)
							   : find_member(value, str_to_z(a, name));
	struct str text = json_is_integer(found)
				  ? str_print(a, "%" JSON_INTEGER_FORMAT, json_integer_value(found))
				  : str_copy(a, str_from(json_string_value(found)));
	json_decref(value);
	return text;
}

struct str world_element(struct str body, const char *name)
{
	char open[80]; /* the fuzzer asks for longer ones: there are none */
	int n = snprintf(open, sizeof open, "<%s>", name);
	const char *at = body.n && n < (int) sizeof open ? memmem(body.p, body.n, open, (size_t) n) : NULL;
	if (!at)
		return STR_NONE;
	size_t from = (size_t) (at - body.p) + (size_t) n;
	return str_slice(body, from, str_find_char(body, '<', from));
}
