/* SPDX-License-Identifier: Apache-2.0
 * The audit: compares rows with what hosts and the network hold, and the tables in memory with SQL. Changes
 * nothing. */
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "drivers/compute.h"
#include "drivers/disk.h"
#include "engine/balancing/balancing.h"
#include "model/audit_difference.h"
#include "model/id.h"
#include "reconcile/work.h"
#include "store/address.h"
#include "store/external_network.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/pool_host.h"
#include "store/port.h"
#include "store/snapshot.h"
#include "store/storage_pool.h"
#include "store/volume.h"

enum { HOST_ARENA_FIRST = 4096, INVENTORY_CAP = 2 * ARENA_REQUEST_CAP };

/* List of a host's domains or disks. All hosts answer concurrently, so each answer has an arena of its
 * own. */
struct audit_answer {
	struct observation observation;
	struct audit_run *run;
	struct ctx ctx;
	struct str name, words; /* name of the host or Ceph pool, alone and as findings print it */
	bool is_disks;
	uuid pool;          /* the Ceph pool; none: a host */
	struct audit_pool { /* a shared pool that the host sees */
		uuid id;
		struct str path;
		bool is_kept; /* this host alone reports the pool's strays */
		struct disk_inventory disks;
	} * pools;
	size_t pool_count;
	struct compute_inventory inventory;
	struct disk_inventory disks;
	struct result result;
};

/* Lives in the caller's arena. */
struct audit_run {
	pthread_mutex_t lock;
	pthread_cond_t answered;
	size_t open; /* number of missing answers; protected by lock */
	struct reconciler *r;
	struct ctx *c;
	uuid row; /* row whose step each answer wakes; none: the caller waits */
	struct audit_answer *answers;
	size_t answer_count;
	struct job network_job;
	struct ctx network_ctx;
	struct network_inventory network;
	struct network_item *sorted; /* network.at, sorted by kind and id */
	struct result network_result;
};

static void count_down(struct audit_run *run)
{
	struct reconciler *r = run->r;
	uuid row = run->row;
	(void) pthread_mutex_lock(&run->lock);
	run->open--;
	(void) pthread_cond_signal(&run->answered);
	(void) pthread_mutex_unlock(&run->lock); /* the waiter may free the run from here on, so only
						  * copies are used below */
	if (!uuid_is_none(row))
		work_wake(r, lane_fetches(UUID_NONE), KIND_REGION_AUDIT, row, WAKE_NEWS);
}

static RESULT list_host(struct observation *o, const struct compute_driver *driver, struct compute_host *h)
{
	struct audit_answer *answer = o->arg;
	return driver->list(h, o->ctx, &answer->inventory);
}

static RESULT list_disks(struct observation *o, const struct disk_driver *driver, struct disk_host *h)
{
	struct audit_answer *answer = o->arg;
	TRY(driver->list(h, o->ctx, &answer->disks));
	for (size_t k = 0; k < answer->pool_count; k++) {
		TRY(driver->enter(h, o->ctx, answer->pools[k].path));
		TRY(driver->list(h, o->ctx, &answer->pools[k].disks));
	}
	return OK;
}

static void host_answered(struct observation *o, struct result result)
{
	struct audit_answer *answer = o->arg;
	answer->result = result;
	count_down(answer->run);
}

static struct audit_run *run_of(struct job *job)
{
	return (struct audit_run *) (void *) ((char *) job - offsetof(struct audit_run, network_job));
}

static void list_network(struct job *job)
{
	struct audit_run *run = run_of(job);
	run->network_result =
		run->r->network.driver->list(run->r->network.self, &run->network_ctx, &run->network);
	count_down(run);
}

static void drop_network(struct job *job)
{
	struct audit_run *run = run_of(job);
	run->network_result = ctx_fail(&run->network_ctx, ERR_GONE, "the control plane is stopping");
	count_down(run);
}

/* Asks the network, unless its actor is about to be freed: the lock is the one under which stopping is set. */
static void post_network(struct audit_run *run)
{
	struct reconciler *r = run->r;
	(void) pthread_mutex_lock(&r->work.lock);
	bool is_posted = !r->work.stopping;
	if (is_posted)
		actor_post(r->network_actor, &run->network_job);
	(void) pthread_mutex_unlock(&r->work.lock);
	if (!is_posted)
		drop_network(&run->network_job);
}

