/* SPDX-License-Identifier: Apache-2.0
 * dari dev: a complete region for experiments and client tests: the real server, store, engine, reconciler
 * and faces with simulated hosts and a simulated network, on loopback. It needs no root, configuration or
 * packages, and changes nothing outside its data directory.
 *
 * Its content is created by the operations that an operator would use. Rows are kept in the data directory;
 * simulated machines exist in this process and end with it, as in a power failure: at the next start, their
 * disks are restored and guests are started again. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/metadata/metadata.h"
#include "auth/sign_in/login_link.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/vec.h"
#include "daemon/command.h"
#include "daemon/environment/client_env.h"
#include "drivers/disk.h"
#include "drivers/fence.h"
#include "drivers/sim/compute.h"
#include "engine/limits.h"
#include "engine/network/external_network.h"
#include "engine/people/account/account.h"
#include "engine/people/policy/role.h"
#include "engine/region/host.h"
#include "engine/storage/image/image.h"
#include "store/account.h"
#include "store/host.h"
#include "store/image.h"
#include "store/user.h"
#include "store/volume.h"
#include "store/zone.h"

/* Simulated hosts come up within milliseconds; the limit only ends a start that hangs. */
enum { HOSTS_WAIT_S = 10, HOSTS_LOOK_MS = 2 };
#define CERTIFICATE_LIFE_US (365 * 24 * HOUR)
#define FIRST_LINK_US (15 * MINUTE)

static const char account_name[] = "dev", admin_name[] = "admin";

struct dev {
	const struct dev_wish *wish;
	bool is_temporary; /* the data directory is deleted at the end */
	/* Generated at each start and never stored. */
	struct str admin_password, password;
};

static struct dev *dev_of(struct daemon *d)
{
	return d->role_data;
}

/* ---- location ---- */

static RESULT bind_port(struct daemon *d)
{
	int64_t wanted = dev_of(d)->wish->port;
	struct ip loopback = {0};
	d->settings.listen_ip = STR("127.0.0.1");
	d->settings.listen_port = wanted < 0 ? DEV_PORT : wanted;
	d->settings.cloudstack_port = dev_of(d)->wish->cloudstack_port;
	TRY(ip_parse(d->settings.listen_ip, &loopback));
	struct result r = http_bind(&d->ctx, loopback, (uint16_t) d->settings.listen_port, &d->listen_fd);
	if (r.code != ERR_IN_USE) {
		d->settings.listen_port = http_bound_port(d->listen_fd);
		return r;
	}
	ctx_clear_problem(&d->ctx);
	return ctx_fail(
		&d->ctx, ERR_IN_USE,
		"port %lld of 127.0.0.1 is taken, perhaps by another `dari dev`: end that one, or let "
		"`dari dev --port 0` find a free one",
		(long long) d->settings.listen_port);
}

static RESULT make_temporary(struct daemon *d)
{
	const char *base = getenv("TMPDIR");
	struct str path = str_print(d->arena, "%s/dari-dev-XXXXXX", base && *base ? base : "/tmp");
	char *name = arena_alloc(d->arena, path.n + 1);
	if (!path.p || !name)
		return ctx_no_memory(&d->ctx);
	memcpy(name, path.p, path.n + 1);
	if (!mkdtemp(name))
		return ctx_fail(&d->ctx, ERR_IO,
				"cannot make a temporary directory %s: %s; --data names one to use instead",
				name, strerrordesc_np(errno));
	dev_of(d)->is_temporary = true;
	d->settings.data_directory = str_from(name);
	return OK;
}

/* True if the directory is empty, or holds a region: find_region() checks which. */
static bool may_hold_region(const struct daemon *d, const char *path)
{
	const struct settings *s = &d->settings;
	if (file_exists(settings_path(d->arena, s, "dev.yaml")) ||
	    file_exists(settings_path(d->arena, s, "dari.db")))
		return true;
	DIR *dir = opendir(path);
	bool is_empty = true;
	for (const struct dirent *e; dir && is_empty && (e = readdir(dir));)
		is_empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
	if (dir)
		closedir(dir);
	return is_empty;
}

