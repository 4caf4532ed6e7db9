/* SPDX-License-Identifier: Apache-2.0
 * Live migration from one host to another, as "managed direct" migration: this process talks to both
 * libvirts, and the hosts need no access to each other's. If this process ends, libvirt aborts the migration.
 * The migration call blocks for the entire transfer, so it has a thread of its own; the calling thread
 * monitors it through another connection, because the first is busy. */
#include <inttypes.h>
#include <libvirt/libvirt-qemu.h>
#include <signal.h>
#include <stdio.h>

#include "base/clock.h"
#include "drivers/libvirt/host.h"
#include "model/host.h"

enum {
	STUCK_S = 15,
	ERROR_SIZE = 512,
	WORDS_SIZE = 256,
	DRIVE_MAX_SIZE = 4 << 20,
	ITERATIONS = 5,
	QEMU_9 = 9000000
};
static const int64_t pauses_ms[] = {300, 500, 1000}; /* the first is QEMU's default */
static const int64_t LOOK_US = SECOND / 2; /* between two readings of the progress; the end is signalled */

/* ---- looking */

/* True for a guest that was paused before migration: QEMU reports "paused" until everything is sent, then
 * "postmigrate". Source: QEMU's QMP reference, query-status and RunState. */
static bool is_unsent(virDomainPtr d)
{
	AUTO_TEXT reply = NULL;
	return virDomainQemuMonitorCommand(d, "{\"execute\":\"query-status\"}", &reply, 0) == 0 &&
	       strstr(reply, "\"status\":\"paused\"");
}

RESULT libvirt_see_end(struct compute_host *h, struct ctx *c, uuid id, struct compute_end_seen *ret_seen)
{
	AUTO_DOMAIN d = NULL;
	int state = 0, reason = 0;
	virDomainJobInfo job = {0};
	*ret_seen = (struct compute_end_seen){.end = COMPUTE_END_ABSENT};
	TRY(libvirt_check_alive(h, c));
	TRY(libvirt_find_domain(h, c, id, &d, NULL));
	if (!d)
		return OK;
	if (virDomainGetState(d, &state, &reason, 0) != 0)
		return libvirt_error_is(VIR_ERR_NO_DOMAIN) ? OK : libvirt_fail(h, c, "looking at a domain");
	bool is_held = state == VIR_DOMAIN_PAUSED &&
		       (reason == VIR_DOMAIN_PAUSED_MIGRATION || reason == VIR_DOMAIN_PAUSED_STARTING_UP ||
			reason == VIR_DOMAIN_PAUSED_USER); /* hold_still() */
	ret_seen->end = libvirt_power_of(state) == INSTANCE_SEEN_POWER_OFF ? COMPUTE_END_OFF
			: is_held                                          ? COMPUTE_END_HELD
									   : COMPUTE_END_RUNS;
	ret_seen->is_busy = virDomainIsActive(d) == 1 && virDomainGetJobInfo(d, &job) == 0 &&
			    job.type != VIR_DOMAIN_JOB_NONE;
	ret_seen->is_unsent =
		is_held && reason == VIR_DOMAIN_PAUSED_USER && !ret_seen->is_busy && is_unsent(d);
	return OK;
}

/* ---- what it needs over there */

static RESULT check_fits(struct compute_host *h, struct ctx *c, virDomainPtr d, struct compute_host *to)
{
	TRY(libvirt_need_virt(h, c));
	TRY(libvirt_need_virt(to, c));
	if (h->virt == to->virt && strcmp(h->own_path, to->own_path) == 0)
		return libvirt_check_processor(h, c, d, to);
	return ctx_fail(c, ERR_UNSUPPORTED,
			"host %s differs from host %s in its virtualization, or in the path of its pool",
			to->name, h->name);
}

/* Copies the config drive as the guest has it; the database rows may have changed since. */
static RESULT carry_drive(struct compute_host *h, struct ctx *c, struct compute_host *to, uuid id)
{
	AUTO_VOLUME v = NULL;
	int64_t size = 0;
	struct str bytes = STR_NONE;
	TRY(libvirt_need_pools(h, c));
	TRY(libvirt_find_volume(h, c, h->pool, libvirt_drive_name(c->arena, h->region, id), &v));
	if (!v)
		return ctx_fail(c, ERR_IO, "the guest's config drive is missing on host %s", h->name);
	TRY(libvirt_find_file_size(h, c, v, &size));
	if (size > DRIVE_MAX_SIZE)
		return ctx_fail(c, ERR_IO, "the guest's config drive on host %s is too large", h->name);
	TRY(libvirt_download(h, c, v, 0, (size_t) size, &bytes));
	return libvirt_make_drive_of(to, c, id, bytes);
}

