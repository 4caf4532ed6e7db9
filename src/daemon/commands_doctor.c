/* SPDX-License-Identifier: Apache-2.0
 * dari doctor: checks each component and gives advice. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/crypto_issue.h"
#include "base/file.h"
#include "daemon/authority.h"
#include "daemon/backup/region_drill.h"
#include "daemon/command.h"
#include "daemon/explain.h"
#include "daemon/follower/follower.h"
#include "drivers/ldap_directory.h"
#include "engine/capacity.h"
#include "engine/licence/compliance.h"
#include "model/states.h"
#include "reconcile/billing/traffic.h"
#include "store/condition.h"
#include "store/domain.h"
#include "store/external_network.h"
#include "store/gateway.h"
#include "store/health.h"
#include "store/host.h"
#include "store/image.h"
#include "store/ledger.h"
#include "store/pool_host.h"
#include "store/snapshot.h"
#include "store/sql.h"
#include "store/storage_pool.h"
#include "store/upgrade.h"

static const int64_t DISK_WARN_BYTES = INT64_C(1) << 30;
enum { LAG_MAX = 1000, CONDITIONS_SHOWN = 10, TRAFFIC_READ_S = 180, CERTIFICATE_CAP = 256 * 1024 };
#define RENEWED_LATE_US (14 * 24 * HOUR)
#define BACKUP_LATE_US (3 * 24 * HOUR) /* a nightly timer that was missed twice */

/* Prints a line: the component, whether it is fine, the finding, and advice if it isn't. */
static void print_finding(struct command_call *call, const char *part, bool fine, struct str found,
			  const char *advice)
{
	buf_print(&call->text, "%s  %-22s %" STR_FMT "\n", fine ? "ok" : "!!", part, STR_ARG(found));
	if (!fine)
		buf_print(&call->text, "      %s\n", advice);
	if (!fine)
		call->status = 1;
	(void) json_array_append_new(call->value, json_pack("{s:s, s:b, s:s%, s:s}", "part", part, "ok",
							    (int) fine, "found", found.p ? found.p : "",
							    found.n, "advice", fine ? "" : advice));
}

static void check_store(struct command_call *call)
{
	struct store_figures figures = {0};
	store_read_figures(call->daemon->store, &figures);
	struct result same = store_compare_with_sql(call->daemon->store, &call->ctx);
	int64_t slowest_us = 0, at_us = 0;
	char at[CLOCK_TEXT_SIZE];
	struct str times = STR("none since the start");
	store_read_slowest_commit(call->daemon->store, &slowest_us, &at_us);
	if (at_us)
		times = str_print(call->ctx.arena, "last %.1f ms, slowest since the start %.1f ms (%s)",
				  (double) figures.last_commit_us / 1000, (double) slowest_us / 1000,
				  clock_write_s(at_us, at));
	print_finding(call, "database", result_is_ok(same),
		      result_is_ok(same)
			      ? str_print(call->ctx.arena, "%zu rows, commit %llu; commits: %" STR_FMT,
					  figures.rows, (unsigned long long) figures.commit, STR_ARG(times))
			      : call->ctx.problem.message,
		      same.code == ERR_CONFLICT
			      ? "Memory and the database differ: keep a copy of the database, restart dari, "
				"and report it."
		      : same.code == ERR_STATE
			      ? "No change is taken meanwhile, or none of these rows. docs/postgresql.md, "
				"\"When something "
				"fails\", and docs/operations.md, \"A damaged database\", say what to do."
			      : "They could not be compared: the line of the database file says what to do.");
	ctx_clear_problem(&call->ctx);
}