static RESULT choose_directory(struct daemon *d)
{
	char whole[PATH_MAX];
	if (str_is_empty(dev_of(d)->wish->data))
		return make_temporary(d);
	const char *path = str_to_z(d->arena, dev_of(d)->wish->data);
	struct result r = file_make_directory(&d->ctx, path, 0700);
	if (result_is_ok(r) && (!realpath(path, whole) || access(whole, R_OK | W_OK | X_OK) != 0))
		r = ctx_fail(&d->ctx, ERR_IO, "cannot use %s: %s", path, strerrordesc_np(errno));
	if (result_is_ok(r)) {
		d->settings.data_directory = str_copy(d->arena, str_from(whole));
		return may_hold_region(d, whole)
			       ? OK
			       : ctx_fail(&d->ctx, ERR_EXISTS,
					  "%s has files that `dari dev` did not create: --data wants a "
					  "directory that is empty, or that does not exist yet",
					  whole);
	}
	struct str why = d->ctx.problem.message;
	ctx_clear_problem(&d->ctx);
	return ctx_fail(&d->ctx, r.code,
			"%" STR_FMT ". --data wants a directory that you may write to, or none there yet",
			STR_ARG(why));
}

/* Valid for this run only, but for as long as anybody keeps such a region. */
static RESULT make_certificate(struct daemon *d)
{
	struct settings *s = &d->settings;
	struct str certificate, key;
	if (!dev_of(d)->wish->has_tls)
		return OK;
	s->tls_certificate = str_from(settings_path(d->arena, s, "tls.pem"));
	s->tls_key = str_from(settings_path(d->arena, s, "tls.key"));
	TRY(crypto_make_certificate(&d->ctx, STR("localhost,127.0.0.1"), CERTIFICATE_LIFE_US, &certificate,
				    &key));
	TRY(file_write_synced(&d->ctx, s->tls_key.p, key, 0600));
	return file_write_synced(&d->ctx, s->tls_certificate.p, certificate, 0644);
}

/* Opens the region in the directory, or creates one. Opens only regions created by `dari dev`: real hosts
 * must not be mistaken for simulated ones. */
static RESULT find_region(struct daemon *d, const char *config_path)
{
	struct settings *s = &d->settings, before = {0};
	s->region_id = uuid_to_str(d->arena, uuid_random());
	if (file_exists(config_path)) {
		TRY(settings_load(&d->ctx, config_path, &before));
		s->region_id = before.region_id;
		s->store = s->store.n ? s->store : before.store;
		return OK;
	}
	if (!s->store.n && file_exists(settings_path(d->arena, s, "dari.db")))
		return ctx_fail(&d->ctx, ERR_EXISTS,
				"%" STR_FMT
				" holds a region that `dari dev` did not make, or whose first start was cut "
				"off: give it a directory of its own, or remove this one if that start was",
				STR_ARG(s->data_directory));
	return init_region(&d->ctx, s, dev_of(d)->wish->host_count > 1 ? STR("a,b") : STR("a"), NULL, NULL);
}

/* A list with commas. */
static RESULT read_list(struct daemon *d, struct str rest, struct strs *ret_list)
{
	VEC(struct str) list = {0};
	struct str one = STR_NONE;
	while (str_split_next(&rest, ',', &one))
		if (one.n && !VEC_PUSH(d->arena, &list, str_trim(one)))
			return ctx_no_memory(&d->ctx);
	*ret_list = (struct strs){list.at, list.count};
	return OK;
}

static RESULT write_config(struct daemon *d)
{
	return file_write_synced(&d->ctx, settings_path(d->arena, &d->settings, "dev.yaml"),
				 settings_write(d->arena, &d->settings), 0600);
}

