/* SPDX-License-Identifier: Apache-2.0
 * Connections to a host, for its guests and for its disks, which the jobs of a lane use one after another.
 * libvirt forwards a request about a guest to its QEMU and waits without a limit, so one QEMU that hangs (on
 * unresponsive storage, for example) would block everything else on the lane. When a call lasts longer than
 * call_patience_us, the lane leaves the connection to the job that made the call and continues on a new
 * thread and a new connection.
 *
 * On a guest lane any call may be left. On a disk lane only calls that wait for a QEMU are, as the driver
 * announces (host_connection_ask()): other work in a pool must stay serialised, because a second job would
 * mistake a half-written file for a stray. No other job works on the same volume until the call has returned
 * (host_connection_claim_volume()). The job reports its findings when it returns; forcing the instance off
 * ends the call. */
#include "base/clock.h"
#include "base/heap.h"
#include "base/log.h"
#include "drivers/disk.h"
#include "reconcile/instance/instance_plan.h"
#include "reconcile/work.h"
#include "store/condition.h"
#include "store/instance.h"

enum {
	HOST_CALLS = 3
}; /* patience factor for the host's own step, which may make three calls: detect the
			  * loss, reconnect, probe */

struct host_connection *host_connection_new(const struct lane *lane)
{
	struct host_connection *connection = heap_new(struct host_connection);
	if (connection)
		connection->lane = lane;
	return connection;
}

static struct host_connection **current_of(const struct lane *lane)
{
	return lane->is_disks ? &lane->host->disks.connection : &lane->host->connection;
}

struct host_connection *host_connection_enter(struct lane lane, enum kind kind, uuid id)
{
	struct rec_host *h = lane.host;
	(void) pthread_mutex_lock(&h->lock);
	struct host_connection *connection = *current_of(&lane);
	connection->since_us = lane.is_disks ? 0 : clock_steady_us();
	connection->kind = kind;
	connection->id = id;
	connection->volume = UUID_NONE;
	(void) pthread_mutex_unlock(&h->lock);
	return connection;
}

static void close_connection(struct host_connection *connection)
{
	if (connection->connection)
		connection->driver->close_host(connection->connection);
	if (connection->disks)
		connection->disk_driver->close_host(connection->disks);
	connection->connection = NULL;
	connection->disks = NULL;
}

void host_connection_leave(struct host_connection *connection)
{
	struct rec_host *h = connection->lane->host;
	(void) pthread_mutex_lock(&h->lock);
	/* From here on relieve() cannot leave this connection: without a start time it does not hang. So is_left
	 * is final once read. */
	connection->since_us = 0;
	bool is_left = connection->is_left;
	if (is_left) {
		struct host_connection **at = &h->left;
		while (*at != connection)
			at = &(*at)->next;
		*at = connection->next;
		h->left_count--;
	}
	(void) pthread_mutex_unlock(&h->lock);
	if (!is_left)
		return;
	close_connection(connection);
	heap_free(connection);
	/* the host's step has reported the hanging call and must clear it */
	work_wake(h->reconciler, h->lane, KIND_HOST, h->id, WAKE_WISH);
}

void host_connection_disconnect(struct host_connection *connection)
{
	struct rec_host *h = connection->lane->host;
	(void) pthread_mutex_lock(&h->lock);
	bool is_of_guests = !connection->is_left && !connection->lane->is_disks;
	connection->used_us = 0;
	/* Under the lock: once this connection may be left, its successor's step sets is_ready. */
	if (is_of_guests || h->is_pool)
		atomic_store(&h->is_ready, false);
	(void) pthread_mutex_unlock(&h->lock);
	if (is_of_guests)
		hosts_close_disks_soon(h);
	close_connection(connection);
}

void host_connection_lost(struct host_connection *connection)
{
	struct rec_host *h = connection->lane->host;
	bool was_connected = connection->connection != NULL;
	bool was_pool = h->is_pool && connection->disks;
	host_connection_disconnect(connection);
	/* WAKE_NEWS: a step that fails to connect comes here too, and must wait for its retry */
	if (was_pool)
		work_wake(h->reconciler, h->disks.lane, KIND_STORAGE_POOL, h->id, WAKE_NEWS);
	if (was_connected)
		work_wake(h->reconciler, h->lane, KIND_HOST, h->id, WAKE_NEWS);
}

/* ---- disks ---- */

void host_connection_ask(void *arg, uuid guest)
{
	struct host_connection *connection = arg;
	struct rec_host *h = connection->lane->host;
	(void) pthread_mutex_lock(&h->lock);
	connection->guest = guest;
	connection->since_us = uuid_is_none(guest) ? 0 : clock_steady_us();
	(void) pthread_mutex_unlock(&h->lock);
}

