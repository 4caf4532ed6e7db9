/* SPDX-License-Identifier: Apache-2.0
 * The deployer: carries deployments out, on an actor of its own. It is level-triggered: whenever rows of deployments change, and each
 * second while one goes on, it looks at each deployment that has not ended, and takes a *turn* of it (deployment_step.c). */
#include "api/azure/deployments/deployer_internal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/exec_stepped.h"
#include "base/heap.h"
#include "http/internal_call.h"
#include "store/deployment.h"

enum { TURNS_MAX = 16, LOOK_AGAIN_US = SECOND, STOP_LIMIT_S = 10 };

/* An active deployment. Turns are numbered from 1; 0: it has had none. */
struct waiting {
	uuid deployment, account;
	int64_t created_us;
	uint64_t turn, account_turn; /* number of its last turn, and of its account's */
	bool is_due;                 /* had no turn since the last change of rows */
};

struct deployer {
	struct az_face *face;
	struct store *store;
	struct actor *actor;
	struct job woken, timer, next;
	_Atomic bool is_woken;
	bool has_timer, has_next; /* owned by the actor, like the following members */
	int64_t since_us;         /* start time of the deployment */
	uint64_t last_turn;
	struct waiting *waiting; /* active deployments, sorted by id; owned */
	size_t waiting_count;
	struct turn *turns; /* at most one per account */
	/* Set by the thread that stops the face; read by the actor, the committer and calls. */
	_Atomic bool is_stopping;
	pthread_mutex_t lock; /* protects the following members */
	pthread_cond_t ended;
	size_t turn_count, question_count;
};

struct az_face *deployer_face(struct deployer *d)
{
	return d->face;
}

struct actor *deployer_actor(struct deployer *d)
{
	return d->actor;
}

bool deployer_is_stopping(const struct deployer *d)
{
	return d->is_stopping;
}

/* ---- waking ---- */

static void wake(struct deployer *d)
{
	if (!d->is_stopping && !atomic_exchange(&d->is_woken, true))
		actor_post(d->actor, &d->woken);
}

/* Runs on the committer. */
static void on_publish(void *self, const struct tables *tables, const struct published *published,
		       size_t count)
{
	bool concerns = false;
	(void) tables;
	for (size_t k = 0; k < count; k++)
		concerns = concerns || published[k].kind == KIND_DEPLOYMENT ||
			   published[k].kind == KIND_DEPLOYMENT_OPERATION;
	if (concerns)
		wake(self);
}

/* ---- whose turn it is ---- */

static int compare_waiting(const void *a, const void *b)
{
	const struct waiting *x = a, *y = b;
	return uuid_compare(x->deployment, y->deployment);
}

static const struct waiting *find_waiting(const struct deployer *d, uuid deployment)
{
	const struct waiting probe = {.deployment = deployment};
	return d->waiting ? bsearch(&probe, d->waiting, d->waiting_count, sizeof probe, compare_waiting)
			  : NULL;
}

static bool is_at_work(const struct deployer *d, uuid account)
{
	const struct turn *t = d->turns;
	while (t && !uuid_equal(turn_account(t), account))
		t = turn_next(t);
	return t;
}

static size_t count_going(const struct tables *t)
{
	size_t count = 0;
	for (const struct deployment *row = deployment_first_by_ended(t, 0); row;
	     row = deployment_next_by_ended(t, row))
		count++;
	return count;
}

/* Collects the active deployments. Each keeps the number of its last turn. False: no memory; the timer
 * retries. */
static bool gather_waiting(struct deployer *d)
{
	AUTO_VIEW view = {0};
	view_open(d->store, &view);
	size_t count = 0, room = count_going(view.tables);
	struct waiting *all = heap_alloc_array(room ? room : 1, sizeof *all);
	if (!all)
		return false;
	for (const struct deployment *row = deployment_first_by_ended(view.tables, 0); row;
	     row = deployment_next_by_ended(view.tables, row)) {
		const struct waiting *known = find_waiting(d, row->row.id);
		all[count] = known ? *known
				   : (struct waiting){.deployment = row->row.id,
						      .account = row->account,
						      .created_us = row->row.created_us};
		all[count++].is_due = true;
	}
	qsort(all, count, sizeof *all, compare_waiting);
	heap_free(d->waiting);
	d->waiting = all;
	d->waiting_count = count;
	return true;
}

static bool comes_before(const struct waiting *a, const struct waiting *b)
{
	if (a->account_turn != b->account_turn)
		return a->account_turn < b->account_turn;
	return a->turn != b->turn ? a->turn < b->turn : a->created_us > b->created_us;
}