static void check_database_file(struct command_call *call)
{
	struct result found = store_find_database(call->daemon->store, &call->ctx);
	bool is_server = sql_is_url(call->daemon->settings.store);
	const char *path =
		is_server ? "PostgreSQL" : settings_store(call->ctx.arena, &call->daemon->settings);
	print_finding(call, "database file", result_is_ok(found),
		      result_is_ok(found) ? str_from(path) : call->ctx.problem.message,
		      is_server ? "No change is taken, what is there can be read. Changes are taken again "
				  "once the database "
				  "answers; docs/postgresql.md, \"When something fails\", says what to do."
				: "No change is taken, what is there can be read. Move the same files back, "
				  "and changes are "
				  "taken "
				  "again; docs/operations.md, \"Backup\", says what to do when they were "
				  "removed or replaced.");
	ctx_clear_problem(&call->ctx);
}

static void check_pages(struct command_call *call)
{
	bool is_server = sql_is_url(call->daemon->settings.store);
	struct result whole = store_check_database(call->daemon->store, &call->ctx);
	print_finding(
		call, is_server ? "database server" : "database structure", result_is_ok(whole),
		!result_is_ok(whole) ? call->ctx.problem.message
		: is_server          ? STR("keeps confirmed changes")
				     : STR("whole"),
		is_server ? "docs/postgresql.md, \"Preparing the server\", lists the settings."
			  : "Keep all older backups. `dari store rescue FILE` saves what memory still holds; "
			    "docs/operations.md, \"A damaged database\", has the steps.");
	ctx_clear_problem(&call->ctx);
}

static void check_disk(struct command_call *call)
{
	struct statvfs fs = {0};
	const char *path = str_to_z(call->ctx.arena, call->daemon->settings.data_directory);
	bool read = statvfs(path, &fs) == 0;
	int64_t left = read ? (int64_t) fs.f_bavail * (int64_t) fs.f_frsize : 0;
	print_finding(call, "data directory", read && left > DISK_WARN_BYTES,
		      str_print(call->ctx.arena, "%s: %lld MiB free", path, (long long) (left >> 20)),
		      sql_is_url(call->daemon->settings.store)
			      ? "Make room: without it images, attachments and downloads are refused."
			      : "Make room: without it no change can be committed.");
}

/* The operator may permit group access to the directory, but never to the key. */
static void check_mode(struct command_call *call, const char *part, const char *path, mode_t forbidden,
		       const char *advice)
{
	struct stat seen = {0};
	bool fine = stat(path, &seen) == 0 && !(seen.st_mode & forbidden);
	print_finding(call, part, fine,
		      str_print(call->ctx.arena, "%s, mode %04o", path, (unsigned) (seen.st_mode & 07777)),
		      advice);
}

static void check_master_key(struct command_call *call)
{
	struct arena *a = call->ctx.arena;
	const struct settings *s = &call->daemon->settings;
	const char *path = settings_path(a, s, "master.key");
	print_finding(
		call, "master key", file_exists(path), str_from(path),
		"The file is gone while the server still holds the key: put the copy back before you restart "
		"it.");
	if (file_exists(path))
		check_mode(
			call, "master key's mode", path, 0077,
			"Others can read the key that seals all secrets: chmod 600, and rotate the secrets "
			"if others use this machine.");
	check_mode(call, "data directory's mode", str_to_z(a, s->data_directory), 0022,
		   "Others can replace the database and the master key: chmod 750.");
}