/* ---- the comparison ---- */

struct finding_list {
	struct ctx *c;
	struct audit *audit;
};

static void find(struct finding_list *f, struct audit_finding finding)
{
	if (!VEC_PUSH(f->c->arena, &f->audit->findings, finding))
		IGNORE(ctx_no_memory(f->c)); /* reconciler_end_audit() reports it */
}

static void find_out(struct finding_list *f, enum audit_difference_about about, struct str words)
{
	find(f, (struct audit_finding){.words = words, .about = about});
}

static const struct compute_item *find_domain(const struct audit_answer *answer, uuid id)
{
	for (size_t k = 0; k < answer->inventory.count; k++)
		if (uuid_equal(answer->inventory.at[k].id, id))
			return &answer->inventory.at[k];
	return NULL;
}

static bool has_file(const struct disk_inventory *disks, uuid id)
{
	for (size_t k = 0; k < disks->count; k++)
		if (disks->at[k].name.kind == DISK_VOLUME && uuid_equal(disks->at[k].name.id, id))
			return true;
	return false;
}

/* True if the host lists the file where the volume's row says. *ret_is_known is false if the host does not
 * see the pool yet. */
static bool has_volume(const struct audit_answer *answer, const struct volume *v, bool *ret_is_known)
{
	*ret_is_known = uuid_is_none(v->pool);
	if (*ret_is_known)
		return has_file(&answer->disks, v->row.id);
	for (size_t k = 0; k < answer->pool_count; k++)
		if (uuid_equal(answer->pools[k].id, v->pool)) {
			*ret_is_known = true;
			return has_file(&answer->pools[k].disks, v->row.id);
		}
	return false;
}

static struct str words_for(struct finding_list *f, enum kind kind, uuid id)
{
	return id_to_ec2(f->c->arena, kind, id);
}

/* Adds an object with our mark that no row places there. */
static void find_stray(struct finding_list *f, const struct audit_answer *answer,
		       enum audit_difference_about what, uuid id, bool has_row)
{
	bool is_pool = !uuid_is_none(answer->pool);
	struct str words = str_print(f->c->arena,
				     "%" STR_FMT " has the %s %" STR_FMT ", %s: it is left alone; %s decides",
				     STR_ARG(answer->words), audit_difference_about_words[what],
				     STR_ARG(uuid_to_str(f->c->arena, id)),
				     has_row ? "which belongs on another host" : "of which there is no row",
				     has_row ? "`dari purge`" : "`dari adopt` or `dari purge`");
	find(f, (struct audit_finding){.words = words,
				       .is_quarantined = true,
				       .about = what,
				       .has_row = has_row,
				       .subject = id,
				       .place = is_pool ? answer->pool : answer->observation.host});
}

static void compare_domains(struct finding_list *f, const struct tables *t, const struct audit_answer *answer)
{
	for (size_t k = 0; k < answer->inventory.count; k++) {
		const struct instance *row = instance_find(t, answer->inventory.at[k].id);
		if (!row || !uuid_equal(row->host, answer->observation.host))
			find_stray(f, answer, AUDIT_DIFFERENCE_ABOUT_DOMAIN, answer->inventory.at[k].id,
				   row != NULL);
	}
}

static void note_cached(struct finding_list *f, const struct audit_answer *answer,
			const struct disk_item *item)
{
	struct audit_cached cached = {.host = answer->name,
				      .sha256 = str_copy(f->c->arena, item->name.sha256),
				      .file_size = item->file_size};
	if (!VEC_PUSH(f->c->arena, &f->audit->cached, cached))
		IGNORE(ctx_no_memory(f->c));
}