static RESULT dev_prepare(struct daemon *d)
{
	/* There is no OVN; `dari serve` with this configuration reports that. */
	static const struct str nothing = {"simulated", 9};
	d->settings = (struct settings){
		.region = STR("us-east-1"),
		.log_level = STR("warn"),
		.ovn_northbound = nothing,
		.ovs_database = nothing,
		.chassis = nothing,
		.shutdown_grace_s = 60,
		.token_lifetime_s = 3600,
		.host_interval_s = 1, /* a look notices that a guest ended itself */
		.figures_interval_s = 2,
		/* Cheap hashing, since these passwords protect nothing. */
		.password_memory_kib = 64,
		.password_passes = 1,
		.password_failures = 5,
		.password_locked_s = 60,
	};
	struct settings defaults;
	if (dev_of(d)->wish->directory.n)
		TRY(settings_read(&d->ctx, str_to_z(d->arena, dev_of(d)->wish->directory), &defaults));
	else
		TRY(settings_fill_defaults(&d->ctx, &defaults));
	d->settings.directory = defaults.directory;
	d->settings.directory_password_file = defaults.directory_password_file;
	d->settings.directory_start_tls = defaults.directory_start_tls;
	d->settings.directory_timeout_s = defaults.directory_timeout_s;
	d->settings.directory_refresh_s = defaults.directory_refresh_s;
	d->settings.novnc_directory = defaults.novnc_directory;
	d->settings.proxy_header = defaults.proxy_header;
	TRY(read_list(d, dev_of(d)->wish->fetch_from, &d->settings.fetch_also_from));
	TRY(read_list(d, dev_of(d)->wish->proxies, &d->settings.proxies));
	d->settings.consoles = defaults.consoles;
	d->settings.consoles_per_account = defaults.consoles_per_account;
	d->settings.console_idle_s = defaults.console_idle_s;
	if (dev_of(d)->wish->limited) {
		d->settings.limits = defaults.limits;
		d->settings.password_memory_kib = defaults.password_memory_kib;
		d->settings.password_passes = defaults.password_passes;
	}
	d->settings.store = dev_of(d)->wish->store;
	if (d->settings.store.n && !dev_of(d)->wish->data.n)
		return ctx_fail(
			&d->ctx, ERR_COMBINATION,
			"--store needs --data: the master key there seals the secrets in the database");
	TRY(bind_port(d));
	TRY(choose_directory(d));
	TRY(make_certificate(d));
	d->settings.playbook_runner = defaults.playbook_runner;
	d->settings.playbook_user = dev_of(d)->wish->playbook_user;
	d->settings.playbook_directory = str_from(settings_path(d->arena, &d->settings, "playbooks"));
	d->settings.backup = defaults.backup;
	if (!d->settings.backup.url.n)
		d->settings.backup.url = str_print(d->arena, "file://%" STR_FMT "/backups",
						   STR_ARG(d->settings.data_directory));
	d->settings.control_socket = str_from(settings_path(d->arena, &d->settings, "dari.sock"));
	d->config_path = settings_path(d->arena, &d->settings, "dev.yaml");
	bool is_kept = file_exists(d->config_path);
	TRY(find_region(d, d->config_path));
	return is_kept ? OK : write_config(d); /* without it an interrupted start would not be recognised as
					   * ours */
}

/* ---- content ---- */

/* Objects from an earlier start on the same directory are fine. */
static RESULT end_making(struct daemon *d, struct command_call *call, struct result r)
{
	if (r.code == ERR_EXISTS)
		r = OK;
	else
		d->ctx.problem = call->ctx.problem;
	command_call_done(call);
	return r;
}

/* Runs a command as if typed. Takes ownership of args. */
static RESULT make(struct daemon *d, const char *words, json_t *args)
{
	return command_run_typed(d, &d->ctx, words, args, NULL);
}

static RESULT commit(struct daemon *d, op_run run, void *wish)
{
	struct command_call call;
	command_call_init(&call, d, d->arena);
	return end_making(d, &call, command_commit(&call, "dari:dev", run, wish));
}

static bool has_zone(struct daemon *d, const char *name)
{
	AUTO_VIEW view = {0};
	view_open(d->store, &view);
	return zone_find_by_name(view.tables, str_from(name)) != NULL;
}