/* libvirt's checkpoint metadata prevents migration. It is recreated before use (dirty_bitmap.c). */
static RESULT drop_notes(struct compute_host *h, struct ctx *c, virDomainPtr d)
{
	virDomainCheckpointPtr *all = NULL;
	int count = virDomainListAllCheckpoints(d, &all, 0);
	if (count < 0)
		return libvirt_fail(h, c, "listing the checkpoints of domain %s", virDomainGetName(d));
	int left = 0;
	for (int k = 0; k < count; k++) {
		left += virDomainCheckpointDelete(all[k], VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY) != 0;
		virDomainCheckpointFree(all[k]);
	}
	libvirt_autofree_text((char **) &all);
	return left ? libvirt_fail(h, c, "forgetting the checkpoints of domain %s", virDomainGetName(d)) : OK;
}

static RESULT prepare(struct compute_host *h, struct ctx *c, const struct compute_migration *j,
		      virDomainPtr d, struct str variables)
{
	const struct compute_domain *w = j->domain;
	TRY(check_fits(h, c, d, j->to));
	TRY(libvirt_need_pools(j->to, c));
	TRY(libvirt_set_secrets(j->to, c, w));
	if (w->has_drive)
		TRY(carry_drive(h, c, j->to, w->id));
	if (variables.n) /* QEMU overwrites the file with the incoming content */
		TRY(libvirt_drop_variables(j->to, c, variables));
	return drop_notes(h, c, d);
}

/* Pauses an emulated guest during migration. QEMU before 9.0 loses writes of a running guest under TCG: after
 * arrival the guest has stale memory and hangs, or worse. Source: QEMU's commit "physmem: Fix migration dirty
 * bitmap coherency with TCG memory access". */
static RESULT hold_still(struct compute_host *h, struct ctx *c, virDomainPtr d, bool *ret_is_held)
{
	unsigned long version = 0;
	if (virConnectGetVersion(h->conn, &version) != 0)
		return libvirt_fail(h, c, "asking host %s for QEMU's version", h->name);
	*ret_is_held = h->virt != HOST_SEEN_VIRT_KVM && version < QEMU_9;
	if (*ret_is_held && virDomainSuspend(d) != 0)
		return libvirt_fail(h, c, "holding domain %s still", virDomainGetName(d));
	return OK;
}

/* ---- the call, on a thread of its own */

/* QEMU announces the guest's new location when it resumes. This repeats it for about eight seconds, so that
 * all hosts and the switches behind them learn it, however slow they are. Source: QEMU's QMP reference,
 * announce-self (ms). */
static void announce(virDomainPtr d)
{
	static const char words[] = "{\"execute\":\"announce-self\",\"arguments\":"
				    "{\"initial\":50,\"max\":1000,\"rounds\":12,\"step\":150}}";
	AUTO_TEXT reply = NULL;
	(void) virDomainQemuMonitorCommand(d, words, &reply, 0); /* a guest that already ended needs none */
}

static int64_t find_figure(virTypedParameterPtr params, int count, const char *name)
{
	unsigned long long value = 0;
	return virTypedParamsGetULLong(params, count, name, &value) == 1 ? (int64_t) value : 0;
}

/* Reads how long the guest was paused, as measured by the target host. */
static int64_t find_pause(virDomainPtr arrived)
{
	virTypedParameterPtr params = NULL;
	int count = 0, type = 0;
	if (virDomainGetJobStats(arrived, &type, &params, &count, VIR_DOMAIN_JOB_STATS_COMPLETED) != 0)
		return 0;
	int64_t pause_ms = find_figure(params, count, VIR_DOMAIN_JOB_DOWNTIME);
	virTypedParamsFree(params, count);
	return pause_ms;
}

struct sending {
	virDomainPtr domain;
	virConnectPtr to;
	const char *uri;
	int64_t rate; /* MiB/s; 0: unlimited */
	unsigned flags;
	bool is_held;         /* paused by hold_still(), to be resumed on arrival */
	struct strs copied;   /* target names of the disks to copy */
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t ended;
	bool is_over, is_ok;
	int64_t pause_ms;
	char error[ERROR_SIZE];
};

