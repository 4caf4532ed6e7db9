/* SPDX-License-Identifier: Apache-2.0
 * The process's life, for `dari serve` and `dari dev`: starts the parts in order of dependency, waits for a
 * signal, ends them in reverse. A part that can't start reports the reason and advice, and nothing is left
 * behind. */
#include <errno.h>
#include <jansson.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/absent/absent.h"
#include "api/acm/acm.h"
#include "api/autoscaling/autoscaling.h"
#include "api/awsbackup/awsbackup.h"
#include "api/azure/core/azure.h"
#include "api/azure/scale_sets/later_set.h"
#include "api/cloudstack/autoscale/later_group.h"
#include "api/cloudstack/core/cloudstack.h"
#include "api/cloudwatch/cloudwatch.h"
#include "api/connect/connect.h"
#include "api/console/console.h"
#include "api/console/relay.h"
#include "api/console/site.h"
#include "api/core/dispatch.h"
#include "api/core/forward.h"
#include "api/cost/cost.h"
#include "api/dlm/dlm.h"
#include "api/ebs/ebs.h"
#include "api/ec2/compute/later_launch.h"
#include "api/ec2/core/ec2.h"
#include "api/elb/elb.h"
#include "api/events/events.h"
#include "api/iam/iam.h"
#include "api/metadata/metadata.h"
#include "api/native/native.h"
#include "api/openstack/core/openstack.h"
#include "api/query/query_call.h"
#include "api/scim/scim.h"
#include "api/sns/sns.h"
#include "api/sqs/sqs.h"
#include "api/support/support.h"
#include "api/tmf/tmf.h"
#include "auth/key/key.h"
#include "auth/sign_in/login_link.h"
#include "auth/token/bearer.h"
#include "base/clock.h"
#include "base/disk_room.h"
#include "base/file.h"
#include "base/heap.h"
#include "base/heap_budget.h"
#include "base/log.h"
#include "base/random.h"
#include "daemon/authority.h"
#include "daemon/command.h"
#include "daemon/daemon.h"
#include "daemon/follower/follower.h"
#include "drivers/desk.h"
#include "drivers/egress_policy.h"
#include "drivers/image/image_file.h"
#include "engine/engine.h"
#include "engine/network/routing/vpc_endpoint.h"
#include "engine/region/region.h"
#include "http/body_cap.h"
#include "http/renew.h"
#include "http/share.h"
#include "http/websocket.h"
#include "model/desk.h"
#include "reconcile/figures/figures.h"
#include "reconcile/figures/metrics.h"
#include "reconcile/playbooks.h"
#include "store/hooks.h"
#include "store/sql.h"

enum {
	STOP_GRACE_S = 5,
	STOP_LIMIT_S = 20,
	DAEMON_ARENA_CAP = 64 * 1024 * 1024,
	CERTIFICATE_CAP = 1 << 20,
	SECRET_FILE_CAP = 4096
};

/* ---- the API's listener ---- */

/* EC2's calls use the path "/"; calls with an AWS signature are EC2's at any path. */
static bool is_query(const struct call *call)
{
	return call->path.n < 2 || str_starts_with(call_header(call, "Authorization"), STR("AWS")) ||
	       str_contains(call->query, STR("Action=")) || str_contains(call->query, STR("X-Amz-"));
}

/* The face of a request of AWS's query protocol whose signature names none of the services above: EC2's, which is STS's
 * too, or, without a signature, that of the service whose version it names. It refuses the request in its own words. */
static struct api_face *find_query(struct daemon *d, const struct call *call)
{
	struct api_face *const services[] = {d->iam,         d->autoscaling, d->cloudwatch, d->elb,
					     d->elb_classic, d->sns,         d->sqs};
	bool is_signed = call_header(call, "Authorization").n || str_contains(call->query, STR("X-Amz-"));
	struct str version = is_signed ? STR_NONE : query_find_version(call);
	for (size_t k = 0; k < sizeof services / sizeof services[0]; k++)
		if (str_is(version, services[k]->protocol->version))
			return services[k];
	return d->ec2;
}

static bool is_bearer(const struct call *call)
{
	return str_starts_with(call_header(call, "Authorization"), STR("Bearer "));
}

/* The face of a request that is signed for one of these services of AWS; NULL: another request. */
static struct api_face *find_service(struct daemon *d, const struct call *call)
{
	return cost_has_call(call)          ? d->cost
	       : connect_has_call(call)     ? d->connect
	       : cloudwatch_has_call(call)  ? d->cloudwatch
	       : events_has_call(call)      ? d->events
	       : acm_has_call(call)         ? d->acm
	       : dlm_has_call(call)         ? d->dlm
	       : awsbackup_has_call(call)   ? d->awsbackup
	       : ebs_has_call(call)         ? d->ebs
	       : autoscaling_has_call(call) ? d->autoscaling
	       : elb_classic_has_call(call) ? d->elb_classic
	       : elb_has_call(call)         ? d->elb
	       : sqs_has_call(call)         ? d->sqs
	       : sns_has_call(call)         ? d->sns
					    : NULL;
}