/* A region that was never backed up with `dari backup` here says nothing. */
static void check_backups(struct command_call *call)
{
	static const char *const words[DRILL_PARTS] = {
		[DRILL_BACKUP] = "region backup", [DRILL_PROOF] = "proof of the backup"};
	struct region_drill drill;
	struct result read = region_drill_read(&call->ctx, &call->daemon->settings, &drill);
	ctx_clear_problem(&call->ctx);
	for (enum region_drill_part part = 0; part < DRILL_PARTS && result_is_ok(read); part++) {
		int64_t done_us = drill.parts[part].done_us, failed_us = drill.parts[part].failed_us;
		char done[CLOCK_TEXT_SIZE], failed[CLOCK_TEXT_SIZE];
		bool is_late = done_us && clock_now_us() - done_us > BACKUP_LATE_US;
		clock_write_s(done_us, done);
		clock_write_s(failed_us, failed);
		if (!done_us && !failed_us)
			continue;
		print_finding(
			call, words[part], !drill.parts[part].why.n && !is_late,
			drill.parts[part].why.n
				? str_print(call->ctx.arena, "failed %s: %" STR_FMT "; last success: %s",
					    failed, STR_ARG(drill.parts[part].why), done_us ? done : "none")
				: str_print(call->ctx.arena, "%s%s", done, is_late ? ", long ago" : ""),
			drill.parts[part].why.n
				? "Put right what the message says, and run `dari backup` again (systemctl "
				  "start dari-backup). Keep the older backups."
				: "Look whether the timer runs: systemctl list-timers dari-backup.");
	}
}

static void check_qemu_img(struct command_call *call)
{
	const char *argv[] = {"qemu-img", "--version", NULL};
	struct child child = {.argv = argv, .timeout_us = 10 * SECOND};
	struct child_end end = {0};
	bool fine = result_is_ok(child_run(&call->ctx, &child, &end)) && end.status == 0;
	struct str line = STR_NONE;
	(void) str_split_next(&end.out, '\n', &line);
	print_finding(call, "qemu-img", fine, fine ? line : STR("not there"),
		      "apt install qemu-utils: images are checked with it.");
	ctx_clear_problem(&call->ctx);
}

/* ---- the network, looked at from its own actor ---- */

struct network_look {
	struct network_observation observation;
	struct network_health health;
	pthread_mutex_t lock; /* guards has_ended; health is the actor's before, the waiter's after */
	pthread_cond_t ended;
	bool has_ended;
};

static RESULT look_at_network(struct network_observation *o, const struct network_handle *network)
{
	struct network_look *look = o->arg;
	return network->driver->see(network->self, o->ctx, &look->health);
}

static void network_looked_at(struct network_observation *o, struct result result)
{
	struct network_look *look = o->arg;
	(void) pthread_mutex_lock(&look->lock);
	look->health.connected = look->health.connected && result_is_ok(result);
	look->has_ended = true;
	(void) pthread_cond_signal(&look->ended);
	(void) pthread_mutex_unlock(&look->lock);
}

static struct network_health see_network(struct command_call *call)
{
	struct network_look look = {.lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};
	look.observation = (struct network_observation){
		.ctx = &call->ctx, .look = look_at_network, .done = network_looked_at, .arg = &look};
	reconciler_observe_network(call->daemon->reconciler, &look.observation);
	(void) pthread_mutex_lock(&look.lock);
	while (!look.has_ended)
		(void) pthread_cond_wait(&look.ended, &look.lock);
	(void) pthread_mutex_unlock(&look.lock);
	ctx_clear_problem(&call->ctx);
	return look.health;
}

static void check_network(struct command_call *call)
{
	struct network_health health = see_network(call);
	print_finding(call, "OVN northbound", health.connected, call->daemon->settings.ovn_northbound,
		      str_print(call->ctx.arena,
				"See that OVN's central databases run (apt install ovn-central) and that "
				"ovn.northbound names them: %" STR_FMT,
				STR_ARG(health.problem))
			      .p);
	print_finding(call, "ovn-northd", health.connected && health.lag <= 1,
		      str_print(call->ctx.arena, "%lld changes behind", (long long) health.lag),
		      "ovn-northd does not keep up or does not run: systemctl status ovn-central.");
}

/* Reports the fencing of a silent host. */
static void tell_fence(struct command_call *call, const struct tables *t, const struct host *h)
{
	const struct condition *c = condition_first_by_subject(t, h->row.id);
	while (c && !str_starts_with(c->name, STR("Fenc")))
		c = condition_next_by_subject(t, c);
	if (c)
		buf_print(&call->text, "      %" STR_FMT "\n", STR_ARG(c->message));
	else if (!h->fence_command.n)
		buf_print(&call->text,
			  "      nothing can turn it off (dari host set-fence): its guests are not started "
			  "elsewhere without your word\n");
}

