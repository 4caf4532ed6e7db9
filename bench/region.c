/* SPDX-License-Identifier: Apache-2.0
 * A region on simulated hosts and a simulated network behind the real server, store, engine,
 * reconciler, EC2, OpenStack and CloudStack face, wired as src/daemon/run.c wires them. Its database is a real file, or
 * the PostgreSQL of the URL.
 *
 *     region directory=EMPTY_DIRECTORY hosts=64 threads=2 store=URL
 *
 * Prints NAME=VALUE lines: host, token, token_check_us, bearer and subscription; for a new region also key,
 * secret, image, and subnet once for each of several /16 networks without public addresses; then "ready". A
 * directory that holds a region is opened again, with the account and image of its first start. Serves
 * until SIGTERM, or until its parent is gone; at SIGUSR1 it prints placement_us, the time to find a host. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

#include "api/azure/core/azure.h"
#include "api/cloudstack/core/cloudstack.h"
#include "api/ec2/core/ec2.h"
#include "api/openstack/core/openstack.h"
#include "auth/guard/guard.h"
#include "auth/key/key.h"
#include "auth/key/sigv4.h"
#include "auth/sign_in/password.h"
#include "auth/token/bearer.h"
#include "auth/token/token.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/heap.h"
#include "client.h"
#include "drivers/compute.h"
#include "drivers/disk.h"
#include "drivers/network.h"
#include "drivers/sim/compute.h"
#include "engine/engine.h"
#include "engine/instance/placement/placement.h"
#include "engine/limits.h"
#include "engine/network/routing/router.h"
#include "engine/network/subnet.h"
#include "engine/operation.h"
#include "engine/people/account/account.h"
#include "engine/region/host.h"
#include "engine/region/region.h"
#include "engine/storage/image/image.h"
#include "http/server.h"
#include "model/access_key.h"
#include "model/identity.h"
#include "model/image.h"
#include "reconcile/reconcile.h"
#include "store/access_key.h"
#include "store/account.h"
#include "store/sql.h"

enum {
	PLACEMENTS = 2000,
	TOKEN_CHECKS = 20000,
	SUBNET_COUNT = 8,
	SIM_CPUS = 1024,
	HOST_NAME_SIZE = 32,
	REGION_ARENA_CAP = 16 * 1024 * 1024
};

static const int64_t GIB = INT64_C(1) << 30;
static const struct str region_name = {"us-east-1", 9};

struct region {
	struct ctx ctx;
	uint8_t master_key[MASTER_KEY_SIZE];
	struct executor *executor;
	struct sql_driver *sql;
	struct store *store;
	struct network_handle network;
	struct reconciler *reconciler;
	struct http_server *http;
	struct http_listener *listener;
	struct sigv4 *sigv4;
	struct passwords *passwords;
	struct tokens *tokens;
	struct bearers *bearers;
	struct guards *guards;
	struct api_face *ec2;
	struct api_face *openstack;
	struct api_face *cloudstack;
	struct api_face *azure;
	struct identity operator, owner;
};

/* ---- content ---- */

static RESULT commit(struct region *r, const struct identity *who, op_run run, void *wish)
{
	engine_act_by_roles(&r->ctx, who);
	return store_commit(r->store, &r->ctx, "bench:region", run, wish);
}

/* Reads the owner from the region's only access key, which this start or an earlier one created. */
static RESULT find_owner(struct region *r)
{
	AUTO_VIEW view = {0};
	view_open(r->store, &view);
	const struct access_key *key = access_key_first(view.tables);
	const struct account *account = key ? account_find(view.tables, key->account) : NULL;
	if (!account)
		return ctx_fail(&r->ctx, ERR_NOT_FOUND,
				"the database has no account: give an empty directory");
	r->owner = (struct identity){.rights = RIGHTS_OF_MEMBER,
				     .account = key->account,
				     .user = key->user,
				     .account_number = str_copy(r->ctx.arena, account->number),
				     .access_key_id = str_copy(r->ctx.arena, key->key_id)};
	return OK;
}