/* Selects the face for a call. An unknown path is refused in the words of the face that the credential
 * belongs to, else in ours. NULL: a console page. */
static struct api_face *find_face(struct daemon *d, const struct call *call)
{
	struct api_face *service = find_service(d, call);
	return native_has_path(call->path)        ? d->native
	       : service                          ? service
	       : tmf_has_path(call->path)         ? d->tmf
	       : scim_has_path(call->path)        ? d->scim
	       : support_has_call(call)           ? d->support
	       : absent_has_call(call)            ? d->absent
	       : openstack_has_path(call->path)   ? d->openstack
	       : azure_has_path(call->path)       ? d->azure
	       : cloudstack_has_path(call->path)  ? d->cloudstack
	       : cloudstack_is_upload(call->path) ? d->cloudstack_upload
	       : iam_has_call(call)               ? d->iam
	       : is_query(call)                   ? find_query(d, call)
	       : is_bearer(call)                  ? d->azure
						  : d->native;
}

/* False after the process was stopped: it does not know yet whether it still is the writer. */
static bool may_answer(struct daemon *d, struct call *call)
{
	if (!d->sql->may_answer || d->sql->may_answer(d->sql))
		return true;
	api_refuse_now(find_face(d, call), call,
		       STR("This process may no longer be the region's writer. Try again later."));
	return false;
}

static void handle_call(void *self, struct call *call)
{
	struct daemon *d = self;
	bool is_console = console_has_path(call->path) && !(d->follower && websocket_is_asked(call));
	if (is_console)
		console_handle(d->console, call);
	else if (console_is_visit(call))
		console_lead_in(call);
	else if (health_handle(d, call))
		return;
	else if (d->follower)
		follower_handle(d, call, find_face(d, call));
	else if (call->face_data || may_answer(d, call))
		api_handle_call(find_face(d, call), call);
}

static void begin_call(void *self, struct call *call)
{
	struct daemon *d = self;
	metadata_note_endpoint(call);
	struct api_face *face = find_face(d, call);
	if (face && face == d->sqs)
		call_raise_body_cap(call, SQS_BODY_CAP_SIZE);
	if (d->follower)
		follower_begin(d, call, face);
	else if (follower_note_peer(d, call, face))
		api_begin_call(face, call);
}

static void reject_call(void *self, struct call *call, int status, enum err why)
{
	api_reject(find_face(self, call), call, status, why);
}

static const struct http_face api_face = {.name = "api",
					  .handle = handle_call,
					  .reject = reject_call,
					  .body_cap_size = API_BODY_CAP_SIZE,
					  .begin = begin_call};

/* Reads the files into c's arena; nothing without TLS. */
static RESULT read_certificate(void *self, struct ctx *c, struct http_where *where)
{
	const struct daemon *d = self;
	if (!d->settings.tls_certificate.n)
		return OK;
	TRY(file_read(c, str_to_z(c->arena, d->settings.tls_certificate), CERTIFICATE_CAP, &where->cert_pem));
	return file_read(c, str_to_z(c->arena, d->settings.tls_key), CERTIFICATE_CAP, &where->key_pem);
}

/* Keeps the current certificate if the new files are invalid or the key doesn't match. */
static void renew_certificate(struct daemon *d)
{
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, DAEMON_ARENA_CAP);
	struct http_where where = {0};
	struct ctx c;
	if (!arena || !d->settings.tls_certificate.n)
		return;
	ctx_init(&c, arena);
	struct result result = read_certificate(d, &c, &where);
	for (size_t k = 0; k < 2 && d->listeners[k] && result_is_ok(result); k++)
		result = http_renew(d->http, &c, d->listeners[k], &where);
	if (where.key_pem.n)
		explicit_bzero((char *) where.key_pem.p, where.key_pem.n);
	if (result_is_ok(result))
		metadata_renew(d->metadata);
	if (result_is_ok(result))
		log_event(LOG_INFO, "certificate-renewed", "certificate=%s",
			  log_quote(d->settings.tls_certificate));
	else
		log_event(LOG_ERROR, "certificate-not-renewed", "message=%s", log_quote(c.problem.message));
}

/* On SIGHUP, renews the certificate unless run from a terminal: closing a terminal must end the process, and
 * a service has none. */
static bool renews(const struct daemon *d)
{
	return d->settings.tls_certificate.n && !isatty(STDIN_FILENO);
}