/* Distributes hosts over the existing zones; a region made with one host has one zone. */
static RESULT make_hosts(struct daemon *d)
{
	for (int64_t k = 1; k <= dev_of(d)->wish->host_count; k++) {
		char name[32];
		const char *zone =
			str_print(d->arena, "%" STR_FMT "%c", STR_ARG(d->settings.region), k % 2 ? 'a' : 'b')
				.p;
		(void) snprintf(name, sizeof name, "sim%lld", (long long) k);
		struct host_wish wish = {.name = str_from(name), .uri = STR("sim://"), .reserved_memory = -1};
		if (zone && has_zone(d, zone))
			wish.zone =
				(struct ref){.kind = KIND_ZONE, .text = str_from(zone), .field = STR("zone")};
		TRY(commit(d, engine_add_host_run, &wish));
	}
	return OK;
}

/* A short text, which no simulated host reads. */
static RESULT make_image(struct daemon *d, const char *name, int64_t virtual_size)
{
	uint8_t digest[SHA256_SIZE];
	struct str words = str_print(d->arena, "%s, simulated: there is nothing in it\n", name);
	crypto_sha256(words, digest);
	struct str hex = str_encode_hex(d->arena, digest, sizeof digest);
	const char *directory = settings_path(d->arena, &d->settings, "images");
	TRY(file_make_directory(&d->ctx, directory, 0700));
	TRY(file_write_synced(&d->ctx,
			      str_print(d->arena, "%s/%" STR_FMT ".qcow2", directory, STR_ARG(hex)).p, words,
			      0600));
	struct image_import wish = {
		.name = str_from(name),
		.description = STR("Simulated: there is nothing in it."),
		.is_public = true,
		.virtual_size = virtual_size,
		.file_size = (int64_t) words.n,
		.sha256 = hex,
	};
	return commit(d, engine_import_image_run, &wish);
}

/* Without limits, which are for shared machines. */
static RESULT make_account(struct daemon *d)
{
	struct account_limits limits =
		account_limits_all((struct ref){.kind = KIND_ACCOUNT, .text = str_from(account_name)}, -1);
	TRY(make(d, "account create", json_pack("{s:s}", "name", account_name)));
	return commit(d, engine_set_limits_run, &limits);
}

/* A user of that name with the role on the account of that name, possibly from an earlier start. */
static RESULT make_user(struct daemon *d, const char *name, const char *role, struct str *ret_password)
{
	struct command_call call;
	TRY(make(d, "user create",
		 json_pack("{s:s, s:s, s:s}", "name", name, "account", name, "role", role)));
	command_call_init(&call, d, d->arena);
	call.args = json_pack("{s:s}", "name", name);
	struct result r = command_find(STR("user password"))->run(&call);
	*ret_password =
		str_copy(d->arena, str_from(json_string_value(json_object_get(call.value, "password"))));
	json_decref(call.args);
	return end_making(d, &call, r);
}

/* Creates users for OpenStack: an administrator of the region, and a member of the account. */
static RESULT make_users(struct daemon *d)
{
	TRY(make(d, "account create", json_pack("{s:s}", "name", admin_name)));
	TRY(make_user(d, admin_name, "admin", &dev_of(d)->admin_password));
	struct role_grant grant = {.role = {.kind = KIND_ROLE, .text = STR("member")},
				   .user = {.kind = KIND_USER, .text = str_from(admin_name)},
				   .account = {.kind = KIND_ACCOUNT, .text = str_from(account_name)}};
	TRY(store_commit(d->store, &d->ctx, "dari:dev", engine_grant_role_run, &grant));
	return make_user(d, account_name, "member", &dev_of(d)->password);
}

/* The two halves of RFC 2544's network, and of RFC 3849's: addresses reserved for tests. No OVN limits
 * apply. */