static void compare_files(struct finding_list *f, const struct tables *t, const struct audit_answer *answer,
			  const struct disk_inventory *disks, uuid pool)
{
	uuid host = answer->observation.host;
	for (size_t k = 0; k < disks->count; k++) {
		const struct disk_name *name = &disks->at[k].name;
		const struct volume *volume = name->kind == DISK_VOLUME ? volume_find(t, name->id) : NULL;
		const struct snapshot *cut = name->kind == DISK_CUT ? snapshot_find(t, name->id) : NULL;
		bool is_known = (volume && gather_volume_is_in(volume, host, pool)) ||
				(cut && uuid_equal(cut->pool, pool) &&
				 (!uuid_is_none(pool) || uuid_equal(cut->host, host)));
		if (name->kind == DISK_BASE)
			note_cached(f, answer, &disks->at[k]);
		else if (!is_known)
			find_stray(f, answer, AUDIT_DIFFERENCE_ABOUT_DISK, name->id, volume || cut);
	}
}

static void compare_disks(struct finding_list *f, const struct tables *t, const struct audit_answer *answer)
{
	compare_files(f, t, answer, &answer->disks, UUID_NONE);
	for (size_t k = 0; k < answer->pool_count; k++)
		if (answer->pools[k].is_kept)
			compare_files(f, t, answer, &answer->pools[k].disks, answer->pools[k].id);
}

static void compare_instances(struct finding_list *f, const struct tables *t,
			      const struct audit_answer *answer)
{
	for (const struct instance *i = instance_first_by_host(t, answer->observation.host); i;
	     i = instance_next_by_host(t, i)) {
		const struct compute_item *item = find_domain(answer, i->row.id);
		enum instance_seen_power power = item ? item->power : INSTANCE_SEEN_POWER_ABSENT;
		if (power == i->seen_power)
			continue;
		find_out(f, AUDIT_DIFFERENCE_ABOUT_STATE,
			 str_print(f->c->arena,
				   "instance %" STR_FMT " on %" STR_FMT " is %s there, its row says %s",
				   STR_ARG(words_for(f, KIND_INSTANCE, i->row.id)), STR_ARG(answer->words),
				   instance_seen_power_words[power],
				   instance_seen_power_words[i->seen_power]));
	}
}

static void find_volume(struct finding_list *f, const struct audit_answer *answer, const struct volume *v,
			const char *what)
{
	find_out(f, AUDIT_DIFFERENCE_ABOUT_STATE,
		 str_print(f->c->arena,
			   "the disk of volume %" STR_FMT " is %s on %" STR_FMT ", its row says otherwise",
			   STR_ARG(words_for(f, KIND_VOLUME, v->row.id)), what, STR_ARG(answer->words)));
}

static void compare_volumes(struct finding_list *f, const struct tables *t, const struct audit_answer *answer)
{
	uuid host = answer->observation.host;
	bool is_known = false;
	for (const struct volume *v = volume_first_by_seen_host(t, host); v;
	     v = volume_next_by_seen_host(t, v))
		if (!has_volume(answer, v, &is_known) && is_known)
			find_volume(f, answer, v, "missing");
	for (const struct volume *v = volume_first_by_host(t, host); v; v = volume_next_by_host(t, v))
		if (v->seen_size == 0 && has_volume(answer, v, &is_known))
			find_volume(f, answer, v, "there");
}

/* Compares a Ceph pool. */
static void compare_pool(struct finding_list *f, const struct tables *t, const struct audit_answer *answer)
{
	for (const struct volume *v = volume_first_by_pool(t, answer->pool); v; v = volume_next_by_pool(t, v))
		if ((v->seen_size > 0) != has_file(&answer->disks, v->row.id))
			find_volume(f, answer, v, v->seen_size > 0 ? "missing" : "there");
}

static const enum kind item_kinds[] = {
	[NETWORK_ITEM_ROUTER] = KIND_ROUTER,
	[NETWORK_ITEM_NETWORK] = KIND_NETWORK,
	[NETWORK_ITEM_PORT] = KIND_PORT,
	[NETWORK_ITEM_GROUP] = KIND_SECURITY_GROUP,
	[NETWORK_ITEM_ADDRESS] = KIND_ADDRESS,
	[NETWORK_ITEM_POLICY] = KIND_PORT_POLICY,
	[NETWORK_ITEM_TRANSIT_GATEWAY] = KIND_TRANSIT_GATEWAY,
	[NETWORK_ITEM_OTHER] = KIND_NONE,
};

static int compare_network_items(const void *a, const void *b)
{
	const struct network_item *x = a, *y = b;
	return x->kind != y->kind ? (x->kind < y->kind ? -1 : 1) : uuid_compare(x->id, y->id);
}