/* Chooses the deployment for the next turn: from the accounts without a turn the one that has waited
 * longest, and likewise among its deployments. So no account waits for more than one turn of each other
 * account. After a start the newest is first: a nested deployment ends before the one that made it asks
 * for it again. NULL: none waits. */
static struct waiting *choose(struct deployer *d)
{
	struct waiting *best = NULL;
	for (size_t k = 0; k < d->waiting_count; k++) {
		struct waiting *w = &d->waiting[k];
		if (w->is_due && (!best || comes_before(w, best)) && !is_at_work(d, w->account))
			best = w;
	}
	return best;
}

static void give_turn(struct deployer *d, struct waiting *w)
{
	uuid deployment = w->deployment, account = w->account;
	bool is_resumed = w->turn == 0 && w->created_us < d->since_us;
	w->is_due = false;
	w->turn = ++d->last_turn;
	for (size_t k = 0; k < d->waiting_count; k++)
		if (uuid_equal(d->waiting[k].account, account))
			d->waiting[k].account_turn = d->last_turn;
	turn_begin(d, deployment, is_resumed, &d->turns);
}

/* Starts as many turns as allowed. The end of each turn calls this again. */
static void give_turns(struct deployer *d)
{
	struct waiting *w = NULL;
	while (!d->is_stopping && d->turn_count < TURNS_MAX && (w = choose(d)))
		give_turn(d, w);
}

static void look_around(struct deployer *d)
{
	if (!d->is_stopping && gather_waiting(d))
		give_turns(d);
	if (d->is_stopping || !d->waiting_count || d->has_timer)
		return;
	d->has_timer = true;
	actor_post_at(d->actor, &d->timer, clock_now_us() + LOOK_AGAIN_US);
}

static void run_woken(struct job *job)
{
	struct deployer *d = (struct deployer *) ((char *) job - offsetof(struct deployer, woken));
	d->is_woken = false;
	look_around(d);
}

static void run_timer(struct job *job)
{
	struct deployer *d = (struct deployer *) ((char *) job - offsetof(struct deployer, timer));
	d->has_timer = false;
	look_around(d);
}

static void run_next(struct job *job)
{
	struct deployer *d = (struct deployer *) ((char *) job - offsetof(struct deployer, next));
	d->has_next = false;
	give_turns(d);
}

/* Ends a turn. Rows may have changed while the turn blocked the next one. */
void deployer_end_turn(struct deployer *d, struct turn *t, bool has_changed)
{
	turn_unlink(&d->turns, t);
	turn_free(t);
	deployer_count_turn(d, -1);
	if (has_changed)
		wake(d);
	if (d->is_stopping || d->has_next)
		return;
	d->has_next = true;
	actor_post(d->actor, &d->next);
}

static void count(struct deployer *d, size_t *figure, int change)
{
	(void) pthread_mutex_lock(&d->lock);
	*figure += (size_t) change;
	(void) pthread_cond_signal(&d->ended);
	(void) pthread_mutex_unlock(&d->lock);
}

void deployer_count_turn(struct deployer *d, int change)
{
	count(d, &d->turn_count, change);
}

/* ---- asking from another thread ---- */

struct question {
	struct deployer *of;
	struct job job;
	const struct az_call *client; /* asks in its caller's name */
	struct str path, query, sent; /* sent: body of a PUT that will be undone; none: a GET */
	pthread_mutex_t lock;         /* guards the members below */
	pthread_cond_t answered;
	bool is_over;
	int status;
	json_t *body;
};

static void end_question(struct question *q, int status, json_t *body)
{
	(void) pthread_mutex_lock(&q->lock);
	q->status = status;
	q->body = body;
	q->is_over = true;
	(void) pthread_cond_signal(&q->answered);
	(void) pthread_mutex_unlock(&q->lock);
}

static void take_answer(void *owner, int status, struct str body)
{
	end_question(owner, status, body.n ? json_loadb(body.p, body.n, 0, NULL) : NULL);
}

static void run_question(struct job *job)
{
	struct question *q = (struct question *) ((char *) job - offsetof(struct question, job));
	const struct internal_call wish = {.method = q->sent.n ? HTTP_PUT : HTTP_GET,
					   .path = q->path,
					   .query = q->query,
					   .body = q->sent,
					   .peer = q->client->call->peer,
					   .is_tls = q->client->call->is_tls,
					   .arg = &q->client->bearer,
					   .done = take_answer,
					   .owner = q};
	call_begin_internal(q->of->actor, api_handle_call, q->of->face, &wish);
}