static RESULT make_account(struct region *r)
{
	struct access_key key = {.row.id = id_new(KIND_ACCESS_KEY)};
	struct str secret = STR_NONE;
	TRY(key_draw(&r->ctx, r->master_key, &key, &secret));
	struct account_wish wish = {.name = STR("bench"), .key = &key, .with_default_router = true};
	TRY(commit(r, &r->operator, engine_create_account_run, &wish));
	TRY(find_owner(r));
	struct account_limits limits =
		account_limits_all((struct ref){.kind = KIND_ACCOUNT, .text = STR("bench")}, -1);
	TRY(commit(r, &r->operator, engine_set_limits_run, &limits));
	for (size_t k = 0; k < LIMIT_COUNT; k++) {
		struct limit_wish none = {.name = str_from(engine_limits[k].name), .most = STR("-1")};
		TRY(commit(r, &r->operator, engine_set_limit_run, &none));
	}
	(void) printf("key=%" STR_FMT "\nsecret=%" STR_FMT "\n", STR_ARG(key.key_id), STR_ARG(secret));
	return OK;
}

static RESULT make_image(struct region *r)
{
	struct image_import wish = {
		.name = STR("bench"),
		.is_public = true,
		.arch = IMAGE_ARCH_X86_64,
		.personality = IMAGE_PERSONALITY_EC2,
		.virtual_size = GIB,
		.file_size = GIB / 64,
		.sha256 = STR("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
	};
	TRY(commit(r, &r->operator, engine_import_image_run, &wish));
	(void) printf("image=%" STR_FMT "\n", STR_ARG(id_to_ec2(r->ctx.arena, KIND_IMAGE, wish.image)));
	return OK;
}

static RESULT make_subnet(struct region *r, int number)
{
	struct router_wish router = {.name = str_print(r->ctx.arena, "bench-%d", number)};
	TRY(cidr_parse(str_print(r->ctx.arena, "10.%d.0.0/16", number), &router.block));
	TRY(commit(r, &r->owner, engine_create_router_run, &router));
	struct subnet_wish subnet = {
		.router = {.kind = KIND_ROUTER, .prefix = router.router, .bits = 128},
		.block = router.block,
	};
	TRY(commit(r, &r->owner, engine_create_subnet_run, &subnet));
	(void) printf("subnet=%" STR_FMT "\n", STR_ARG(id_to_ec2(r->ctx.arena, KIND_SUBNET, subnet.subnet)));
	return OK;
}

/* Adds all hosts in one change: ten thousand commits would take long. */
static RESULT add_hosts(struct op *op, void *arg)
{
	const int64_t *count = arg;
	for (int64_t k = 0; k < *count; k++) {
		struct str name = str_print(op->ctx->arena, "sim%lld", (long long) k);
		struct host_wish wish = {.name = name,
					 .uri = str_print(op->ctx->arena, "sim://%" STR_FMT, STR_ARG(name)),
					 .pool_path = STR("/var/lib/libvirt/images")};
		TRY(engine_add_host(op, &wish));
	}
	return OK;
}

static RESULT fill(struct region *r, int64_t host_count)
{
	TRY(commit(r, &r->operator, add_hosts, &host_count));
	TRY(make_account(r));
	TRY(make_image(r));
	for (int k = 0; k < SUBNET_COUNT; k++)
		TRY(make_subnet(r, k + 1));
	return OK;
}

/* ---- parts ---- */

static RESULT open_store(struct region *r, struct str directory, struct str url)
{
	const char *path = str_print(r->ctx.arena, "%" STR_FMT "/dari.db", STR_ARG(directory)).p;
	TRY(sql_open(&r->ctx, url.n ? str_to_z(r->ctx.arena, url) : path, &r->sql));
	struct store_config config = {.executor = r->executor,
				      .sql = r->sql,
				      .observe = engine_observe,
				      .follow = engine_follow,
				      .check = engine_check_row};
	TRY(store_open(&r->ctx, &config, &r->store));
	struct region_wish wish = {.name = region_name};
	return commit(r, NULL, engine_bootstrap_region_run, &wish);
}

static RESULT open_reconciler(struct region *r, struct str directory)
{
	TRY(network_sim_open(&r->ctx, &r->network));
	struct reconcile_config config = {
		.executor = r->executor,
		.store = r->store,
		.network = r->network,
		.compute = {&compute_sim},
		.disks = {&disk_sim},
		.image_directory = directory,
		.own_chassis = STR("bench"),
	};
	return reconciler_new(&r->ctx, &config, &r->reconciler);
}

static RESULT open_face(struct region *r, int64_t thread_count)
{
	TRY(http_server_new(&r->ctx, &(struct http_config){.thread_count = (unsigned) thread_count},
			    &r->http));
	struct sigv4_config signing = {.store = r->store, .master_key = r->master_key, .region = region_name};
	TRY(sigv4_new(&r->ctx, &signing, &r->sigv4));
	const struct guards_config guards = {.store = r->store,
					     .master_key = r->master_key,
					     .region = region_name,
					     .write_role = azure_write_role};
	TRY(guards_new(&r->ctx, &guards, &r->guards));
	struct api_config ec2 = {.store = r->store,
				 .sigv4 = r->sigv4,
				 .guards = r->guards,
				 .reconciler = r->reconciler,
				 .region = region_name,
				 .endpoint = STR("127.0.0.1")};
	TRY(api_face_new(&r->ctx, &ec2_protocol, &ec2, &r->ec2));
	const struct passwords_config passwords = {.memory_kib = 64, .passes = 1};
	TRY(passwords_new(&r->ctx, r->executor, &passwords, &r->passwords));
	const struct tokens_config tokens = {r->store, r->master_key, HOUR};
	TRY(tokens_new(&r->ctx, &tokens, &r->tokens));
	const struct bearers_config bearers = {r->store, r->tokens, NULL, r->sigv4, HOUR};
	TRY(bearers_new(&r->ctx, &bearers, &r->bearers));
	const struct api_config openstack = {.store = r->store,
					     .tokens = r->tokens,
					     .bearers = r->bearers,
					     .guards = r->guards,
					     .passwords = r->passwords,
					     .master_key = r->master_key,
					     .reconciler = r->reconciler,
					     .region = region_name,
					     .endpoint = STR("http://127.0.0.1")};
	TRY(api_face_new(&r->ctx, &openstack_protocol, &openstack, &r->openstack));
	TRY(api_face_new(&r->ctx, &azure_protocol, &openstack, &r->azure));
	return api_face_new(&r->ctx, &cloudstack_protocol, &openstack, &r->cloudstack);
}

/* ---- tokens ---- */

static const struct token_use no_call = {.is_no_call = true};

static RESULT time_token_checks(struct region *r, struct str text, double *ret_us)
{
	AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	if (!a)
		return ctx_no_memory(&r->ctx);
	int64_t since_us = clock_monotonic_us();
	for (int k = 0; k < TOKEN_CHECKS; k++) {
		struct ctx c;
		struct token token;
		struct identity *who = NULL;
		arena_reset(a);
		ctx_init(&c, a);
		TRY(token_check(r->tokens, &c, text, &no_call, &token, &who));
	}
	*ret_us = (double) (clock_monotonic_us() - since_us) / TOKEN_CHECKS;
	return OK;
}

static RESULT tell_token(struct region *r)
{
	struct token token = {.scope = IDENTITY_ACCOUNT,
			      .methods = TOKEN_BY_PASSWORD,
			      .user = r->owner.user,
			      .where = r->owner.account};
	struct str text = STR_NONE;
	double us = 0;
	TRY(token_issue(r->tokens, &r->ctx, &token, &text));
	TRY(time_token_checks(r, text, &us));
	(void) printf("token=%" STR_FMT "\ntoken_check_us=%.2f\n", STR_ARG(text), us);
	return OK;
}

static RESULT tell_bearer(struct region *r)
{
	char account[UUID_TEXT_SIZE];
	AUTO_VIEW view = {0};
	view_open(r->store, &view);
	struct bearer bearer = {.user = r->owner.user,
				.key_id = r->owner.access_key_id,
				.tenant = account_find(view.tables, r->owner.account)->domain};
	const struct bearer_words words = {.audience = STR("https://management.azure.com"),
					   .issuer = STR("https://cloud.test/adfs")};
	struct str text = STR_NONE;
	TRY(bearer_issue(r->bearers, &r->ctx, &bearer, &words, &text));
	(void) printf("bearer=%" STR_FMT "\nsubscription=%s\n", STR_ARG(text),
		      uuid_write(r->owner.account, account));
	return OK;
}

/* ---- the listener ---- */

static void handle(void *self, struct call *call)
{
	struct region *r = self;
	if (openstack_has_path(call->path))
		api_http_face.handle(r->openstack, call);
	else if (azure_has_path(call->path))
		api_http_face.handle(r->azure, call);
	else if (cloudstack_has_path(call->path))
		api_http_face.handle(r->cloudstack, call);
	else
		api_http_face.handle(r->ec2, call);
}

static const struct http_face all_faces = {.name = "api", .handle = handle, .body_cap_size = 1024 * 1024};

static RESULT open_listener(struct region *r)
{
	struct http_where where = {0};
	TRY(ip_parse(STR("127.0.0.1"), &where.ip));
	TRY(http_listen(r->http, &r->ctx, &all_faces, r, &where, &r->listener));
	(void) printf("host=127.0.0.1:%d\n", (int) http_listener_port(r->listener));
	return OK;
}

static RESULT open_all(struct region *r, int argc, char **argv)
{
	struct str directory = arg_text(argc, argv, "directory", STR("."));
	const char *key = str_print(r->ctx.arena, "%" STR_FMT "/master.key", STR_ARG(directory)).p;
	bool is_new = !file_exists(key);
	if (is_new)
		TRY(key_make_master(&r->ctx, key));
	TRY(key_load_master(&r->ctx, key, r->master_key));
	sim_compute_set_size(SIM_CPUS, 4096 * GIB, INT64_C(1024) * 1024 * GIB);
	r->executor = executor_new_threads();
	if (!r->executor)
		return ctx_no_memory(&r->ctx);
	r->operator=(struct identity){.is_operator = true};
	TRY(open_store(r, directory, arg_text(argc, argv, "store", STR_NONE)));
	heap_trim(); /* as src/daemon/run.c does */
	TRY(open_reconciler(r, directory));
	reconciler_start(r->reconciler);
	TRY(is_new ? fill(r, arg_int(argc, argv, "hosts", 64)) : find_owner(r));
	TRY(open_face(r, arg_int(argc, argv, "threads", 0)));
	TRY(tell_token(r));
	TRY(tell_bearer(r));
	return open_listener(r);
}

/* ---- placement ---- */

static RESULT place_many(struct op *op, void *arg)
{
	double *us = arg;
	const struct placement_need need = {.vcpus = 1, .memory = GIB, .disk = GIB};
	int64_t since_us = clock_monotonic_us();
	for (int k = 0; k < PLACEMENTS; k++) {
		struct placement placement;
		TRY(placement_begin(op->ctx, op->head, &need, &placement));
		if (!placement_next(&placement))
			return ctx_fail(op->ctx, ERR_CAPACITY, "no host has room");
	}
	*us = (double) (clock_monotonic_us() - since_us) / PLACEMENTS;
	return OK;
}

/* Serves until a terminating signal; SIGUSR1 measures a placement. */
static RESULT serve(struct region *r, const sigset_t *awaited)
{
	for (int number = 0; sigwait(awaited, &number) == 0 && number == SIGUSR1;) {
		double us = 0;
		TRY(commit(r, &r->operator, place_many, &us));
		(void) printf("placement_us=%.2f\n", us);
		(void) fflush(stdout);
	}
	return OK;
}

static void close_all(struct region *r)
{
	if (r->http)
		http_server_stop(r->http, SECOND);
	api_face_free(r->ec2);
	api_face_free(r->openstack);
	api_face_free(r->cloudstack);
	api_face_free(r->azure);
	guards_free(r->guards);
	bearers_free(r->bearers);
	tokens_free(r->tokens);
	passwords_free(r->passwords);
	sigv4_free(r->sigv4);
	http_server_free(r->http);
	reconciler_free(r->reconciler);
	if (r->network.driver)
		r->network.driver->close(r->network.self);
	if (r->store)
		store_close(r->store);
	executor_free(r->executor);
}

int main(int argc, char **argv)
{
	static struct region r;
	sigset_t awaited;
	(void) sigemptyset(&awaited);
	(void) sigaddset(&awaited, SIGTERM);
	(void) sigaddset(&awaited, SIGINT);
	(void) sigaddset(&awaited, SIGUSR1);
	(void) pthread_sigmask(SIG_BLOCK, &awaited, NULL);
	(void) signal(SIGPIPE, SIG_IGN);
	(void) prctl(PR_SET_PDEATHSIG, SIGTERM);
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, REGION_ARENA_CAP);
	if (!arena)
		return 1;
	ctx_init(&r.ctx, arena);
	struct result result = open_all(&r, argc, argv);
	if (result_is_ok(result)) {
		(void) printf("ready\n");
		(void) fflush(stdout);
		result = serve(&r, &awaited);
	}
	close_all(&r);
	return result_is_ok(result) ? 0 : client_fail(&r.ctx, result);
}