static RESULT read_proxies(struct daemon *d)
{
	const struct settings *s = &d->settings;
	struct cidr *blocks = arena_new_array(d->arena, struct cidr, s->proxies.count ? s->proxies.count : 1);
	if (!blocks)
		return ctx_no_memory(&d->ctx);
	for (size_t k = 0; k < s->proxies.count; k++)
		if (!result_is_ok(egress_policy_parse_block(s->proxies.at[k], &blocks[k])))
			return ctx_fail(&d->ctx, ERR_INVALID,
					"api.proxies: \"%" STR_FMT
					"\" is neither an address nor a block such as 10.0.0.0/24",
					STR_ARG(s->proxies.at[k]));
	bool by_forwarded = str_equal_nocase(s->proxy_header, STR("Forwarded"));
	if (!by_forwarded && !str_equal_nocase(s->proxy_header, STR("X-Forwarded-For")))
		return ctx_fail(&d->ctx, ERR_INVALID,
				"api.proxy_header: \"%" STR_FMT "\" is neither X-Forwarded-For nor Forwarded",
				STR_ARG(s->proxy_header));
	d->proxies = (struct http_proxies){blocks, s->proxies.count, by_forwarded};
	return OK;
}

static RESULT listen_at(struct daemon *d, int64_t port, int fd)
{
	struct http_where where = {.port = (uint16_t) port, .fd = fd};
	struct http_listener **listener = &d->listeners[d->listeners[0] != NULL];
	if (!result_is_ok(ip_parse(d->settings.listen_ip, &where.ip)))
		return ctx_fail(&d->ctx, ERR_INVALID, "api.address: %" STR_FMT " is not an IP address",
				STR_ARG(d->settings.listen_ip));
	TRY(read_certificate(d, &d->ctx, &where));
	TRY(http_listen(d->http, &d->ctx, &api_face, d, &where, listener));
	http_trust_proxies(*listener, &d->proxies);
	return OK;
}

static RESULT open_listener(struct daemon *d)
{
	TRY(listen_at(d, d->settings.listen_port, d->listen_fd));
	d->listen_fd = 0; /* now owned by the listener */
	return d->settings.cloudstack_port ? listen_at(d, d->settings.cloudstack_port, 0) : OK;
}

/* ---- the parts ---- */

/* Runs on the committer. If the figures are unreadable, the database's own refusal must suffice. */
static bool has_room(void *self)
{
	return !disk_room_is_low(self);
}

/* Refuses to start without the database. Master key and configuration belong to an existing region, which an
 * empty one must not replace. `dari init` and the first `dari dev` create the database before this runs.
 * Errors other than a missing file are reported when it is opened. */
static RESULT check_database(struct daemon *d, const char *path)
{
	struct stat seen = {0};
	if (sql_is_url(str_from(path)) || (stat(path, &seen) == 0 ? seen.st_size > 0 : errno != ENOENT))
		return OK;
	return ctx_fail(&d->ctx, ERR_STATE,
			"the database %s is %s, though the region's master key is there: put it back from a "
			"backup, as docs/operations.md says, or make a new region in another directory with "
			"`dari init`",
			path, seen.st_ino ? "empty" : "missing");
}

/* The same for a server's database: the commit that made the region is missing. */
static RESULT check_rows(struct daemon *d)
{
	struct store_figures figures;
	store_read_figures(d->store, &figures);
	if (figures.commit)
		return OK;
	return ctx_fail(
		&d->ctx, ERR_STATE,
		"the database of `store` is empty, though the region's master key is there: restore it "
		"from a backup, or make a new region in another directory with `dari init`");
}

/* A follower changes nothing, so it compares what the writer has stored. */
static RESULT read_region(struct daemon *d, uuid *ret_id)
{
	AUTO_VIEW view = {0};
	view_open(d->store, &view);
	struct str name = engine_get_region_name(view.tables);
	*ret_id = engine_get_region_id(view.tables);
	return str_equal(name, d->settings.region)
		       ? OK
		       : ctx_fail(&d->ctx, ERR_CONFLICT,
				  "the database is of the region '%" STR_FMT
				  "', and region.name of the configuration is '%" STR_FMT "'",
				  STR_ARG(name), STR_ARG(d->settings.region));
}

static RESULT open_store(struct daemon *d)
{
	const char *path = settings_store(d->arena, &d->settings);
	TRY(check_database(d, path));
	struct store_config config = {.executor = d->executor,
				      .observe = engine_observe,
				      .check = engine_check_row,
				      .follow = engine_follow};
	TRY(writer_open_store(d, &config, path));
	TRY(check_rows(d));
	if (!sql_is_url(str_from(path))) /* a server's database has another disk */
		store_set_room(d->store, has_room,
			       (void *) str_to_z(d->arena, d->settings.data_directory)); /* only read */
	heap_trim(); /* loading freed the database's pages and statements */
	struct region_wish wish = {.name = d->settings.region};
	TRY(uuid_parse(d->settings.region_id, &wish.id));
	if (d->follower)
		TRY(read_region(d, &wish.region));
	else
		TRY(store_commit(d->store, &d->ctx, "dari:serve", engine_bootstrap_region_run, &wish));
	if (!uuid_equal(wish.region, wish.id))
		return ctx_fail(&d->ctx, ERR_CONFLICT,
				"the database is of another region than the configuration: "
				"its region.id is %" STR_FMT,
				STR_ARG(uuid_to_str(d->arena, wish.region)));
	d->region_id = wish.id;
	return OK;
}