static RESULT make_network(struct daemon *d)
{
	int64_t more = dev_of(d)->wish->address_count - 1;
	struct ip infra = ip_from_v4(UINT32_C(198) << 24 | 18 << 16 | 2),
		  given = ip_from_v4(UINT32_C(198) << 24 | 19 << 16 | 1);
	struct external_network_wish wish = {.name = STR("internet"),
					     .physical_network = STR("simulated"),
					     .next_hop = ip_from_v4(UINT32_C(198) << 24 | 18 << 16 | 1),
					     .infra_first = infra,
					     .infra_last = ip_add(infra, (uint64_t) more),
					     .first = given,
					     .last = ip_add(given, (uint64_t) more)};
	struct external_ipv6_wish ipv6 = {
		.external_network = {.kind = KIND_EXTERNAL_NETWORK, .text = wish.name, .field = STR("name")}};
	TRY(cidr_parse(STR("2001:db8:d000::/40"), &ipv6.pool));
	TRY(ip_parse(STR("fe80::1"), &ipv6.next_hop));
	TRY(commit(d, engine_add_external_network_run, &wish));
	TRY(commit(d, engine_set_limit_run,
		   &(struct limit_wish){.name = STR("gateways_of_link"), .most = STR("-1")}));
	return commit(d, engine_set_external_ipv6_run, &ipv6);
}

static void bring_disks(struct daemon *d)
{
	AUTO_VIEW view = {0};
	view_open(d->store, &view);
	for (const struct volume *v = volume_first(view.tables); v; v = volume_next(view.tables, v)) {
		const struct host *host = host_find(view.tables, v->seen_host);
		if (host && v->seen_size > 0)
			sim_compute_bring_disk(host->name, d->region_id, v->row.id, v->seen_size);
	}
}

/* Simulates a database older than the hosts. */
static void bring_leftovers(struct daemon *d)
{
	for (int64_t k = 0; k < dev_of(d)->wish->leftover_count; k++)
		sim_compute_bring_disk(STR("sim1"), d->region_id, id_new(KIND_VOLUME), INT64_C(1) << 30);
}

static RESULT dev_open_drivers(struct daemon *d)
{
	sim_compute_set_pace(dev_of(d)->wish->at_once ? SIM_AT_ONCE : SIM_AS_REAL);
	sim_compute_set_contents(getenv("DARI_SIM_DISKS")); /* tests set it; see drivers/sim/README.md */
	d->compute[0] = &compute_sim;
	d->fences[0] = &fence_sim;
	d->disks[0] = &disk_sim;
	TRY(network_sim_open(&d->ctx, &d->network));
	TRY(proxy_sim_open(&d->ctx, &d->balancer_proxies));
	TRY(vpn_sim_open(&d->ctx, &d->vpns));
	bring_disks(d);
	bring_leftovers(d);
	TRY(make_hosts(d));
	TRY(make_network(d));
	TRY(make_image(d, "debian-12", INT64_C(2) << 30));
	TRY(make_image(d, "tiny", INT64_C(64) << 20));
	TRY(make_account(d));
	return make_users(d);
}

/* ---- output ---- */

/* Checks the hosts of `--hosts`. Others added to a kept region never come up, because nothing simulates
 * them. */
static bool hosts_are_up(struct daemon *d)
{
	AUTO_VIEW view = {0};
	view_open(d->store, &view);
	for (int64_t k = 1; k <= dev_of(d)->wish->host_count; k++) {
		char name[32];
		(void) snprintf(name, sizeof name, "sim%lld", (long long) k);
		const struct host *h = host_find_by_name(view.tables, str_from(name));
		if (h && h->seen_state != HOST_SEEN_STATE_UP)
			return false;
	}
	return true;
}

/* Instances can be launched only after the hosts have been looked at. */
static RESULT await_hosts(struct daemon *d)
{
	int64_t limit_us = clock_monotonic_us() + HOSTS_WAIT_S * SECOND;
	while (!hosts_are_up(d)) {
		if (clock_monotonic_us() > limit_us)
			return ctx_fail(&d->ctx, ERR_TIMEOUT, "the simulated hosts are not up after %d s",
					HOSTS_WAIT_S);
		clock_sleep_us(HOSTS_LOOK_MS * MILLISECOND);
	}
	return OK;
}

static struct str first_image(struct daemon *d)
{
	AUTO_VIEW view = {0};
	view_open(d->store, &view);
	for (const struct image *i = image_first(view.tables); i; i = image_next(view.tables, i))
		if (row_is_live(&i->row) && i->is_public && str_is(i->name, "debian-12"))
			return id_to_ec2(d->arena, KIND_IMAGE, i->row.id);
	return STR_NONE;
}