static void *run_sending(void *arg)
{
	struct sending *s = arg;
	virTypedParameterPtr params = NULL;
	int count = 0, room = 0;
	virDomainPtr arrived = NULL;
	pthread_setname_np(pthread_self(), "libvirt-send");
	bool is_ready = virTypedParamsAddString(&params, &count, &room, VIR_MIGRATE_PARAM_URI, s->uri) == 0;
	for (size_t k = 0; k < s->copied.count && is_ready; k++)
		is_ready = virTypedParamsAddString(&params, &count, &room, VIR_MIGRATE_PARAM_MIGRATE_DISKS,
						   s->copied.at[k].p) == 0;
	if (is_ready && s->rate > 0)
		is_ready = virTypedParamsAddULLong(&params, &count, &room, VIR_MIGRATE_PARAM_BANDWIDTH,
						   (unsigned long long) s->rate) == 0;
	if (is_ready)
		arrived = virDomainMigrate3(s->domain, s->to, params, (unsigned) count, s->flags);
	const char *error = arrived ? "" : virGetLastErrorMessage();
	int64_t pause_ms = arrived ? find_pause(arrived) : 0;
	if (arrived && s->is_held)
		(void) virDomainResume(arrived); /* if this fails, the next look at both hosts resumes it */
	pthread_mutex_lock(&s->lock);
	(void) snprintf(s->error, sizeof s->error, "%s", error);
	s->is_ok = arrived != NULL;
	s->pause_ms = pause_ms;
	s->is_over = true;
	pthread_cond_signal(&s->ended);
	pthread_mutex_unlock(&s->lock);
	virTypedParamsFree(params, count);
	if (arrived)
		announce(arrived);
	libvirt_autodrop_domain(&arrived);
	return NULL;
}

static bool start_sending(struct sending *s, pthread_t *ret_thread)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the daemon's main thread */
	bool started = pthread_create(ret_thread, NULL, run_sending, s) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

/* False: it didn't end within this time. */
static bool await_end(struct sending *s, int64_t us)
{
	int64_t at_us = clock_system_us() + us;
	struct timespec until = {.tv_sec = at_us / SECOND, .tv_nsec = at_us % SECOND * 1000};
	pthread_mutex_lock(&s->lock);
	while (!s->is_over && pthread_cond_clockwait(&s->ended, &s->lock, CLOCK_MONOTONIC, &until) == 0)
		;
	bool is_over = s->is_over;
	pthread_mutex_unlock(&s->lock);
	return is_over;
}

/* ---- watching it */

struct watch {
	virConnectPtr conn;
	virDomainPtr domain;
	int64_t moved_us, moved; /* when the progress figures last changed, and their sum then */
	size_t pause;            /* index into pauses_ms of the currently allowed pause */
	int64_t pause_since;     /* memory iteration at which that pause was set */
	int64_t still_us;        /* since when the guest has been paused; 0: it runs */
	bool is_stuck, is_ended;
};

/* Further figures for the monitoring. */
struct pace {
	int64_t iteration;  /* number of passes over memory */
	int64_t dirty_rate; /* bytes per second written by the guest */
	int64_t send_rate;  /* bytes per second sent */
};

/* False: not available. */
static bool read_sent(virDomainPtr d, struct compute_sent *ret_sent, struct pace *ret_pace)
{
	virTypedParameterPtr params = NULL;
	int count = 0, type = 0;
	if (virDomainGetJobStats(d, &type, &params, &count, 0) != 0)
		return false;
	*ret_sent = (struct compute_sent){
		.memory_size = find_figure(params, count, VIR_DOMAIN_JOB_MEMORY_TOTAL),
		.memory_done = find_figure(params, count, VIR_DOMAIN_JOB_MEMORY_PROCESSED),
		.memory_left = find_figure(params, count, VIR_DOMAIN_JOB_MEMORY_REMAINING),
		.disk_size = find_figure(params, count, VIR_DOMAIN_JOB_DISK_TOTAL),
		.disk_done = find_figure(params, count, VIR_DOMAIN_JOB_DISK_PROCESSED),
		.disk_left = find_figure(params, count, VIR_DOMAIN_JOB_DISK_REMAINING),
	};
	*ret_pace = (struct pace){
		.iteration = find_figure(params, count, VIR_DOMAIN_JOB_MEMORY_ITERATION),
		.dirty_rate = find_figure(params, count, VIR_DOMAIN_JOB_MEMORY_DIRTY_RATE) *
			      find_figure(params, count, VIR_DOMAIN_JOB_MEMORY_PAGE_SIZE),
		.send_rate = find_figure(params, count, VIR_DOMAIN_JOB_MEMORY_BPS),
	};
	virTypedParamsFree(params, count);
	return true;
}