static void check_hosts(struct command_call *call, const struct tables *t)
{
	size_t count = 0;
	for (const struct host *h = host_first(t); h; h = host_next(t, h)) {
		count++;
		bool up = h->seen_state == HOST_SEEN_STATE_UP;
		print_finding(call, str_print(call->ctx.arena, "host %" STR_FMT, STR_ARG(h->name)).p, up,
			      str_print(call->ctx.arena, "%s, %s, %" STR_FMT,
					host_seen_state_words[h->seen_state],
					host_seen_virt_words[h->seen_virt], STR_ARG(h->seen_version)),
			      "See that libvirtd runs there and that its address is right; its guests go on "
			      "meanwhile.");
		if (!up)
			tell_fence(call, t, h);
		if (up && h->seen_virt != HOST_SEEN_VIRT_KVM)
			buf_print(&call->text, "      without KVM its guests are emulated (TCG) and slow\n");
	}
	if (count == 0)
		print_finding(call, "hosts", false, STR("none"), "dari host add root@ADDRESS --as NAME");
}

static void check_pools(struct command_call *call, const struct tables *t)
{
	for (const struct storage_pool *p = storage_pool_first(t); p; p = storage_pool_next(t, p)) {
		size_t hosts = 0, proven = 0;
		struct str unproven = STR_NONE;
		struct cached_images cached =
			reconciler_read_cached_images(call->daemon->reconciler, p->row.id);
		for (const struct pool_host *at = pool_host_first_by_pool(t, p->row.id); at;
		     at = pool_host_next_by_pool(t, at)) {
			const struct host *h = host_find(t, at->host);
			hosts++;
			proven += at->seen_state == POOL_HOST_SEEN_STATE_PROVEN;
			if (h && at->seen_state == POOL_HOST_SEEN_STATE_UNPROVEN)
				unproven = str_print(call->ctx.arena, "%" STR_FMT " %" STR_FMT,
						     STR_ARG(unproven), STR_ARG(h->name));
		}
		bool is_ceph = p->kind == STORAGE_POOL_KIND_RBD;
		bool is_away = is_ceph && p->seen_state != STORAGE_POOL_SEEN_STATE_UP;
		print_finding(
			call, str_print(call->ctx.arena, "storage pool %" STR_FMT, STR_ARG(p->name)).p,
			hosts > 0 && unproven.n == 0 && !is_away,
			str_print(call->ctx.arena,
				  "%s%" STR_FMT "%s, %s by %zu of %zu hosts%s%" STR_FMT
				  "; %lld MiB of cached images, %lld of them unneeded",
				  is_ceph ? "Ceph's pool " : "", STR_ARG(is_ceph ? p->rbd_pool : p->path),
				  is_away ? ", which does not answer" : "",
				  is_ceph ? "known" : "proven to be seen", proven, hosts,
				  unproven.n ? ", not by" : "", STR_ARG(unproven),
				  (long long) (cached.images >> 20), (long long) (cached.unneeded >> 20)),
			is_ceph ? "See that Ceph is well, that this machine reaches it, and that each host "
				  "takes its "
				  "key: `dari explain` of the pool and of its hosts says more."
				: "Mount the same directory there on each of them: a file that one host "
				  "makes must be "
				  "seen by the others. Nothing is placed there through a host without that "
				  "proof.");
	}
}