static RESULT open_directory(struct daemon *d)
{
	struct settings *s = &d->settings;
	struct ldap_directory *ldap = &s->directory.ldap;
	struct str password = STR_NONE;
	if (!ldap->url.n)
		return OK;
	if (!ldap->user_base.n)
		return ctx_fail(&d->ctx, ERR_INVALID,
				"directory.people: where are they? For example "
				"ou=people,dc=example,dc=com");
	if (s->directory.groups.count > LOGIN_GROUPS_MAX)
		return ctx_fail(&d->ctx, ERR_INVALID,
				"directory.groups: %zu groups, of which %d can be named",
				s->directory.groups.count, LOGIN_GROUPS_MAX);
	if (s->directory_password_file.n)
		TRY(file_read(&d->ctx, str_to_z(d->arena, s->directory_password_file), SECRET_FILE_CAP,
			      &password));
	ldap->bind_password = str_copy(d->arena, str_trim(password));
	ldap->uses_start_tls = s->directory_start_tls && str_starts_with(ldap->url, STR("ldap://"));
	ldap->timeout_us = s->directory_timeout_s * SECOND;
	passwords_set_directory(d->passwords, &s->directory, d->store);
	if (d->follower)
		return OK;
	const struct directory_sync_config sync = {.executor = d->executor,
						   .store = d->store,
						   .directory = &s->directory,
						   .interval_us = s->directory_refresh_s * SECOND};
	return directory_sync_new(&d->ctx, &sync, &d->directory_sync);
}

/* Makes the key of bearer tokens while there is room for its file: a disk that is full by the first sign-in must
 * not refuse it. A start on a full disk goes on without the key, and the first sign-in tries again. */
static void make_bearer_key(struct daemon *d)
{
	struct str pem;
	if (d->follower || result_is_ok(bearers_use_key(d->bearers, &d->ctx, &pem)))
		return;
	log_event(LOG_WARN, "bearer-key-not-made", "why=%s", log_quote(d->ctx.problem.message));
	ctx_clear_problem(&d->ctx);
}

static RESULT open_auth(struct daemon *d)
{
	const struct settings *s = &d->settings;
	const struct last_used_config uses = {.store = d->store, .executor = d->executor};
	if (!d->follower)
		TRY(last_used_new(&d->ctx, &uses, &d->uses));
	const struct sigv4_config signing = {
		.store = d->store, .master_key = d->master_key, .region = s->region, .uses = d->uses};
	const struct passwords_config passwords = {.memory_kib = s->password_memory_kib,
						   .passes = s->password_passes,
						   .failures_max = s->password_failures,
						   .locked_us = s->password_locked_s * SECOND};
	const struct tokens_config tokens = {
		.store = d->store, .master_key = d->master_key, .lifetime_us = s->token_lifetime_s * SECOND};
	TRY(sigv4_new(&d->ctx, &signing, &d->sigv4));
	TRY(passwords_new(&d->ctx, d->executor, &passwords, &d->passwords));
	TRY(open_directory(d));
	TRY(api_new_key_lane(&d->ctx, d->executor, &d->key_lane));
	const struct issuers_config issuers = {
		.executor = d->executor, .reach = d->reach, .fetch = web_fetch_get};
	TRY(issuers_new(&d->ctx, &issuers, &d->issuers));
	TRY(tokens_new(&d->ctx, &tokens, &d->tokens));
	const struct bearers_config bearers = {
		.store = d->store,
		.tokens = d->tokens,
		.sigv4 = d->sigv4,
		.key_path = settings_path(d->arena, &d->settings, "bearer.key"),
		.lifetime_us = HOUR,
	};
	TRY(bearers_new(&d->ctx, &bearers, &d->bearers));
	make_bearer_key(d);
	TRY(tickets_new(&d->ctx, d->tokens, d->master_key, &d->tickets));
	d->entries = login_links_new();
	if (!d->entries)
		return ctx_no_memory(&d->ctx);
	const struct guards_config guards = {
		.store = d->store,
		.master_key = d->master_key,
		.region = s->region,
		.write_role = azure_write_role,
	};
	TRY(guards_new(&d->ctx, &guards, &d->guards));
	return limits_new(&d->ctx, &s->limits, &d->limits);
}

