/* SPDX-License-Identifier: Apache-2.0
 * A host's connection for its guests, as its lane's jobs take it one after another. libvirt hands what is
 * asked of a guest to its QEMU and waits without end, so that one that hangs (on storage that does not
 * answer, say) would hold all else on the host. A call that lasts too long is left with its connection to the
 * job that made it, whose work nobody else takes up meanwhile, and the host goes on with a new one. What the
 * job found is told when the call returns; whoever is impatient has the instance forced off, which ends it.
 */
#include "base/clock.h"
#include "base/heap.h"
#include "base/log.h"
#include "reconcile/instance_plan.h"
#include "reconcile/work.h"
#include "store/rows.h"

enum { HOST_CALLS = 3 }; /* its own step finds out that it is away, connects again, and asks it */

struct host_link *host_link_enter(struct rec_host *h, enum kind kind, uuid id)
{
	(void) pthread_mutex_lock(&h->lock);
	struct host_link *link = h->link;
	link->since_us = clock_now_us();
	link->kind = kind;
	link->id = id;
	(void) pthread_mutex_unlock(&h->lock);
	return link;
}

void host_link_leave(struct rec_host *h, struct host_link *link)
{
	(void) pthread_mutex_lock(&h->lock);
	link->since_us = 0;
	bool is_left = link->is_left;
	if (is_left) {
		struct host_link **at = &h->left;
		while (*at != link)
			at = &(*at)->next;
		*at = link->next;
		h->left_count--;
	}
	(void) pthread_mutex_unlock(&h->lock);
	if (!is_left)
		return;
	if (link->connection)
		link->driver->close_host(link->connection);
	heap_free(link);
}

static bool is_left(struct rec_host *h, struct host_link *link)
{
	(void) pthread_mutex_lock(&h->lock);
	bool is = link->is_left;
	(void) pthread_mutex_unlock(&h->lock);
	return is;
}

void host_link_disconnect(struct rec_host *h, struct host_link *link)
{
	if (!is_left(h, link)) {
		atomic_store(&h->is_ready, false);
		hosts_close_disks_soon(h);
	}
	if (link->connection)
		link->driver->close_host(link->connection);
	link->connection = NULL;
}

void host_link_lost(struct rec_host *h, struct host_link *link)
{
	bool was_connected = link->connection != NULL;
	host_link_disconnect(h, link);
	if (was_connected)
		work_wake(h->reconciler, h->lane, KIND_HOST, h->id, WAKE_NEWS);
}

/* With the lock held. */
static bool replace_link(struct rec_host *h)
{
	struct host_link *fresh = h->left_count < HOST_LINKS_LEFT_MAX ? heap_new(struct host_link) : NULL;
	if (!fresh || !actor_relieve(h->lane.actor)) {
		heap_free(fresh);
		return false;
	}
	h->link->is_left = true;
	h->link->next = h->left;
	h->left = h->link;
	h->left_count++;
	h->link = fresh;
	atomic_store(&h->is_ready, false); /* the new connection is the host's return */
	return true;
}

void host_link_relieve(struct rec_host *h, int64_t now_us)
{
	char host[UUID_TEXT_SIZE], id[UUID_TEXT_SIZE];
	(void) pthread_mutex_lock(&h->lock);
	enum kind kind = h->link->kind;
	int64_t patience_us = h->reconciler->call_patience_us * (kind == KIND_HOST ? HOST_CALLS : 1);
	bool hangs = h->link->since_us && now_us > h->link->since_us + patience_us;
	(void) uuid_write(h->link->id, id);
	bool is_replaced = hangs && kind != KIND_HOST && replace_link(h);
	(void) pthread_mutex_unlock(&h->lock);
	if (hangs && kind == KIND_HOST) /* its connection is the host's own to make: nobody else can */
		work_wake(h->reconciler, lane_home(h->reconciler), KIND_HOST_SILENCE, h->id, WAKE_WISH);
	if (!is_replaced)
		return;
	log_event(LOG_WARN, "call-hangs", "host=%s kind=%s id=%s", uuid_write(h->id, host),
		  kind == KIND_NONE ? "observation" : step_kind_name(kind), id);
	work_wake(h->reconciler, h->lane, KIND_HOST, h->id, WAKE_WISH);
}

/* ---- what hangs ---- */

/* What would be done were the guest to answer, and needs no answer of it. */
static bool is_to_be_forced_off(struct step *s, const struct instance *row)
{
	const struct instance_outlook outlook = {
		.power_wanted = row->wanted_power,
		.seen = {.power = INSTANCE_SEEN_POWER_ON, .is_paused = row->wanted_pause},
		.now_us = clock_now_us(),
		.grace_us = s->r->shutdown_grace_us,
	};
	return instance_plan_step(row, &outlook) == INSTANCE_FORCE_OFF;
}

/* Taken away by the success of the instance's own step, whose condition it is. */
static RESULT report_hanging(struct step *s, uuid instance, int64_t since_us, struct str why)
{
	char since[CLOCK_TEXT_SIZE];
	struct condition condition = {
		.subject_kind = KIND_INSTANCE,
		.subject = instance,
		.name = STR("NotReconciled"),
		.message = str_print(
			s->ctx.arena,
			"Its QEMU has not answered since %s; the guest may be running on.%s%" STR_FMT,
			clock_write_s(since_us, since), why.n ? " " : "", STR_ARG(why)),
		.advice = STR("Look at the storage of its host, and at QEMU's log there. It goes on by "
			      "itself once QEMU "
			      "answers; a forced stop ends it."),
	};
	return step_report_condition(s, &condition, true);
}

static RESULT look_at_hanging(struct step *s, uuid id, int64_t since_us)
{
	bool is_forced = false;
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct instance *row = instance_find(view.tables, id);
		if (!row || !uuid_equal(row->host, s->id))
			return OK;
		is_forced = is_to_be_forced_off(s, row);
	}
	if (is_forced) {
		struct result result =
			s->link->driver->set_power(s->link->connection, &s->ctx, id, COMPUTE_FORCE_OFF);
		if (result_is_ok(result) || result.code == ERR_GONE)
			return result;
	}
	struct str why = s->ctx.problem.message;
	ctx_clear_problem(&s->ctx);
	return report_hanging(s, id, since_us, why);
}

RESULT host_link_look_at_left(struct step *s)
{
	struct {
		uuid id;
		int64_t since_us;
	} hanging[HOST_LINKS_LEFT_MAX];
	size_t count = 0;
	(void) pthread_mutex_lock(&s->host->lock);
	for (const struct host_link *link = s->host->left; link; link = link->next)
		if (link->kind == KIND_INSTANCE) {
			hanging[count].id = link->id;
			hanging[count++].since_us = link->since_us;
		}
	(void) pthread_mutex_unlock(&s->host->lock);
	for (size_t k = 0; k < count; k++)
		TRY(look_at_hanging(s, hanging[k].id, hanging[k].since_us));
	return OK;
}