/* Half a year is enough for two renewals of every host. */
static void check_authority(struct command_call *call)
{
	static const int64_t ENOUGH_US = INT64_C(183) * 24 * HOUR;
	struct str pem = STR_NONE;
	int64_t from_us = 0, until_us = 0;
	char until[CLOCK_TEXT_SIZE];
	if (result_is_ok(authority_read_certificate(&call->ctx, &call->daemon->settings, &pem)) &&
	    result_is_ok(crypto_read_validity(&call->ctx, pem, &from_us, &until_us)))
		print_finding(call, "host authority", until_us - clock_now_us() > ENOUGH_US,
			      str_print(call->ctx.arena, "until %s", clock_write_s(until_us, until)),
			      "dari host replace-authority, and then dari host renew --all.");
	ctx_clear_problem(&call->ctx);
}

/* Warns late enough that an ACME client, which renews a month ahead, has failed several times. */
static void check_api_certificate(struct command_call *call)
{
	struct str pem = STR_NONE, path = call->daemon->settings.tls_certificate;
	int64_t from_us = 0, until_us = 0;
	char until[CLOCK_TEXT_SIZE];
	if (!path.n)
		return;
	struct result read = file_read(&call->ctx, str_to_z(call->ctx.arena, path), CERTIFICATE_CAP, &pem);
	if (result_is_ok(read))
		read = crypto_read_validity(&call->ctx, pem, &from_us, &until_us);
	bool is_read = result_is_ok(read);
	print_finding(
		call, "API certificate", is_read && until_us - clock_now_us() > RENEWED_LATE_US,
		is_read ? str_print(call->ctx.arena, "%" STR_FMT ", until %s", STR_ARG(path),
				    clock_write_s(until_us, until))
			: call->ctx.problem.message,
		"Renew it (docs/production.md), then systemctl reload dari: clients refuse one that has "
		"ended.");
	ctx_clear_problem(&call->ctx);
}

/* Checks certificates of hosts added by dari host add root@… */
static void check_certificates(struct command_call *call, const struct tables *t)
{
	const struct settings *s = &call->daemon->settings;
	struct authority_host one = {0}, first = {0};
	size_t count = 0, behind = 0;
	for (const struct host *h = host_first(t); h; h = host_next(t, h)) {
		if (!result_is_ok(authority_find_host(&call->ctx, s, h->name, &one)))
			continue;
		behind += one.is_behind;
		if (count++ == 0 || one.until_us < first.until_us)
			first = one;
	}
	ctx_clear_problem(&call->ctx);
	if (count == 0)
		return;
	char until[CLOCK_TEXT_SIZE];
	print_finding(call, "host certificates", !authority_is_due(&first) && behind == 0,
		      str_print(call->ctx.arena,
				"%zu, %zu of them of before the authority's replacement; the first to end is "
				"that of %" STR_FMT ": %s",
				count, behind, STR_ARG(first.name), clock_write_s(first.until_us, until)),
		      "dari host renew --all, where you have ssh to the hosts. libvirt refuses one that has "
		      "ended.");
}

static void check_external(struct command_call *call, const struct tables *t)
{
	size_t count = tables_count(t, KIND_EXTERNAL_NETWORK);
	print_finding(call, "external network", count > 0, str_print(call->ctx.arena, "%zu", count),
		      "dari network add-external NAME …: without one no instance reaches the outside.");
}

/* Asks the directory as its searching account. Nobody signs in by it where the region lacks its domain. */
static void check_directory(struct command_call *call)
{
	const struct login_directory *d = &call->daemon->settings.directory;
	AUTO_VIEW view = {0};
	if (!d->ldap.url.n)
		return;
	struct result asked = ldap_directory_check(&call->ctx, &d->ldap);
	struct str found = result_is_ok(asked) ? d->ldap.url : call->ctx.problem.message;
	view_open(call->daemon->store, &view);
	bool has_domain = domain_find_by_name(view.tables, d->domain) != NULL;
	if (!has_domain)
		found = str_print(call->ctx.arena, "there is no domain %" STR_FMT, STR_ARG(d->domain));
	print_finding(call, "directory", result_is_ok(asked) && has_domain, found,
		      "Its people cannot sign in: see the keys directory.… of the configuration file.");
	ctx_clear_problem(&call->ctx);
}