/* The ids of playbooks.user. A name that does not exist ends the start of a region with playbooks: they would run as the server. */
static RESULT find_playbook_user(struct daemon *d, unsigned *ret_user, unsigned *ret_group)
{
	enum { PASSWD_SIZE = 4096 };
	char bytes[PASSWD_SIZE];
	struct passwd user, *found = NULL;
	const char *name = str_to_z(d->arena, d->settings.playbook_user);
	bool is_own = !d->settings.playbook_user.n || str_is(d->settings.playbook_user, "own");
	if (is_own || !d->settings.playbook_directory.n)
		return OK;
	(void) getpwnam_r(name, &user, bytes, sizeof bytes, &found);
	if (!found || !found->pw_uid)
		return ctx_fail(&d->ctx, ERR_INVALID, "playbooks.user: %s is no user besides root", name);
	*ret_user = found->pw_uid;
	*ret_group = found->pw_gid;
	return OK;
}

static RESULT open_reconciler(struct daemon *d)
{
	TRY(file_make_directory(&d->ctx, settings_path(d->arena, &d->settings, "images"), 0700));
	image_file_sweep(settings_path(d->arena, &d->settings, "images"));
	TRY(file_make_directory(&d->ctx, settings_path(d->arena, &d->settings, "tickets"), 0700));
	struct backup_target *flow_logs = arena_new_object(d->arena, struct backup_target);
	if (!flow_logs)
		return ctx_no_memory(&d->ctx);
	*flow_logs = d->settings.backup; /* its endpoint and its key */
	flow_logs->url = settings_flow_log_target(d->arena, &d->settings);
	unsigned playbook_user = 0, playbook_group = 0;
	TRY(find_playbook_user(d, &playbook_user, &playbook_group));
	struct reconcile_config config = {
		.executor = d->executor,
		.store = d->store,
		.network = d->network,
		.proxies = d->balancer_proxies,
		.vpns = d->vpns,
		.image_directory = str_from(settings_path(d->arena, &d->settings, "images")),
		.export_directory = d->settings.export_directory.n
					    ? d->settings.export_directory
					    : str_from(settings_path(d->arena, &d->settings, "exports")),
		.ticket_directory = str_from(settings_path(d->arena, &d->settings, "tickets")),
		.playbook_directory = d->settings.playbook_directory,
		.playbook_runner = d->settings.playbook_runner,
		.own_chassis = d->settings.chassis,
		.api_ip = engine_read_api_ip(settings_endpoint(d->arena, &d->settings)),
		.endpoint = settings_endpoint(d->arena, &d->settings),
		.resolvers = d->settings.dns_upstreams,
		.reach = d->reach,
		.backup = &d->settings.backup,
		.flow_logs = flow_logs,
		.log_bytes_a_day = d->settings.log_mib_a_day << 20,
		.access_log_directory = str_from(settings_path(d->arena, &d->settings, "access-logs")),
		.flow_log_listen = d->settings.flow_log_listen,
		.flow_log_exporters = d->settings.flow_log_exporters,
		.traffic_device = d->settings.traffic_device,
		.traffic_netns = d->settings.traffic_netns,
		.master_key = d->master_key,
		.write_drive = metadata_write_drive,
		.shutdown_grace_us = d->settings.shutdown_grace_s * SECOND,
		.host_interval_us = d->settings.host_interval_s * SECOND,
		.base_keep_us = d->settings.image_keep_h * HOUR,
		.base_unneeded_max = d->settings.image_unneeded_gib << 30,
		.base_reserve_percent = d->settings.image_reserve_percent,
	};
	config.later_guard = guards_later(d->guards);
	config.read_spot = ec2_read_later_spot;
	config.read_fleet = ec2_read_later_fleet;
	config.read_scaling = ec2_read_later_scaling;
	config.read_scale_set = azure_read_later_set;
	config.read_autoscale = cloudstack_read_later_group;
	config.write_facts = ticket_facts_write;
	config.facts_self = d;
	config.desks[DESK_SPEAKS_RT] = &desk_rt;
	config.desks[DESK_SPEAKS_TMF621] = &desk_tmf621;
	config.desks[DESK_SPEAKS_SERVICENOW] = &desk_servicenow;
	config.desks[DESK_SPEAKS_WEBHOOK] = &desk_webhook;
	config.may_act = d->sql->may_act ? writer_may_act : NULL;
	config.may_act_self = d;
	config.epoch = d->sql->lease.epoch;
	memcpy(config.compute, d->compute, sizeof config.compute);
	memcpy(config.fences, d->fences, sizeof config.fences);
	memcpy(config.disks, d->disks, sizeof config.disks);
	TRY(reconciler_new(&d->ctx, &config, &d->reconciler));
	const char *units = getenv("DARI_PLAYBOOKS"); /* set by dari.service */
	reconciler_confine_playbooks(d->reconciler, playbook_user, playbook_group, units != NULL);
	return OK;
}

