/* SPDX-License-Identifier: Apache-2.0
 * dari serve: starts the parts in the order they stand on each other, waits for a signal, ends them
 * in reverse. A part that cannot start says why and what to do, and nothing is left behind. */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/ec2/ec2.h"
#include "api/metadata/metadata.h"
#include "auth/key.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/random.h"
#include "daemon/daemon.h"
#include "drivers/compute.h"
#include "drivers/image_file.h"
#include "engine/engine.h"
#include "engine/region.h"
#include "store/sql.h"

enum { STOP_GRACE_S = 5, DAEMON_ARENA_CAP = 64 * 1024 * 1024, SYSTEMD_FIRST_FD = 3 };

/* ---- the API's listener ---- */

static void api_handle(void *self, struct call *call)
{
	struct daemon *d = self;
	if (!health_handle(d, call))
		ec2_http_face.handle(d->ec2, call);
}

static void api_reject(void *self, struct call *call, int status, enum err why)
{
	struct daemon *d = self;
	ec2_http_face.reject(d->ec2, call, status, why);
}

static const struct http_face api_face = {
	.name = "api", .handle = api_handle, .reject = api_reject, .body_cap_size = 1024 * 1024};

/* A socket that whoever started us has bound already (systemd's protocol), or 0. */
static int inherited_socket(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	int64_t value = 0;
	if (!pid || !count || !result_is_ok(str_parse_int(str_from(pid), &value)) || value != getpid())
		return 0;
	return result_is_ok(str_parse_int(str_from(count), &value)) && value >= 1 ? SYSTEMD_FIRST_FD : 0;
}

static RESULT open_listener(struct daemon *d)
{
	struct http_where where = {.port = (uint16_t) d->settings.listen_port, .fd = inherited_socket()};
	if (!result_is_ok(ip_parse(d->settings.listen_ip, &where.ip)))
		return ctx_fail(&d->ctx, ERR_INVALID, "api.address: %" STR_FMT " is not an IP address",
				STR_ARG(d->settings.listen_ip));
	if (d->settings.tls_certificate.n) {
		TRY(file_read(&d->ctx, str_to_z(d->arena, d->settings.tls_certificate), 1 << 20,
			      &where.cert_pem));
		TRY(file_read(&d->ctx, str_to_z(d->arena, d->settings.tls_key), 1 << 20, &where.key_pem));
	}
	struct http_listener *listener = NULL;
	return http_listen(d->http, &d->ctx, &api_face, d, &where, &listener);
}

/* ---- the parts ---- */

static RESULT open_store(struct daemon *d)
{
	TRY(sqlite_open(&d->ctx, settings_path(d->arena, &d->settings, "dari.db"), &d->sql));
	struct store_config config = {
		.executor = d->executor, .sql = d->sql, .observe = engine_observe, .check = engine_check_row};
	TRY(store_open(&d->ctx, &config, &d->store));
	struct region_wish wish = {.name = d->settings.region};
	TRY(uuid_parse(d->settings.region_id, &wish.id));
	TRY(store_commit(d->store, &d->ctx, "dari:serve", engine_bootstrap_region_run, &wish));
	if (!uuid_equal(wish.region, wish.id))
		return ctx_fail(&d->ctx, ERR_CONFLICT,
				"the database is of another region than the configuration: "
				"its region.id is %" STR_FMT,
				STR_ARG(uuid_to_str(d->arena, wish.region)));
	d->region_id = wish.id;
	return OK;
}

static RESULT open_network(struct daemon *d)
{
	if (str_is_empty(d->settings.chassis))
		return ctx_fail(&d->ctx, ERR_INVALID,
				"ovn.chassis is not set: it is this machine's Open vSwitch system-id "
				"(ovs-vsctl get Open_vSwitch . external_ids:system-id)");
	struct ovn_config config = {.northbound = d->settings.ovn_northbound, .region = d->region_id};
	TRY(ovn_open(&d->ctx, &config, &d->network));
	struct result result = plugs_open(&d->ctx, d->settings.ovs_database, d->region_id, &d->plugs);
	if (result_is_ok(result))
		return OK;
	struct str why = d->ctx.problem.message;
	ctx_clear_problem(&d->ctx);
	return ctx_fail(&d->ctx, result.code,
			"%" STR_FMT ". This machine has to run Open vSwitch and ovn-controller (apt install "
			"openvswitch-switch ovn-host), and ovn.local has to name its database",
			STR_ARG(why));
}

static RESULT open_reconciler(struct daemon *d)
{
	image_file_sweep(settings_path(d->arena, &d->settings, "images"));
	struct reconcile_config config = {
		.executor = d->executor,
		.store = d->store,
		.network = d->network,
		.compute = {&compute_libvirt, &compute_sim},
		.image_directory = str_from(settings_path(d->arena, &d->settings, "images")),
		.own_chassis = d->settings.chassis,
		.resolvers = d->settings.dns_upstreams,
		.shutdown_grace_us = d->settings.shutdown_grace_s * SECOND,
		.host_interval_us = d->settings.host_interval_s * SECOND,
	};
	return reconciler_new(&d->ctx, &config, &d->reconciler);
}