static void drop_question(struct job *job)
{
	end_question((struct question *) ((char *) job - offsetof(struct question, job)), 0, NULL);
}

RESULT deployer_ask(struct az_call *e, struct str id, struct str version, int *ret_status, json_t **ret_body)
{
	return deployer_try(e, id, version, STR_NONE, ret_status, ret_body);
}

RESULT deployer_try(struct az_call *e, struct str id, struct str version, struct str body, int *ret_status,
		    json_t **ret_body)
{
	struct ctx *c = e->c;
	struct deployer *d = az_face_of(e)->deployer;
	if (!d || d->is_stopping)
		return ctx_fail(c, ERR_GONE, "nobody carries deployments out here");
	struct question q = {.of = d,
			     .job = {.run = run_question, .drop = drop_question},
			     .client = e,
			     .path = str_encode_url(c->arena, id, true),
			     .query = str_print(c->arena, "api-version=%" STR_FMT "%s",
						STR_ARG(str_encode_url(c->arena, version, false)),
						body.n ? "&" AZ_TRIES "=true" : ""),
			     .sent = body,
			     .lock = PTHREAD_MUTEX_INITIALIZER,
			     .answered = PTHREAD_COND_INITIALIZER};
	count(d, &d->question_count, 1);
	actor_post(d->actor, &q.job);
	(void) pthread_mutex_lock(&q.lock);
	while (!q.is_over)
		(void) pthread_cond_wait(&q.answered, &q.lock);
	(void) pthread_mutex_unlock(&q.lock);
	count(d, &d->question_count, -1);
	(void) pthread_cond_destroy(&q.answered);
	(void) pthread_mutex_destroy(&q.lock);
	*ret_status = q.status;
	*ret_body = q.body;
	return OK;
}

/* ---- life ---- */

/* Without an executor in the face's configuration there is no deployer: face->deployer stays NULL. */
static bool open_deployer(struct az_face *face)
{
	struct executor *executor = face->core.config.executor;
	if (!executor)
		return true;
	struct deployer *d = heap_alloc(sizeof *d);
	if (!d)
		return false;
	*d = (struct deployer){.face = face,
			       .store = face->core.config.store,
			       .since_us = clock_now_us(),
			       .woken = {.run = run_woken},
			       .timer = {.run = run_timer},
			       .next = {.run = run_next},
			       .lock = PTHREAD_MUTEX_INITIALIZER,
			       .ended = PTHREAD_COND_INITIALIZER,
			       .actor = actor_new(executor, "deployments")};
	if (!d->actor) {
		heap_free(d);
		return false;
	}
	store_listen(d->store, on_publish, d);
	face->deployer = d;
	wake(d);
	return true;
}

/* Waits for the running turns: their calls and changes come back to the actor. A stepped executor
 * delivers nothing while its thread waits. */
static void wait_for_turns(struct deployer *d)
{
	if (executor_is_stepped(d->face->core.config.executor))
		return;
	int64_t until_us = clock_now_us() + STOP_LIMIT_S * SECOND;
	const struct timespec until = {.tv_sec = until_us / SECOND, .tv_nsec = until_us % SECOND * 1000};
	int waited = 0;
	(void) pthread_mutex_lock(&d->lock);
	while ((d->turn_count || d->question_count) && !waited)
		waited = pthread_cond_timedwait(&d->ended, &d->lock, &until);
	(void) pthread_mutex_unlock(&d->lock);
}

/* Frees the turns, to which no call returns any more. */
static void free_turns(struct deployer *d)
{
	while (d->turns) {
		struct turn *t = d->turns;
		turn_unlink(&d->turns, t);
		turn_free(t);
	}
}

/* Waits for calls and changes that are on their way, ten seconds at most. */
static void close_deployer(struct az_face *face)
{
	struct deployer *d = face->deployer;
	if (!d)
		return;
	d->is_stopping = true;
	store_unlisten(d->store, on_publish, d);
	wait_for_turns(d);
	actor_free(d->actor);
	if (executor_is_stepped(d->face->core.config.executor))
		free_turns(d);
	(void) pthread_cond_destroy(&d->ended);
	(void) pthread_mutex_destroy(&d->lock);
	heap_free(d->waiting);
	heap_free(d);
}

const struct az_background az_deployer = {.open = open_deployer, .close = close_deployer};