/* A sign-in link for the region's administrator, who may act for the account too, without a password. Valid
 * as long as reading it may take. */
static struct str first_link(struct daemon *d)
{
	struct entry entry = {.lifetime_us = FIRST_LINK_US};
	struct str secret = STR_NONE;
	AUTO_VIEW view = {0};
	view_open(d->store, &view);
	const struct user *user =
		user_find_by_owner(view.tables, UUID_NONE, DOMAIN_DEFAULT, str_from(admin_name));
	const struct account *account =
		account_find_by_domain(view.tables, DOMAIN_DEFAULT, str_from(account_name));
	if (!user || !account)
		return STR_NONE;
	entry.user = user->row.id;
	entry.account = account->row.id;
	if (!result_is_ok(login_link_issue(d->entries, &d->ctx, &entry, &secret)))
		return STR_NONE;
	return str_print(d->arena, "%" STR_FMT "/console/#t=%" STR_FMT,
			 STR_ARG(settings_endpoint(d->arena, &d->settings)), STR_ARG(secret));
}

static const char *member(const json_t *value, const char *name)
{
	return json_string_value(json_object_get(value, name));
}

/* Any local client may act as a guest, because there are no real ones. */
static RESULT listen_for_guests(struct daemon *d, uint16_t *ret_port)
{
	struct http_where where = {0};
	struct http_listener *listener = NULL;
	TRY(ip_parse(STR("127.0.0.1"), &where.ip));
	TRY(http_listen(d->http, &d->ctx, &metadata_named_http_face, d->metadata, &where, &listener));
	*ret_port = http_listener_port(listener);
	return OK;
}

static void print_client(const char *client, const struct client_env *all)
{
	struct buf text;
	buf_init(&text, 4096);
	client_env_print(&text, client, all);
	printf("%" STR_FMT "\n", STR_ARG(buf_str(&text)));
	buf_done(&text);
}

/* Variables of the clients other than aws, from the list that `dari account rc` and the console print, too. */
static void print_clients(struct daemon *d, const struct command_call *env)
{
	AUTO_VIEW view = {0};
	view_open(d->store, &view);
	const struct account *account =
		account_find_by_domain(view.tables, DOMAIN_DEFAULT, str_from(account_name));
	const struct client_env all = {
		.endpoint = str_from(member(env->value, "endpoint_url")),
		.region = str_from(member(env->value, "region")),
		.ca = d->settings.tls_certificate,
		.user = str_from(account_name),
		.user_domain = STR("Default"),
		.password = dev_of(d)->password,
		.project = str_from(account_name),
		.project_domain = STR("Default"),
		.project_id = account ? str_encode_hex(d->arena, account->row.id.b, sizeof(uuid)) : STR_NONE,
		.project_uuid = account ? uuid_to_str(d->arena, account->row.id) : STR_NONE,
		.tenant = uuid_to_str(d->arena, DOMAIN_DEFAULT),
		.key_id = str_from(member(env->value, "access_key_id")),
		.key_secret = str_from(member(env->value, "secret_access_key"))};
	printf("# openstack; \"%s\" with the password %" STR_FMT
	       " manages the region, in the project \"%s\"\n# and without OS_PROJECT_ID:\n\n",
	       admin_name, STR_ARG(dev_of(d)->admin_password), admin_name);
	print_client("openstack", &all);
	printf("# CloudStack's clients:\n\n");
	print_client("cloudstack", &all);
	if (dev_of(d)->wish->has_tls) {
		printf("# Azure's SDKs (their tokens need TLS):\n\n");
		print_client("azure", &all);
	}
}