static RESULT open_faces(struct daemon *d)
{
	const struct http_config http = {
		.connection_max = (unsigned) d->settings.connections,
		.per_address_max = (unsigned) d->settings.connections_per_address,
	};
	TRY(http_server_new(&d->ctx, &http, &d->http));
	struct sigv4_config signing = {
		.store = d->store, .master_key = d->master_key, .region = d->settings.region};
	TRY(sigv4_new(&d->ctx, &signing, &d->sigv4));
	TRY(limits_new(&d->ctx, &d->settings.limits, &d->limits));
	struct str endpoint = settings_endpoint(d->arena, &d->settings), scheme = STR_NONE;
	(void) str_split_next(&endpoint, '/', &scheme); /* "http:", then "", then host and port */
	(void) str_split_next(&endpoint, '/', &scheme);
	struct ec2_config ec2 = {
		.store = d->store,
		.sigv4 = d->sigv4,
		.limits = d->limits,
		.reconciler = d->reconciler,
		.region = d->settings.region,
		.endpoint = endpoint,
	};
	TRY(ec2_new(&d->ctx, &ec2, &d->ec2));
	struct metadata_config metadata = {.executor = d->executor,
					   .store = d->store,
					   .http = d->http,
					   .plugs = d->plugs,
					   .upstreams = d->settings.dns_upstreams,
					   .region_name = d->settings.region};
	crypto_hmac_sha256(d->master_key, sizeof d->master_key, STR("imds-token"), metadata.token_key);
	return metadata_new(&d->ctx, &metadata, &d->metadata);
}

static RESULT start_all(struct daemon *d, const char *config_path)
{
	TRY(settings_load(&d->ctx, config_path, &d->settings));
	TRY(key_load_master(&d->ctx, settings_path(d->arena, &d->settings, "master.key"), d->master_key));
	d->executor = executor_new_threads();
	if (!d->executor)
		return ctx_no_memory(&d->ctx);
	TRY(open_store(d));
	TRY(open_network(d));
	TRY(open_reconciler(d));
	TRY(open_faces(d));
	TRY(control_open(&d->ctx, d, &d->control));
	reconciler_start(d->reconciler);
	metadata_start(d->metadata);
	return open_listener(d);
}

static void end_all(struct daemon *d)
{
	control_close(d->control);
	if (d->http)
		http_server_stop(d->http, STOP_GRACE_S * SECOND);
	metadata_free(d->metadata);
	ec2_free(d->ec2);
	sigv4_free(d->sigv4);
	limits_free(d->limits);
	http_server_free(d->http);
	reconciler_free(d->reconciler);
	plugs_close(d->plugs);
	if (d->network.driver)
		d->network.driver->close(d->network.self);
	store_close(d->store);
	executor_free(d->executor);
	crypto_wipe(d->master_key, sizeof d->master_key);
}

static void set_log_level(struct str name)
{
	static const char *const names[] = {
		[LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error"};
	for (enum log_level k = LOG_DEBUG; k <= LOG_ERROR; k++)
		if (str_is(name, names[k]))
			log_set_level(k);
}

/* Every thread is started with these blocked; the main thread waits for them. */
static void block_signals(sigset_t *ret_awaited)
{
	(void) sigemptyset(ret_awaited);
	(void) sigaddset(ret_awaited, SIGTERM);
	(void) sigaddset(ret_awaited, SIGINT);
	(void) pthread_sigmask(SIG_BLOCK, ret_awaited, NULL);
	(void) signal(SIGPIPE, SIG_IGN);
}

/* Connections and names under way each hold a descriptor; the soft limit is often 1,024. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit = {0};
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void) setrlimit(RLIMIT_NOFILE, &limit);
}

int daemon_serve(const char *config_path)
{
	static struct daemon d; /* one a process */
	sigset_t awaited;
	block_signals(&awaited);
	raise_descriptor_limit();
	json_set_alloc_funcs(heap_alloc, heap_free); /* JSON fails as all else does, where a test says so */
	d.arena = arena_new(ARENA_FIRST_SIZE, DAEMON_ARENA_CAP);
	if (!d.arena)
		return 1;
	ctx_init(&d.ctx, d.arena);
	d.started_us = clock_now_us();
	struct result result = start_all(&d, config_path);
	if (result_is_ok(result)) {
		set_log_level(d.settings.log_level);
		log_event(LOG_INFO, "serving", "endpoint=%s region=%s start_ms=%lld",
			  log_quote(settings_endpoint(d.arena, &d.settings)), log_quote(d.settings.region),
			  (long long) ((clock_now_us() - d.started_us) / MILLISECOND));
		int number = 0;
		(void) sigwait(&awaited, &number);
		log_event(LOG_INFO, "stopping", "signal=%d", number);
	} else {
		log_event(LOG_ERROR, "cannot-start", "error=%s message=%s", err_name(result.code),
			  log_quote(d.ctx.problem.message));
	}
	end_all(&d);
	arena_free(d.arena);
	return result_is_ok(result) ? 0 : 1;
}