/* Copies the items in the order by which network_has() searches: the answer itself stays as it came. */
static RESULT sort_network(struct audit_run *run)
{
	size_t count = run->network.count;
	run->sorted = arena_new_array(run->c->arena, struct network_item, count);
	if (!run->sorted)
		return ctx_no_memory(run->c);
	if (count > 0) {
		memcpy(run->sorted, run->network.at, count * sizeof *run->sorted);
		qsort(run->sorted, count, sizeof *run->sorted, compare_network_items);
	}
	return OK;
}

static bool network_has(const struct audit_run *run, enum network_item_kind kind, uuid id)
{
	struct network_item key = {.kind = kind, .id = id};
	return bsearch(&key, run->sorted, run->network.count, sizeof key, compare_network_items) != NULL;
}

static void find_in_network(struct finding_list *f, const struct network_item *item, enum kind kind)
{
	struct str words = str_print(f->c->arena,
				     "the network has %" STR_FMT " of the %s %" STR_FMT
				     ", of which there is no row: it is left alone; `dari purge` decides",
				     STR_ARG(item->words), model_kinds[kind].name,
				     STR_ARG(uuid_to_str(f->c->arena, item->id)));
	find(f, (struct audit_finding){.words = words,
				       .is_quarantined = true,
				       .about = AUDIT_DIFFERENCE_ABOUT_NETWORK,
				       .subject = item->id});
}

/* True if the network has an object of its own for the address. A network load balancer's front has none: it is an
 * entry of its router, like its port (network/address.c, network/port.c). */
static bool is_address_wanted(const struct tables *t, const struct address *a)
{
	const struct port *p = port_find(t, a->port);
	return p && !engine_is_router_front(t, p);
}

static void compare_ports(struct finding_list *f, const struct tables *t, const struct audit_run *run)
{
	for (const struct port *p = port_first(t); p; p = port_next(t, p))
		if (row_is_live(&p->row) && p->seen_gen > 0 && uuid_is_none(p->interface_of) &&
		    !engine_is_router_front(t, p) && !external_network_find(t, p->network) &&
		    !network_has(run, NETWORK_ITEM_PORT, p->row.id))
			find_out(f, AUDIT_DIFFERENCE_ABOUT_STATE,
				 str_print(f->c->arena, "port %" STR_FMT " is missing in the network",
					   STR_ARG(words_for(f, KIND_PORT, p->row.id))));
}

static void compare_addresses(struct finding_list *f, const struct tables *t, const struct audit_run *run)
{
	for (const struct address *a = address_first(t); a; a = address_next(t, a))
		if (row_is_live(&a->row) && a->seen_gen == (int64_t) a->row.gen &&
		    is_address_wanted(t, a) != network_has(run, NETWORK_ITEM_ADDRESS, a->row.id))
			find_out(f, AUDIT_DIFFERENCE_ABOUT_STATE,
				 str_print(f->c->arena, "address %" STR_FMT " is %s in the network",
					   STR_ARG(ip_to_str(f->c->arena, a->ip)),
					   is_address_wanted(t, a) ? "missing" : "still"));
}

static void compare_network(struct finding_list *f, const struct tables *t, const struct audit_run *run)
{
	for (size_t k = 0; k < run->network.count; k++) {
		const struct network_item *item = &run->network.at[k];
		enum kind kind = item_kinds[item->kind];
		if (kind != KIND_NONE && !tables_find(t, kind, item->id))
			find_in_network(f, item, kind);
	}
	compare_ports(f, t, run);
	compare_addresses(f, t, run);
}

/* ---- asking ---- */

static bool is_kept_by(const struct tables *t, const struct pool_host *seen)
{
	const struct pool_host *p = pool_host_first_by_pool(t, seen->pool);
	while (p && p->seen_state != POOL_HOST_SEEN_STATE_PROVEN)
		p = pool_host_next_by_pool(t, p);
	return p == seen;
}