/* ---- capacities ---- */

enum { SWEEP_STEP = 1000 }; /* resources examined in one view */

static void print_capacity(struct command_call *call, enum capacity c, const struct capacity_use *use,
			   struct str of)
{
	struct arena *a = call->ctx.arena;
	const struct capacity_info *info = &engine_capacities[c];
	struct str words = engine_write_capacity(a, c, use);
	if (use->all)
		print_finding(call, info->name, !engine_is_running_out(use),
			      of.n ? str_print(a, "%" STR_FMT ": %" STR_FMT, STR_ARG(of), STR_ARG(words))
				   : words,
			      info->advice);
}

/* Checks a capacity that each external network has, for all of them. */
static void check_outside(struct command_call *call, enum capacity c)
{
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	const struct external_network *n = external_network_first(view.tables);
	for (; n; n = external_network_next(view.tables, n)) {
		struct capacity_use use;
		engine_read_capacity(view.tables, c, &n->row, &use);
		if (row_is_live(&n->row))
			print_capacity(call, c, &use, n->name);
	}
}

/* Checks a capacity that each network or VPC has, and reports the fullest one. */
static void check_fullest(struct command_call *call, enum capacity c)
{
	struct capacity_sweep sweep = {0};
	for (bool ended = false; !ended;) {
		AUTO_VIEW view = {0};
		view_open(call->daemon->store, &view);
		ended = engine_sweep_capacity(view.tables, c, SWEEP_STEP, &sweep);
	}
	const struct capacity_use *use = engine_get_fullest(&sweep);
	char id[UUID_TEXT_SIZE];
	print_capacity(call, c, use, uuid_is_none(use->of) ? STR_NONE : str_from(uuid_write(use->of, id)));
}

static void check_capacities(struct command_call *call)
{
	for (enum capacity c = 0; c < CAPACITY_COUNT; c++)
		if (engine_capacities[c].of == KIND_EXTERNAL_NETWORK)
			check_outside(call, c);
		else
			check_fullest(call, c);
}

static void check_gateways(struct command_call *call, const struct tables *t)
{
	size_t count = 0;
	const struct gateway *g = gateway_first_by_external_network(t, UUID_NONE);
	for (; g; g = gateway_next_by_external_network(t, g))
		count += !uuid_is_none(g->router);
	if (count > 0)
		print_finding(
			call, "internet gateways", false,
			str_print(call->ctx.arena, "%zu attached, but without an external network", count),
			"dari network add-external, or set-gateway-range: Dari then connects them.");
}

static void check_images(struct command_call *call, const struct tables *t)
{
	size_t count = 0;
	for (const struct image *i = image_first(t); i; i = image_next(t, i))
		count += row_is_live(&i->row);
	print_finding(call, "images", count > 0, str_print(call->ctx.arena, "%zu", count),
		      "dari image import FILE");
}

static void check_snapshots(struct command_call *call, const struct tables *t)
{
	for (const struct snapshot *s = snapshot_first(t); s; s = snapshot_next(t, s)) {
		if (model_derive_snapshot_state(s) != SNAPSHOT_COMPLETED)
			continue;
		struct str path = str_print(call->ctx.arena, "%s/%" STR_FMT ".qcow2",
					    settings_path(call->ctx.arena, &call->daemon->settings, "images"),
					    STR_ARG(s->sha256));
		struct str id = id_to_ec2(call->ctx.arena, KIND_SNAPSHOT, s->row.id);
		if (!file_exists(path.p))
			print_finding(call, str_print(call->ctx.arena, "snapshot %" STR_FMT, STR_ARG(id)).p,
				      false, path,
				      "Its file is gone; hosts that have it cached still make disks from it. "
				      "Bring it "
				      "back, or import the image again.");
	}
}