static RESULT open_consoles(struct daemon *d)
{
	const struct settings *s = &d->settings;
	const struct relay_config relay = {.tokens = d->tokens,
					   .store = d->store,
					   .guard = guards_later(d->guards),
					   .line_max = (size_t) s->consoles,
					   .per_account_max = (size_t) s->consoles_per_account,
					   .idle_us = s->console_idle_s * SECOND};
	TRY(relay_new(&d->ctx, &relay, &d->relay));
	const struct console_config console = {.store = d->store,
					       .tickets = d->tickets,
					       .guards = d->guards,
					       .limits = d->limits,
					       .reconciler = d->reconciler,
					       .relay = d->relay,
					       .novnc_directory = s->novnc_directory};
	return console_new(&d->ctx, &console, &d->console);
}

static RESULT open_faces(struct daemon *d)
{
	const struct http_config http = {
		.connection_max = (unsigned) d->settings.connections,
		.per_address_max = (unsigned) d->settings.connections_per_address,
	};
	const struct ceiling shares = {.of_one = (size_t) d->settings.connections_per_account,
				       .reserve = (size_t) d->settings.connections / 20};
	TRY(http_server_new(&d->ctx, &http, &d->http));
	http_share_connections(d->http, &shares);
	TRY(control_new(&d->ctx, d, &d->control));
	struct api_config faces = {
		.store = d->store,
		.executor = d->executor,
		.guards = d->guards,
		.limits = d->limits,
		.reconciler = d->reconciler,
		.commands = control_commands(d->control),
		.sigv4 = d->sigv4,
		.tokens = d->tokens,
		.bearers = d->bearers,
		.tickets = d->tickets,
		.entries = d->entries,
		.issuers = d->issuers,
		.passwords = d->passwords,
		.key_lane = d->key_lane,
		.master_key = d->master_key,
		.uses = d->uses,
		.region = d->settings.region,
		.ticket_directory = str_from(settings_path(d->arena, &d->settings, "tickets")),
		.backup_target = d->settings.backup.url,
		.flow_log_bucket = settings_flow_log_bucket(d->arena, &d->settings),
		.endpoint = settings_endpoint(d->arena, &d->settings),
	};
	TRY(api_face_new(&d->ctx, &ec2_protocol, &faces, &d->ec2));
	TRY(api_face_new(&d->ctx, &iam_protocol, &faces, &d->iam));
	TRY(api_face_new(&d->ctx, &cost_protocol, &faces, &d->cost));
	TRY(api_face_new(&d->ctx, &connect_protocol, &faces, &d->connect));
	TRY(api_face_new(&d->ctx, &cloudwatch_protocol, &faces, &d->cloudwatch));
	TRY(api_face_new(&d->ctx, &events_protocol, &faces, &d->events));
	TRY(api_face_new(&d->ctx, &acm_protocol, &faces, &d->acm));
	TRY(api_face_new(&d->ctx, &sqs_protocol, &faces, &d->sqs));
	TRY(api_face_new(&d->ctx, &sns_protocol, &faces, &d->sns));
	TRY(api_face_new(&d->ctx, &dlm_protocol, &faces, &d->dlm));
	TRY(api_face_new(&d->ctx, &awsbackup_protocol, &faces, &d->awsbackup));
	TRY(api_face_new(&d->ctx, &ebs_protocol, &faces, &d->ebs));
	faces.read_scaling = ec2_read_scaling_source;
	TRY(api_face_new(&d->ctx, &autoscaling_protocol, &faces, &d->autoscaling));
	TRY(api_face_new(&d->ctx, &elb_protocol, &faces, &d->elb));
	TRY(api_face_new(&d->ctx, &elb_classic_protocol, &faces, &d->elb_classic));
	TRY(api_face_new(&d->ctx, &support_protocol, &faces, &d->support));
	TRY(api_face_new(&d->ctx, &tmf_protocol, &faces, &d->tmf));
	TRY(api_face_new(&d->ctx, &scim_protocol, &faces, &d->scim));
	TRY(api_face_new(&d->ctx, &absent_protocol, &faces, &d->absent));
	faces.executor = d->follower ? NULL : d->executor; /* a follower carries no deployments out */
	TRY(api_face_new(&d->ctx, &azure_protocol, &faces, &d->azure));
	faces.executor = d->executor;
	TRY(api_face_new(&d->ctx, &cloudstack_protocol, &faces, &d->cloudstack));
	TRY(api_face_new(&d->ctx, &cloudstack_upload_protocol, &faces, &d->cloudstack_upload));
	TRY(api_face_new(&d->ctx, &openstack_protocol, &faces, &d->openstack));
	TRY(api_face_new(&d->ctx, &native_protocol, &faces, &d->native));
	TRY(open_consoles(d));
	struct metadata_config metadata = {
		.api = {.face = &api_face,
			.self = d,
			.read_certificate = read_certificate,
			.ip = engine_read_api_ip(settings_endpoint(d->arena, &d->settings)),
			.port = (uint16_t) d->settings.listen_port},
		.executor = d->executor,
		.store = d->store,
		.http = d->http,
		.plugs = d->plugs,
		.upstreams = d->settings.dns_upstreams,
		.region_name = d->settings.region,
		.sigv4 = d->sigv4,
		.bearers = d->bearers,
		.connect_keys = connect_face_keys(d->connect),
		.master_key = d->master_key};
	crypto_hmac_sha256(d->master_key, sizeof d->master_key, STR("imds-token"), metadata.token_key);
	return metadata_new(&d->ctx, &metadata, &d->metadata);
}