RESULT host_connection_claim_volume(struct step *s, uuid volume)
{
	struct rec_host *h = s->host;
	bool is_taken = false;
	(void) pthread_mutex_lock(&h->lock);
	s->connection->volume = volume;
	for (const struct host_connection *connection = h->left; connection; connection = connection->next)
		is_taken =
			is_taken || (connection != s->connection && uuid_equal(connection->volume, volume));
	(void) pthread_mutex_unlock(&h->lock);
	return is_taken ? ctx_fail(&s->ctx, ERR_IO,
				   "something else is asked about its disk, and QEMU has not answered yet")
			: OK;
}

RESULT host_connection_check_current(struct step *s)
{
	struct rec_host *h = s->host;
	(void) pthread_mutex_lock(&h->lock);
	bool is_left = s->connection->is_left;
	(void) pthread_mutex_unlock(&h->lock);
	return is_left ? ctx_fail(&s->ctx, ERR_AGAIN, "QEMU took so long that others went on before") : OK;
}

/* ---- leaving a connection ---- */

/* With the lock held, as are the next two functions. */
static bool is_hanging(const struct host_connection *connection, int64_t now_us)
{
	const struct reconciler *r = connection->lane->host->reconciler;
	int64_t patience_us = r->call_patience_us * (connection->kind == KIND_HOST ? HOST_CALLS : 1);
	return connection->since_us && now_us > connection->since_us + patience_us;
}

static bool replace_link(struct host_connection *old)
{
	struct rec_host *h = old->lane->host;
	struct host_connection *fresh =
		h->left_count < HOST_LINKS_LEFT_MAX ? host_connection_new(old->lane) : NULL;
	if (!fresh || !actor_relieve(old->lane->actor)) {
		heap_free(fresh);
		return false;
	}
	old->is_left = true;
	old->next = h->left;
	h->left = old;
	h->left_count++;
	*current_of(old->lane) = fresh;
	if (!old->lane->is_disks)
		atomic_store(&h->is_ready, false); /* the next host step sets it again through the new
						    * connection */
	return true;
}

static void relieve(const struct lane *lane, int64_t now_us)
{
	struct rec_host *h = lane->host;
	char host[UUID_TEXT_SIZE], id[UUID_TEXT_SIZE];
	(void) pthread_mutex_lock(&h->lock);
	struct host_connection *connection = *current_of(lane);
	enum kind kind = connection->kind;
	bool hangs = is_hanging(connection, now_us);
	(void) uuid_write(connection->id, id);
	bool is_replaced = hangs && kind != KIND_HOST && replace_link(connection);
	(void) pthread_mutex_unlock(&h->lock);
	if (hangs && kind == KIND_HOST) /* only the host's own step may open its connection, so it cannot
					 * be replaced; report the host as down instead */
		work_wake(h->reconciler, lane_home(h->reconciler), KIND_HOST_SILENCE, h->id, WAKE_WISH);
	if (!is_replaced)
		return;
	log_event(LOG_WARN, "call-hangs", "host=%s kind=%s id=%s", uuid_write(h->id, host),
		  kind == KIND_NONE ? "observation" : step_kind_name(kind), id);
	work_wake(h->reconciler, h->lane, KIND_HOST, h->id, WAKE_WISH);
}

void host_connection_relieve(struct rec_host *h, int64_t now_us)
{
	relieve(&h->lane, now_us);
	relieve(&h->disks.lane, now_us);
}

/* ---- hanging calls ---- */

/* NULL: not in the list. */
static struct host_hanging_call *find_call(struct host_hanging *hanging, enum kind kind, uuid id)
{
	for (size_t k = 0; k < hanging->count; k++)
		if (hanging->at[k].kind == kind && uuid_equal(hanging->at[k].id, id))
			return &hanging->at[k];
	return NULL;
}

static void add_call(struct host_hanging *hanging, const struct host_connection *connection, enum kind kind,
		     uuid id)
{
	struct host_hanging_call *at = find_call(hanging, kind, id);
	if (!at) {
		at = &hanging->at[hanging->count++];
		*at = (struct host_hanging_call){.kind = kind, .id = id, .since_us = connection->since_us};
	}
	at->is_own = at->is_own || kind == connection->kind;
}

/* Lists each hanging call once, in the order of h->left (latest first). */
static void list_hanging(struct rec_host *h, struct host_hanging *ret_hanging)
{
	int64_t now_us = clock_steady_us();
	ret_hanging->count = 0;
	(void) pthread_mutex_lock(&h->lock);
	for (const struct host_connection *connection = h->left; connection; connection = connection->next) {
		if (!is_hanging(connection, now_us))
			continue;
		if (connection->kind == KIND_INSTANCE || connection->kind == KIND_VOLUME ||
		    connection->kind == KIND_SNAPSHOT)
			add_call(ret_hanging, connection, connection->kind, connection->id);
		if (connection->lane->is_disks)
			add_call(ret_hanging, connection, KIND_INSTANCE, connection->guest);
	}
	(void) pthread_mutex_unlock(&h->lock);
}