/* Lists conditions without counting them as failures: a condition may concern only the user (e.g. a guest
 * that powered itself off). */
static void list_conditions(struct command_call *call, const struct tables *t)
{
	struct arena *a = call->ctx.arena;
	struct str list = STR_NONE;
	size_t count = 0;
	for (const struct condition *c = condition_first(t); c; c = condition_next(t, c)) {
		if (!row_is_live(&c->row) || count++ >= CONDITIONS_SHOWN)
			continue;
		struct str of = explain_name_row(a, t, (enum kind) c->subject_kind, c->subject);
		list = str_print(a, "%" STR_FMT "%s%" STR_FMT " of %" STR_FMT, STR_ARG(list),
				 list.n ? ", " : "", STR_ARG(c->name), STR_ARG(of));
	}
	if (count > 0)
		list = str_print(a, "%zu, which `dari explain` explains: %" STR_FMT "%s", count,
				 STR_ARG(list), count > CONDITIONS_SHOWN ? ", …" : "");
	print_finding(call, "conditions", true, count > 0 ? list : STR("none"), "");
}

/* Checks traffic counters, because unreadable ones would silently stop billing. */
static void check_traffic(struct command_call *call)
{
	struct traffic_state state;
	reconciler_read_traffic(call->daemon->reconciler, &state);
	bool is_read = state.read_us && clock_now_us() - state.read_us < TRAFFIC_READ_S * SECOND;
	struct str device = call->daemon->settings.traffic_device;
	struct str words = !state.is_configured ? STR("is not counted and not billed")
			   : is_read
				   ? str_print(call->ctx.arena, "of %zu addresses is counted at %" STR_FMT,
					       state.count, STR_ARG(device))
				   : str_print(call->ctx.arena, "is not counted: %" STR_FMT " cannot be read",
					       STR_ARG(device));
	print_finding(call, "traffic", !state.is_configured || is_read, words,
		      "The server's log says what nft said (kind=external_network). nftables has to be "
		      "installed, and "
		      "metering.uplink to name a device that is there.");
}

static void check_metering(struct command_call *call)
{
	int64_t behind_us = 0, ahead_us = 0;
	store_read_clock(call->daemon->store, &behind_us, &ahead_us);
	print_finding(call, "billing clock", !behind_us && !ahead_us,
		      behind_us ? str_print(call->ctx.arena, "%lld s behind the last record of the usage log",
					    (long long) (behind_us / SECOND))
		      : ahead_us ? str_print(call->ctx.arena, "leapt ahead by %lld s; Dari does not trust it",
					     (long long) (ahead_us / SECOND))
				 : STR("agrees with the usage log"),
		      "Set the clock right. If it is right now: dari bill confirm-clock (a clock behind the "
		      "log only has to "
		      "catch up).");
	check_traffic(call);
}

/* Checks licences by conditions; overuse doesn't block anything. */
static void check_licences(struct command_call *call, const struct tables *t)
{
	size_t count = 0;
	const struct condition *worst = NULL;
	for (const struct condition *c = condition_first(t); c; c = condition_next(t, c))
		if (row_is_live(&c->row) && str_starts_with(c->name, STR(LICENCES_OVER)) && !count++)
			worst = c;
	char since[CLOCK_TEXT_SIZE];
	print_finding(
		call, "licences", count == 0,
		worst ? str_print(call->ctx.arena, "%" STR_FMT " Since %s.", STR_ARG(worst->message),
				  clock_write_s(worst->row.created_us, since))
		      : STR("none is over"),
		"`dari subscriptions` names all guests. Turn some off, convert them, or write down what was "
		"bought.");
}