static void set_log_level(struct str name)
{
	static const char *const names[] = {
		[LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error"};
	for (enum log_level k = LOG_DEBUG; k <= LOG_ERROR; k++)
		if (str_is(name, names[k]))
			log_set_level(k);
}

/* Only logs a warning, because refusing would stop a region that has run with these modes for a year. `dari doctor`
 * reports it too. */
static void warn_of_mode(const char *path, mode_t forbidden, const char *advice)
{
	struct stat seen = {0};
	if (stat(path, &seen) == 0 && seen.st_mode & forbidden)
		log_event(LOG_WARN, "mode-too-open", "path=%s mode=%04o advice=%s", log_quote(str_from(path)),
			  (unsigned) (seen.st_mode & 07777), log_quote(str_from(advice)));
}

/* Without drivers: its reconciler does nothing. The first call needs the lanes to the writer. */
static RESULT start_follower(struct daemon *d)
{
	TRY(open_reconciler(d));
	TRY(open_faces(d));
	TRY(follower_start(d));
	TRY(open_listener(d));
	TRY(control_listen(&d->ctx, d, d->control));
	return d->role->follows ? d->role->follows(d) : OK;
}

static RESULT start_all(struct daemon *d)
{
	TRY(d->role->prepare(d));
	set_log_level(d->settings.log_level);
	TRY(read_proxies(d));
	warn_of_mode(settings_path(d->arena, &d->settings, "master.key"), 0077, "chmod 600");
	warn_of_mode(str_to_z(d->arena, d->settings.data_directory), 0022, "chmod 750");
	TRY(key_load_master(&d->ctx, settings_path(d->arena, &d->settings, "master.key"), d->master_key));
	d->executor = executor_new_threads();
	if (!d->executor)
		return ctx_no_memory(&d->ctx);
	TRY(egress_policy_open(d));
	TRY(open_store(d));
	TRY(open_auth(d));
	if (d->follower)
		return start_follower(d);
	TRY(d->role->open_drivers(d));
	TRY(open_reconciler(d));
	TRY(open_faces(d));
	TRY(control_listen(&d->ctx, d, d->control));
	TRY(authority_start(d));
	reconciler_start(d->reconciler);
	TRY(reconciler_start_figures(d->reconciler, &d->ctx, d->settings.figures_interval_s * SECOND));
	reconciler_start_alarms(d->reconciler);
	metadata_start(d->metadata);
	TRY(open_listener(d));
	return d->role->started ? d->role->started(d) : OK;
}

static RESULT do_nothing(struct op *op, void *arg)
{
	(void) op;
	(void) arg;
	return OK;
}

/* Waits for queued changes. A call abandoned by the server may still have its change in the queue; it uses
 * guards, and is freed when answered. A change submitted last is answered after all of these, so afterwards
 * their dependencies can be freed. */
static void drain_changes(struct daemon *d)
{
	const struct identity nobody = {0};
	for (int queue = 0; d->store && queue < 2; queue++) { /* the queues of clients and of the system */
		d->ctx.who = queue ? NULL : &nobody;
		IGNORE(store_commit(d->store, &d->ctx, "dari:end", do_nothing, NULL));
	}
}

static void end_all(struct daemon *d)
{
	if (d->follower)
		follower_stop(d);
	authority_stop(d);
	relay_stop(d->relay);
	native_end_streams(d->native);
	if (d->http)
		http_server_stop(d->http, STOP_GRACE_S * SECOND);
	control_free(d->control);
	follower_free(d);
	drain_changes(d);
	metadata_free(d->metadata);
	api_face_free(d->ec2);
	api_face_free(d->iam);
	api_face_free(d->cost);
	api_face_free(d->connect);
	api_face_free(d->cloudwatch);
	api_face_free(d->events);
	api_face_free(d->acm);
	api_face_free(d->sqs);
	api_face_free(d->sns);
	api_face_free(d->dlm);
	api_face_free(d->awsbackup);
	api_face_free(d->ebs);
	api_face_free(d->autoscaling);
	api_face_free(d->elb);
	api_face_free(d->elb_classic);
	api_face_free(d->support);
	api_face_free(d->tmf);
	api_face_free(d->scim);
	api_face_free(d->absent);
	api_face_free(d->azure);
	api_face_free(d->cloudstack);
	api_face_free(d->cloudstack_upload);
	api_face_free(d->openstack);
	api_face_free(d->native);
	console_free(d->console);
	tickets_free(d->tickets);
	login_links_free(d->entries);
	bearers_free(d->bearers);
	tokens_free(d->tokens);
	directory_sync_free(d->directory_sync);
	passwords_free(d->passwords);
	lane_free(d->key_lane);
	issuers_free(d->issuers);
	sigv4_free(d->sigv4);
	last_used_free(d->uses);
	limits_free(d->limits);
	http_server_free(d->http);
	reconciler_free(d->reconciler);
	egress_policy_free(d->reach);
	relay_free(d->relay);
	if (d->vpns.driver)
		d->vpns.driver->close(d->vpns.self);
	if (d->balancer_proxies.driver)
		d->balancer_proxies.driver->close(d->balancer_proxies.self);
	plugs_close(d->plugs);
	if (d->network.driver)
		d->network.driver->close(d->network.self);
	store_close(d->store);
	guards_free(d->guards); /* the reconciler's last changes ask it */
	executor_free(d->executor);
	if (d->listen_fd > 0)
		(void) close(d->listen_fd);
	crypto_wipe(d->master_key, sizeof d->master_key);
	if (d->role->ended)
		d->role->ended(d);
}

/* Every thread is started with these blocked; the main thread waits for them with sigwait(). */
static void block_signals(sigset_t *ret_awaited)
{
	(void) sigemptyset(ret_awaited);
	(void) sigaddset(ret_awaited, SIGTERM);
	(void) sigaddset(ret_awaited, SIGINT);
	(void) sigaddset(ret_awaited, SIGHUP);
	(void) pthread_sigmask(SIG_BLOCK, ret_awaited, NULL);
	(void) signal(SIGPIPE, SIG_IGN);
}

/* Each connection in progress needs a descriptor; the soft limit is often 1,024. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit = {0};
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void) setrlimit(RLIMIT_NOFILE, &limit);
}

static void end_at_once(int number)
{
	static const char words[] = "dari: a call to a host does not return; ended without waiting for it\n";
	(void) number;
	ssize_t written = write(STDERR_FILENO, words, sizeof words - 1);
	(void) written;
	_exit(0);
}

/* Ends the process by force after a while. The remaining steps may hang forever (e.g. a guest's QEMU doesn't
 * answer libvirt), and ending at any point is safe, because everything acknowledged is committed. */
static void limit_the_end(void)
{
	const struct sigaction action = {.sa_handler = end_at_once};
	(void) sigaction(SIGALRM, &action, NULL);
	(void) alarm(STOP_LIMIT_S);
}

static void end_now(int number)
{
	static const char words[] = "dari: ended by a second signal\n";
	ssize_t written = write(STDERR_FILENO, words, sizeof words - 1);
	(void) written;
	_exit(128 + number);
}

/* Lets a second Ctrl-C end the process without waiting for clients. As after a kill, all answered changes are
 * committed. */
static void heed_second_signal(const sigset_t *awaited)
{
	const struct sigaction action = {.sa_handler = end_now};
	(void) sigaction(SIGINT, &action, NULL);
	(void) sigaction(SIGTERM, &action, NULL);
	(void) pthread_sigmask(SIG_UNBLOCK, awaited, NULL);
}

int daemon_run(const struct daemon_role *role, void *role_data)
{
	static struct daemon d; /* one per process */
	sigset_t awaited;
	block_signals(&awaited);
	raise_descriptor_limit();
	json_set_alloc_funcs(heap_alloc_counted, heap_free_counted); /* limits memory for templates */
	d.role = role;
	d.sweeps.lock = (pthread_mutex_t) PTHREAD_MUTEX_INITIALIZER;
	d.role_data = role_data;
	d.arena = arena_new(ARENA_FIRST_SIZE, DAEMON_ARENA_CAP);
	if (!d.arena)
		return 1;
	ctx_init(&d.ctx, d.arena);
	d.started_us = clock_now_us();
	d.awaited = &awaited;
	struct result result = start_all(&d);
	if (result_is_ok(result)) {
		log_event(LOG_INFO, "serving", "endpoint=%s region=%s start_ms=%lld",
			  log_quote(settings_endpoint(d.arena, &d.settings)), log_quote(d.settings.region),
			  (long long) ((clock_now_us() - d.started_us) / MILLISECOND));
		int number = 0;
		while (sigwait(&awaited, &number) == 0 && number == SIGHUP && renews(&d))
			renew_certificate(&d);
		log_event(LOG_INFO, "stopping", "signal=%d", number);
	} else if (d.is_told_to_end) {
		result = OK;
	} else {
		role->report_failure(&d, result);
	}
	/* After a failed start, too: hosts may have been connected before the failure. */
	limit_the_end();
	heed_second_signal(&awaited);
	end_all(&d);
	(void) alarm(0);
	arena_free(d.arena);
	return result_is_ok(result) ? 0 : 1;
}