bool host_connection_hangs(struct rec_host *h, enum kind kind, uuid id)
{
	struct host_hanging hanging;
	list_hanging(h, &hanging);
	return find_call(&hanging, kind, id) != NULL;
}

/* True if the instance's next action would be a forced power-off, which works without an answer of the
 * guest. */
static bool is_to_be_forced_off(struct step *s, const struct instance *row)
{
	const struct instance_plan_input input = {
		.power_wanted = row->wanted_power,
		.seen = {.power = INSTANCE_SEEN_POWER_ON, .is_paused = row->wanted_pause},
		.now_us = clock_now_us(),
		.grace_us = s->r->shutdown_grace_us,
	};
	return instance_plan_step(row, &input) == INSTANCE_FORCE_OFF;
}

/* Reports NotReconciled; the next successful step of the resource clears it. */
static RESULT report_hanging(struct step *s, enum kind kind, uuid id, int64_t since_us, struct str why)
{
	static const char *const whose[KIND_COUNT] = {
		[KIND_INSTANCE] = "Its QEMU",
		[KIND_VOLUME] = "QEMU, which has it open,",
		[KIND_SNAPSHOT] = "QEMU, which has its volume open,",
	};
	char since[CLOCK_TEXT_SIZE];
	struct condition condition = {
		.subject_kind = kind,
		.subject = id,
		.name = STR(NOT_RECONCILED),
		.message = str_print(
			s->ctx.arena, "%s has not answered since %s; the guest may be running on.%s%" STR_FMT,
			whose[kind], clock_write_s(since_us, since), why.n ? " " : "", STR_ARG(why)),
		.advice = STR("Look at the storage of its host, and at QEMU's log there. It goes on by "
			      "itself once QEMU answers; a forced stop of the instance ends it."),
	};
	return step_report_condition(s, &condition, true);
}

/* what the hanging resource's row says */
struct hanging_row {
	bool is_here, is_reported, is_to_be_off;
};

static struct hanging_row find_row(struct step *s, enum kind kind, uuid id)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct instance *row = kind == KIND_INSTANCE ? instance_find(view.tables, id) : NULL;
	return (struct hanging_row){
		.is_here = row ? uuid_equal(row->host, s->id) : tables_find(view.tables, kind, id) != NULL,
		.is_reported = condition_find_by_subject(view.tables, id, STR(NOT_RECONCILED)) != NULL,
		.is_to_be_off = row && is_to_be_forced_off(s, row),
	};
}

/* Only the host's step of the instance that hangs itself forces it off. If its QEMU merely hangs in a disk
 * call, the instance's own step does that, and a condition reported by that step is kept. */
static RESULT look_at_hanging(struct step *s, const struct host_hanging_call *at)
{
	struct hanging_row row = find_row(s, at->kind, at->id);
	if (!row.is_here || (!at->is_own && row.is_reported))
		return OK;
	if (at->is_own && row.is_to_be_off) {
		struct result result = s->connection->driver->set_power(s->connection->connection, &s->ctx,
									at->id, COMPUTE_FORCE_OFF);
		if (result_is_ok(result) || result.code == ERR_GONE)
			return result;
	}
	struct str why = s->ctx.problem.message;
	ctx_clear_problem(&s->ctx);
	return report_hanging(s, at->kind, at->id, at->since_us, why);
}

/* Wakes resources whose call has returned: they may have waited for the call alone, and their condition may
 * have been set after their own step had already ended. */
static void wake_freed(struct rec_host *h, struct host_hanging *hanging)
{
	for (size_t k = 0; h->reported && k < h->reported->count; k++) {
		enum kind kind = h->reported->at[k].kind;
		if (!find_call(hanging, kind, h->reported->at[k].id))
			work_wake(h->reconciler, kind == KIND_INSTANCE ? h->lane : h->disks.lane, kind,
				  h->reported->at[k].id, WAKE_WISH);
	}
}

RESULT host_connection_look_at_left(struct step *s)
{
	struct rec_host *h = s->host;
	struct host_hanging hanging;
	list_hanging(h, &hanging);
	wake_freed(h, &hanging);
	heap_free(h->reported);
	h->reported = NULL;
	if (hanging.count == 0)
		return OK;
	h->reported = heap_new(struct host_hanging);
	if (!h->reported)
		return ctx_no_memory(&s->ctx);
	*h->reported = hanging;
	for (size_t k = 0; k < hanging.count; k++)
		TRY(look_at_hanging(s, &hanging.at[k]));
	return OK;
}