static void print_all(struct daemon *d, const struct command_call *env, uint16_t metadata_port)
{
	const struct settings *s = &d->settings;
	printf("A simulated region with %lld hosts. No guest runs, and nothing outside this process "
	       "changes.\n"
	       "Its files are in %.*s%s\n\n",
	       (long long) dev_of(d)->wish->host_count, STR_ARG(s->data_directory),
	       dev_of(d)->is_temporary ? " until it ends." : ".");
	struct str image = first_image(d), link = first_link(d);
	if (link.n)
		printf("In a browser, once and without a password (`dari console` prints another "
		       "link):\n\n%.*s\n\n"
		       "The link opens the account %s. The administrator's pages (region, users, policies) "
		       "belong "
		       "to the account %s:\nswitch accounts in the user menu, or open the link that `dari "
		       "console` prints.\n\n",
		       STR_ARG(link), account_name, admin_name);
	printf("For a shell:\n\n%.*s"
	       "export DARI_CONFIG=%.*s/dev.yaml   # dari host list, dari explain ID, …\n\n",
	       (int) env->text.size, env->text.p, STR_ARG(s->data_directory));
	print_clients(d, env);
	if (dev_of(d)->wish->has_tls)
		printf("# az, as a service principal with the same key (Debian 12's az, 2.45, registers "
		       "with\n"
		       "# --profile 2020-09-01-hybrid besides):\n\n"
		       "az cloud register -n Dari --endpoint-resource-manager %s\n"
		       "az cloud set -n Dari\n"
		       "az login --service-principal --tenant %s -u \"$AWS_ACCESS_KEY_ID\" -p "
		       "\"$AWS_SECRET_ACCESS_KEY\"\n\n",
		       member(env->value, "endpoint_url"), uuid_to_str(d->arena, DOMAIN_DEFAULT).p);
	printf("# metadata as an instance's guest reads it: curl "
	       "http://127.0.0.1:%u/INSTANCE-ID/latest/meta-data/\n\n",
	       metadata_port);
	printf("For Python:\n\n"
	       "import boto3\n"
	       "ec2 = boto3.client(\"ec2\", endpoint_url=\"%s\", region_name=\"%s\",\n"
	       "                   aws_access_key_id=\"%s\",\n"
	       "                   aws_secret_access_key=\"%s\")\n\n",
	       member(env->value, "endpoint_url"), member(env->value, "region"),
	       member(env->value, "access_key_id"), member(env->value, "secret_access_key"));
	printf("Then: aws ec2 run-instances --image-id %.*s --instance-type t3.micro\n"
	       "Ready; Ctrl-C ends it.\n",
	       STR_ARG(image));
	(void) fflush(stdout); /* a parent process reads it from a pipe */
}

static RESULT dev_started(struct daemon *d)
{
	TRY(await_hosts(d));
	TRY(write_config(
		d)); /* written last: if a newer program refuses the database, the older one's configuration must remain */
	struct command_call call;
	uint16_t metadata_port = 0;
	command_call_init(&call, d, d->arena);
	call.args = json_pack("{s:s}", "account", account_name);
	struct result r = command_find(STR("env"))->run(&call);
	if (result_is_ok(r))
		r = listen_for_guests(d, &metadata_port);
	if (result_is_ok(r))
		print_all(d, &call, metadata_port);
	json_decref(call.args);
	return end_making(d, &call, r);
}

static RESULT dev_follows(struct daemon *d)
{
	TRY(write_config(d));
	printf("This process follows the region's writer, at %" STR_FMT ".\nReady; Ctrl-C ends it.\n",
	       STR_ARG(settings_endpoint(d->arena, &d->settings)));
	(void) fflush(stdout);
	return OK;
}

static void dev_ended(struct daemon *d)
{
	if (dev_of(d)->is_temporary)
		file_remove_tree(str_to_z(d->arena, d->settings.data_directory));
}

static void dev_report_failure(struct daemon *d, struct result result)
{
	struct str words = d->ctx.problem.message;
	fprintf(stderr, "dari dev: %.*s\n", STR_ARG(words.n ? words : str_from(err_meaning(result.code))));
}

int dev_run(const struct dev_wish *wish)
{
	static const struct daemon_role role = {
		.prepare = dev_prepare,
		.open_drivers = dev_open_drivers,
		.started = dev_started,
		.follows = dev_follows,
		.ended = dev_ended,
		.report_failure = dev_report_failure,
	};
	struct dev dev = {.wish = wish};
	return daemon_run(&role, &dev);
}