/* Allows a longer pause when memory was passed over several times and the remainder still can't be sent
 * within the current one. In addition the guest is throttled (AUTO_CONVERGE), which libvirt can enable only
 * at the start. */
static void allow_longer_pause(struct watch *w, const struct compute_sent *sent, const struct pace *pace)
{
	bool is_last = w->pause + 1 == sizeof pauses_ms / sizeof pauses_ms[0];
	bool had_time = pace->iteration >= w->pause_since + ITERATIONS;
	bool converges = sent->memory_left <= pace->send_rate / 1000 * pauses_ms[w->pause];
	if (is_last || !had_time || converges || pace->dirty_rate == 0)
		return;
	if (virDomainMigrateSetMaxDowntime(w->domain, (unsigned long long) pauses_ms[w->pause + 1], 0) != 0)
		return; /* it ended, or a later call retries */
	w->pause++;
	w->pause_since = pace->iteration;
}

/* Closes the connections that disks are copied over. If the target lost power, they would otherwise stay open
 * for a quarter of an hour. QEMU, once it aborts the migration, waits for outstanding requests on them with
 * its guest paused. The names are those of libvirt's block nodes. Source: QEMU's QMP reference, yank. */
static void cut_copies(virDomainPtr d, const struct strs *copied)
{
	for (size_t k = 0; k < copied->count; k++) {
		char words[WORDS_SIZE];
		AUTO_TEXT reply = NULL;
		(void) snprintf(
			words, sizeof words,
			"{\"execute\":\"yank\",\"arguments\":{\"instances\":[{\"type\":\"block-node\","
			"\"node-name\":\"migration-%" STR_FMT "-storage\"}]}}",
			STR_ARG(copied->at[k]));
		(void) virDomainQemuMonitorCommand(d, words, &reply, 0); /* already ended, or not begun */
	}
}

static void look(struct watch *w, const struct compute_migration *j, const struct strs *copied)
{
	struct compute_sent sent = {0};
	bool hastens = false;
	int64_t now_us = clock_system_us();
	struct pace pace = {0};
	bool says = read_sent(w->domain, &sent, &pace);
	int64_t moved = sent.memory_done + sent.disk_done;
	if (w->moved_us == 0 || (says && moved != w->moved)) {
		w->moved_us = now_us;
		w->moved = moved;
	}
	if (says)
		allow_longer_pause(w, &sent, &pace);
	sent.pause_limit_ms = pauses_ms[w->pause];
	bool goes_on = j->goes_on(j->arg, &sent, &hastens);
	w->is_stuck = now_us > w->moved_us + STUCK_S * SECOND;
	if (goes_on && !w->is_stuck && hastens && !w->still_us && virDomainSuspend(w->domain) == 0)
		w->still_us = now_us;
	w->is_ended = !goes_on || w->is_stuck;
	if (!w->is_ended)
		return;
	cut_copies(w->domain, copied);
	(void) virDomainAbortJob(w->domain); /* called too early, it is called again; too late, the job is
					      * over */
}

static RESULT open_watch(struct compute_host *h, struct ctx *c, uuid id, struct watch *w)
{
	TRY(libvirt_connect_again(h, c, &w->conn));
	w->domain = virDomainLookupByUUID(w->conn, id.b);
	return w->domain ? OK : libvirt_fail(h, c, "looking for a domain that is to be sent");
}

static void close_watch(struct watch *w)
{
	libvirt_autodrop_domain(&w->domain);
	if (w->conn)
		libvirt_close_connection(w->conn);
}

static RESULT watch_sending(struct compute_host *h, struct ctx *c, const struct compute_migration *j,
			    struct sending *s)
{
	struct watch w = {.still_us = s->is_held ? clock_system_us() : 0};
	pthread_t thread;
	struct result r = open_watch(h, c, j->domain->id, &w);
	if (result_is_ok(r) && !start_sending(s, &thread))
		r = ctx_fail(c, ERR_AGAIN, "no thread could be started");
	if (result_is_ok(r)) {
		while (!await_end(s, LOOK_US))
			look(&w, j, &s->copied);
		pthread_join(thread, NULL);
	}
	close_watch(&w);
	TRY(r);
	if (s->is_ok && w.still_us)
		s->pause_ms =
			/* QEMU counts only the final part of the pause */
			(clock_system_us() - w.still_us) / 1000;
	if (s->is_ok)
		return OK;
	if (w.is_stuck)
		return ctx_fail(c, ERR_TIMEOUT, "nothing was sent from host %s to host %s for %d s", h->name,
				j->to->name, STUCK_S);
	return ctx_fail(c, w.is_ended ? ERR_AGAIN : ERR_IO, "sending the guest from host %s to host %s: %s",
			h->name, j->to->name, s->error);
}