static void check_role(struct command_call *call)
{
	struct follower_state state;
	follower_read_state(call->daemon, call->ctx.arena, &state);
	bool may_act = state.is_writer && state.is_shared && writer_may_act(call->daemon);
	if (!state.is_shared)
		return;
	struct str found =
		state.is_writer
			? str_print(call->ctx.arena, "this process, epoch %" PRId64 "%s", state.epoch,
				    may_act ? "" : "; it calls no host, because its lease is not renewed")
			: str_print(call->ctx.arena,
				    "%" STR_FMT ", epoch %" PRId64 "; this process follows, %" PRIu64
				    " commits behind",
				    STR_ARG(state.writer), state.epoch, state.lag);
	print_finding(call, "writer",
		      state.is_writer ? may_act : state.lag < LAG_MAX && !state.is_address_ours, found,
		      state.is_writer
			      ? "It does so in its first three seconds. Otherwise the database does not "
				"answer, or its table "
				"writer_lease cannot be changed: restart dari, which makes the table again."
		      : state.is_address_ours ? "The writer is another process, and its store_peer is this "
						"machine's: calls that are passed on "
						"to it come here and are refused. Set store_peer on each "
						"machine to its own URL, and restart "
						"dari there."
					      : "The database answers slowly, or this machine is overloaded: "
						"reads here are not up to date.");
}

/* An unconfirmed upgrade is no fault, but somebody has to end it. */
static void check_level(struct command_call *call)
{
	struct upgrade upgrade;
	struct result known = store_read_upgrade(call->daemon->store, &call->ctx, &upgrade);
	struct str why = str_copy(call->ctx.arena, call->ctx.problem.message);
	ctx_clear_problem(&call->ctx);
	size_t others = 0;
	for (size_t n = 0; n < upgrade.programs.count; n++)
		others += !upgrade.programs.at[n].is_level;
	struct str found = upgrade.is_confirmed
				   ? STR("this version's")
				   : str_print(call->ctx.arena,
					       "that of a former version, %u kinds, %u fields and %u words "
					       "are not in use yet: "
					       "`dari upgrade show`, then `dari upgrade confirm`",
					       upgrade.kind_count, upgrade.field_count, upgrade.word_count);
	if (others)
		found = str_print(call->ctx.arena, "%" STR_FMT "; connections of other versions: %zu",
				  STR_ARG(found), others);
	print_finding(call, "schema level", result_is_ok(known), result_is_ok(known) ? found : why,
		      "The database does not answer: docs/postgresql.md, \"When something fails\".");
}

static RESULT doctor(struct command_call *call)
{
	call->value = json_array();
	check_database_file(call);
	check_role(call);
	if (call->daemon->follower) { /* the writer checks the region */
		check_disk(call);
		check_master_key(call);
		check_backups(call);
		return OK;
	}
	check_store(call);
	check_level(call);
	check_pages(call);
	check_disk(call);
	check_master_key(call);
	check_backups(call);
	check_qemu_img(call);
	check_network(call);
	check_directory(call);
	check_capacities(call);
	check_metering(call);
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	check_hosts(call, view.tables);
	check_pools(call, view.tables);
	check_api_certificate(call);
	check_authority(call);
	check_certificates(call, view.tables);
	check_external(call, view.tables);
	check_gateways(call, view.tables);
	check_images(call, view.tables);
	check_snapshots(call, view.tables);
	check_licences(call, view.tables);
	list_conditions(call, view.tables);
	struct reconcile_figures rec = {0};
	reconciler_read_figures(call->daemon->reconciler, &rec);
	print_finding(
		call, "reconciler", rec.failing == 0,
		str_print(call->ctx.arena, "%zu waiting, %zu failing", rec.waiting, rec.failing),
		"Some resource cannot be brought to what is wanted: see the conditions above, or the log "
		"(event=step-failed), and ask `dari explain ID`.");
	return OK;
}

const struct command doctor_commands[] = {
	{"doctor",
	 "Checks each part and prints what to do; exit status 1 if a check fails.",
	 {{0}},
	 .run = doctor,
	 .is_anywhere = true},
	{0},
};