static RESULT prepare_pools(struct audit_run *run, const struct tables *t, struct audit_answer *answer)
{
	uuid host = answer->observation.host;
	answer->pools =
		arena_new_array(run->c->arena, struct audit_pool, tables_count(t, KIND_STORAGE_POOL) + 1);
	if (!answer->pools)
		return ctx_no_memory(run->c);
	for (const struct pool_host *p = pool_host_first_by_host(t, host); p;
	     p = pool_host_next_by_host(t, p)) {
		const struct storage_pool *pool = storage_pool_find(t, p->pool);
		if (pool && pool->kind != STORAGE_POOL_KIND_RBD &&
		    p->seen_state == POOL_HOST_SEEN_STATE_PROVEN)
			answer->pools[answer->pool_count++] =
				(struct audit_pool){.id = pool->row.id,
						    .path = str_copy(run->c->arena, pool->path),
						    .is_kept = is_kept_by(t, p)};
	}
	return OK;
}

/* what: "host" or "storage pool", for findings. */
static RESULT prepare_answer(struct audit_run *run, const char *what, uuid id, struct str name, bool is_disks,
			     int64_t deadline_us)
{
	struct audit_answer *answer = &run->answers[run->answer_count];
	struct arena *arena = arena_new(HOST_ARENA_FIRST, INVENTORY_CAP);
	if (!arena)
		return ctx_no_memory(run->c);
	run->answer_count++;
	ctx_init(&answer->ctx, arena);
	answer->run = run;
	answer->is_disks = is_disks;
	answer->name = str_copy(run->c->arena, name);
	answer->words = str_print(run->c->arena, "%s %" STR_FMT, what, STR_ARG(name));
	answer->observation = (struct observation){
		.host = id,
		.deadline_us = deadline_us,
		.ctx = &answer->ctx,
		.look = is_disks ? NULL : list_host,
		.look_disks = is_disks ? list_disks : NULL,
		.done = host_answered,
		.arg = answer,
	};
	return OK;
}

static RESULT prepare_hosts(struct audit_run *run, int64_t deadline_us)
{
	AUTO_VIEW view = {0};
	view_open(run->r->store, &view);
	run->answers = arena_new_array(run->c->arena, struct audit_answer,
				       2 * tables_count(view.tables, KIND_HOST) +
					       tables_count(view.tables, KIND_STORAGE_POOL));
	if (!run->answers)
		return ctx_no_memory(run->c);
	for (const struct host *h = host_first(view.tables); h; h = host_next(view.tables, h)) {
		TRY(prepare_answer(run, "host", h->row.id, h->name, false, deadline_us));
		TRY(prepare_answer(run, "host", h->row.id, h->name, true, deadline_us));
		TRY(prepare_pools(run, view.tables, &run->answers[run->answer_count - 1]));
	}
	for (const struct storage_pool *p = storage_pool_first(view.tables); p;
	     p = storage_pool_next(view.tables, p)) {
		if (p->kind != STORAGE_POOL_KIND_RBD)
			continue;
		TRY(prepare_answer(run, "storage pool", p->row.id, p->name, true, deadline_us));
		run->answers[run->answer_count - 1].pool = p->row.id;
	}
	return OK;
}

static void free_answers(struct audit_run *run)
{
	for (size_t k = 0; k < run->answer_count; k++)
		arena_free(run->answers[k].ctx.arena);
	arena_free(run->network_ctx.arena);
	(void) pthread_cond_destroy(&run->answered);
	(void) pthread_mutex_destroy(&run->lock);
}

static RESULT prepare(struct audit_run *run, int64_t deadline_us)
{
	struct arena *arena = arena_new(HOST_ARENA_FIRST, INVENTORY_CAP);
	if (!arena)
		return ctx_no_memory(run->c);
	ctx_init(&run->network_ctx, arena);
	return prepare_hosts(run, deadline_us);
}

RESULT audit_run_begin(struct reconciler *r, struct ctx *c, int64_t deadline_us, uuid row,
		       struct audit_run **ret_run)
{
	struct audit_run *run = arena_new_object(c->arena, struct audit_run);
	if (!run)
		return ctx_no_memory(c);
	*run = (struct audit_run){
		.r = r, .c = c, .row = row, .network_job = {.run = list_network, .drop = drop_network}};
	(void) pthread_mutex_init(&run->lock, NULL);
	(void) pthread_cond_init(&run->answered, NULL);
	struct result prepared = prepare(run, deadline_us);
	if (!result_is_ok(prepared)) {
		free_answers(run);
		return prepared;
	}
	run->open = run->answer_count + 1;
	/* The answers count down from here on; run->open was set before so that no answer can be the last one
	 * too early. */
	post_network(run);
	for (size_t k = 0; k < run->answer_count; k++)
		reconciler_observe(r, &run->answers[k].observation);
	*ret_run = run;
	return OK;
}