/* ---- the whole */

static bool is_by_tls(const struct compute_host *h)
{
	return str_starts_with(str_from(h->uri), STR("qemu+tls:"));
}

/* Lists the disks in the host's own directory, except media, which exist on the target already. In c's arena,
 * each NUL-terminated. */
static RESULT list_copied(struct compute_host *h, struct ctx *c, virDomainPtr d,
			  const struct compute_domain *w, struct strs *ret_targets)
{
	struct str *targets = arena_new_array(c->arena, struct str, w->disk_count + 1);
	size_t count = 0;
	if (!targets)
		return ctx_no_memory(c);
	for (size_t k = 0; k < w->disk_count; k++) {
		const struct compute_disk *disk = &w->disks[k];
		struct str name = libvirt_volume_name(c->arena, h->region, disk->volume, disk->is_raw);
		struct str path = str_print(c->arena, "%s/%" STR_FMT, h->own_path, STR_ARG(name)), target;
		if (disk->directory.n || disk->ceph || disk->is_medium)
			continue;
		if (!path.p)
			return ctx_no_memory(c);
		TRY(libvirt_find_target(h, c, d, path, &target));
		targets[count].p = str_to_z(c->arena, target);
		targets[count].n = target.n;
		if (!targets[count++].p)
			return ctx_no_memory(c);
	}
	*ret_targets = (struct strs){targets, count};
	return OK;
}

/* UNSAFE: libvirt recognises only some file systems as shared; for others our row says so, and that has been
 * verified. Hosts reached by TLS have certificates and are on networks where guest memory must not travel
 * unencrypted. */
static unsigned choose_flags(const struct compute_host *h, const struct compute_migration *j, size_t copied)
{
	unsigned flags = VIR_MIGRATE_LIVE | VIR_MIGRATE_PERSIST_DEST | VIR_MIGRATE_UNDEFINE_SOURCE |
			 VIR_MIGRATE_ABORT_ON_ERROR | VIR_MIGRATE_AUTO_CONVERGE;
	if (copied > 0)
		flags |= VIR_MIGRATE_NON_SHARED_INC;
	if (copied < j->domain->disk_count)
		flags |= VIR_MIGRATE_UNSAFE;
	return is_by_tls(h) || is_by_tls(j->to) ? flags | VIR_MIGRATE_TLS : flags;
}

RESULT libvirt_send(struct compute_host *h, struct ctx *c, struct compute_migration *j)
{
	struct domain_mark mark = {0};
	AUTO_DOMAIN d = NULL;
	struct str variables = STR_NONE; /* the UEFI variables' file, which libvirt leaves behind on the
					  * source */
	if (!j->address.n)
		return ctx_fail(c, ERR_UNSUPPORTED,
				"host %s has no address at which other hosts could reach it", j->to->name);
	TRY(libvirt_check_alive(j->to, c));
	TRY(libvirt_find_running(h, c, j->domain->id, &d, &mark));
	TRY(libvirt_claim_domain(h, c, d, &mark)); /* libvirt sends the mark along */
	if (j->domain->hardware.uefi)
		TRY(libvirt_find_variables(h, c, j->domain->id, &variables));
	TRY(prepare(h, c, j, d, variables));
	struct str uri = str_print(c->arena, "tcp://%" STR_FMT, STR_ARG(j->address));
	if (!uri.p)
		return ctx_no_memory(c);
	struct strs copied = {0};
	TRY(list_copied(h, c, d, j->domain, &copied));
	struct sending s = {.domain = d,
			    .to = j->to->conn,
			    .uri = uri.p,
			    .rate = j->rate,
			    .flags = choose_flags(h, j, copied.count),
			    .copied = copied,
			    .lock = PTHREAD_MUTEX_INITIALIZER,
			    .ended = PTHREAD_COND_INITIALIZER};
	struct result r = hold_still(h, c, d, &s.is_held);
	if (result_is_ok(r))
		r = watch_sending(h, c, j, &s);
	pthread_mutex_destroy(&s.lock);
	pthread_cond_destroy(&s.ended);
	TRY(r);
	j->pause_ms = s.pause_ms;
	return variables.n ? libvirt_drop_variables(h, c, variables) : OK;
}