RESULT reconciler_begin_audit(struct reconciler *r, struct ctx *c, int64_t deadline_us,
			      struct audit_run **ret_run)
{
	return audit_run_begin(r, c, deadline_us, UUID_NONE, ret_run);
}

void audit_run_count(struct audit_run *run, size_t *ret_asked, size_t *ret_answered)
{
	(void) pthread_mutex_lock(&run->lock);
	*ret_asked = run->answer_count + 1;
	*ret_answered = *ret_asked - run->open;
	(void) pthread_mutex_unlock(&run->lock);
}

void audit_run_drop(struct audit_run *run)
{
	free_answers(run);
}

bool reconciler_audit_is_answered(struct audit_run *run)
{
	(void) pthread_mutex_lock(&run->lock);
	bool is_answered = run->open == 0;
	(void) pthread_mutex_unlock(&run->lock);
	return is_answered;
}

/* Terminates: a lost connection fails its call, and the deadline ends observations that are still queued. */
static void wait_for_answers(struct audit_run *run)
{
	(void) pthread_mutex_lock(&run->lock);
	while (run->open > 0)
		(void) pthread_cond_wait(&run->answered, &run->lock);
	(void) pthread_mutex_unlock(&run->lock);
}

/* ---- the end ---- */

static void compare_host(struct finding_list *f, const struct tables *t, const struct audit_answer *answer)
{
	if (!result_is_ok(answer->result)) {
		find_out(f, AUDIT_DIFFERENCE_ABOUT_UNSEEN,
			 str_print(f->c->arena, "%s%" STR_FMT " could not be looked at: %" STR_FMT,
				   answer->is_disks ? "the disks of " : "", STR_ARG(answer->words),
				   STR_ARG(answer->ctx.problem.message)));
	} else if (!uuid_is_none(answer->pool)) {
		compare_files(f, t, answer, &answer->disks, answer->pool);
		compare_pool(f, t, answer);
	} else if (answer->is_disks) {
		compare_disks(f, t, answer);
		compare_volumes(f, t, answer);
	} else {
		compare_domains(f, t, answer);
		compare_instances(f, t, answer);
	}
}

static void compare_all(struct finding_list *f, struct audit_run *run)
{
	AUTO_VIEW view = {0};
	view_open(run->r->store, &view);
	for (size_t k = 0; k < run->answer_count; k++)
		compare_host(f, view.tables, &run->answers[k]);
	if (!result_is_ok(run->network_result))
		find_out(f, AUDIT_DIFFERENCE_ABOUT_UNSEEN,
			 str_print(f->c->arena, "the network could not be looked at: %" STR_FMT,
				   STR_ARG(run->network_ctx.problem.message)));
	else if (result_is_ok(sort_network(run)))
		compare_network(f, view.tables, run);
}

void reconciler_end_audit(struct audit_run *run, struct audit *ret_audit)
{
	struct ctx *c = run->c;
	*ret_audit = (struct audit){.ctx = c, .asked = run->answer_count + 1};
	struct finding_list f = {.c = c, .audit = ret_audit};
	compare_all(&f, run);
	struct result sql = store_compare_with_sql(run->r->store, c);
	if (!result_is_ok(sql))
		find_out(&f, AUDIT_DIFFERENCE_ABOUT_OTHER, str_copy(c->arena, c->problem.message));
	ctx_clear_problem(c);
	free_answers(run);
}

RESULT reconciler_audit(struct reconciler *r, struct ctx *c, int64_t deadline_us, struct audit *ret_audit)
{
	struct audit_run *run = NULL;
	TRY(reconciler_begin_audit(r, c, deadline_us, &run));
	wait_for_answers(run);
	reconciler_end_audit(run, ret_audit);
	return OK;
}
