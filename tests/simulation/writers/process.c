/* SPDX-License-Identifier: Apache-2.0
 * A process: the product's way to become writer or follower (daemon/writer.c, daemon/follower/), its store, and a small engine in
 * the place of the reconciler, which moves one guest to where the store's changes want it. Three machines run one process each;
 * a supervisor starts it again. */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "daemon/daemon.h"
#include "daemon/follower/follower.h"
#include "database.h"
#include "fiber.h"
#include "history.h"
#include "store/follow.h"
#include "store/postgresql_internal.h"
#include "store/setting.h"

enum { MACHINES_MAX = 3 };

struct process {
	struct fiber_group group; /* must be first */
	int pid;
	struct daemon daemon;
	struct daemon_role role;
	sigset_t awaited;
	bool engine_runs, is_open;
};

static struct process *processes[MACHINES_MAX], *all[PROCESSES_MAX];
int processes_started;

bool process_is_alive(int pid)
{
	for (int k = 0; k < processes_started; k++)
		if (all[k]->pid == pid && all[k]->group.is_alive)
			return true;
	return false;
}

int process_pid(int number)
{
	return all[number]->pid;
}

bool process_runs(int machine)
{
	return processes[machine] && processes[machine]->group.is_alive;
}

int process_number(int machine)
{
	return processes[machine]->group.number;
}

bool process_is_open(int number)
{
	return all[number]->is_open;
}

bool process_knows(int machine, uint64_t *ret_batch)
{
	struct process *p = processes[machine];
	bool serves = process_runs(machine) && p->is_open && !p->group.is_told_to_end;
	if (serves)
		*ret_batch = atomic_load(&postgresql_of(p->daemon.sql)->commit);
	return serves;
}

bool process_is_writer(int machine)
{
	const struct process *p = processes[machine];
	return process_runs(machine) && p->is_open && !p->daemon.follower;
}

/* ---- rows ---- */

static struct str change_name(struct arena *a, unsigned change)
{
	return str_print(a, "change.%c", 'A' + (int) change);
}

/* Changes that the tables have. *ret_is_whole: as many as their counter says. */
static unsigned read_changes(const struct tables *t, bool *ret_is_whole)
{
	unsigned has = 0;
	int64_t counted = 0, count = 0;
	for (const struct setting *s = setting_first(t); s; s = setting_next(t, s)) {
		if (str_starts_with(s->name, STR("change."))) {
			has |= 1U << (s->name.p[7] - 'A');
			count++;
		} else if (!result_is_ok(str_parse_int(s->value, &counted))) {
			blame("a counter is no number");
		}
	}
	*ret_is_whole = count == counted;
	return has;
}

struct ask {
	struct change change;
	struct ctx ctx;
	struct process *process;
	unsigned number;
};

/* A repeated request finds its change by its token, as with EC2's client tokens. */
static RESULT make_change(struct op *op, void *arg)
{
	struct ask *ask = arg;
	struct arena *a = op->ctx->arena;
	struct str name = change_name(a, ask->number);
	int64_t count = 0;
	if (setting_find_by_name(op->head, name))
		return OK;
	struct setting row = {.row.id = uuid_random(), .name = name, .value = STR("made")};
	TRY(setting_put(op, &row));
	const struct setting *counter = setting_find_by_name(op->head, STR("counter"));
	struct setting next = {.row.id = counter ? counter->row.id : uuid_random(), .name = STR("counter")};
	if (counter)
		TRY(str_parse_int(counter->value, &count));
	next.value = str_print(a, "%" PRId64, count + 1);
	return setting_put(op, &next);
}

static void end_ask(struct change *change, struct result result)
{
	struct ask *ask = (struct ask *) (void *) change;
	if (result_is_ok(result))
		history_answer(ask->process->group.number, ask->number);
	else
		tell("process %d refuses change %u: %.*s", ask->process->group.number, ask->number,
		     STR_ARG(ask->ctx.problem.message));
	arena_free(ask->ctx.arena);
	free(ask);
}

/* The process's own threads do the rest. */
static void *submit(void *arg)
{
	struct ask *ask = arg;
	if (!ask->process->is_open)
		return NULL; /* it has begun to end */
	store_submit(ask->process->daemon.store, &ask->change);
	return NULL;
}

bool process_ask(int machine, unsigned number)
{
	struct process *p = processes[machine];
	if (!process_is_writer(machine) || p->group.is_told_to_end)
		return false;
	struct ask *ask = calloc(1, sizeof *ask);
	struct arena *arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	if (!ask || !arena)
		abort();
	ctx_init(&ask->ctx, arena);
	ask->ctx.deadline_us = sim_now_us() + p->group.clock_ahead_us + 30 * SECOND;
	ask->change = (struct change){
		.run = make_change, .arg = ask, .ctx = &ask->ctx, .done = end_ask, .action = "test:Change"};
	ask->process = p;
	ask->number = number;
	(void) fiber_start(&p->group, submit, ask);
	return true;
}

static void show(struct process *p, bool is_now)
{
	struct store *s = p->daemon.store;
	bool is_whole = false;
	AUTO_VIEW view = {0};
	view_open(s, &view);
	unsigned has = read_changes(view.tables, &is_whole);
	uint64_t batch = view.commit;
	view_close(&view);
	history_show(p->group.number, is_now, batch, has, is_whole);
}

static void *read_rows(void *arg)
{
	struct process *p = arg;
	struct sql_driver *sql = p->daemon.sql;
	if (!p->is_open)
		return NULL; /* it has begun to end */
	if (p->daemon.follower) {
		if (store_has_fed(p->daemon.store))
			show(p, false);
	} else if (sql->may_answer(sql)) {
		struct postgresql *own = postgresql_of(sql);
		show(p, lease_is_held(&own->lease.rules, clock_boot_us()));
	}
	return NULL;
}

void process_read(int machine)
{
	struct process *p = processes[machine];
	if (process_runs(machine) && p->is_open && !p->group.stands_still && !p->group.is_told_to_end)
		(void) fiber_start(&p->group, read_rows, p);
}

/* ---- the engine ---- */

static int place_of(struct process *p)
{
	bool is_whole = false;
	AUTO_VIEW view = {0};
	view_open(p->daemon.store, &view);
	return __builtin_popcount(read_changes(view.tables, &is_whole) & MOVES) % 2;
}

/* Chooses the next call that the process sends to a host, by the rows that it sees. False: none. */
static bool choose_call(struct process *p, enum call_kind *ret_kind, int *ret_host)
{
	int place = place_of(p), other = 1 - place;
	bool is_proven = left_out == WITHOUT_PROOF
				 ? host_is_cut(other) || !host_runs(other)
				 : host_is_off(other) || (!host_is_cut(other) && !host_runs(other));
	if (host_runs(other) && !host_is_cut(other)) {
		*ret_kind = CALL_STOP;
		*ret_host = other;
		return true;
	}
	if (!host_runs(place) && !host_is_cut(place) && !host_is_off(place) && is_proven) {
		*ret_kind = CALL_START;
		*ret_host = place;
		return true;
	}
	*ret_kind = CALL_OFF;
	*ret_host = other;
	return host_is_cut(other) && !host_is_off(other);
}

static void engine_step(struct process *p, struct ctx *c)
{
	enum call_kind kind = CALL_STOP;
	int host = 0, number = p->group.number;
	if (!writer_may_act(&p->daemon) || !choose_call(p, &kind, &host))
		return;
	steps_add(STEP_ASK, number, kind * HOSTS + host);
	if (!is_healing && chance(theme == THEME_HOSTS ? 15 : 3))
		process_stop_for(p->group.machine, between(SECOND, 9 * SECOND));
	fiber_sleep(chance(70) ? between(0, 50 * MILLISECOND) : between(0, 3 * SECOND));
	bool may_act = left_out == WITHOUT_RECHECK || result_is_ok(ctx_check_may_act(c));
	ctx_clear_problem(c);
	steps_add(may_act ? STEP_CALL : STEP_DROP, number, 0);
	if (may_act)
		host_call(number, model[number].take, kind, host);
}

static void *engine_main(void *arg)
{
	struct process *p = arg;
	struct ctx c;
	struct arena *arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	if (!arena)
		abort();
	ctx_init(&c, arena);
	c.may_act = writer_may_act;
	c.may_act_self = &p->daemon;
	while (!p->group.is_told_to_end) {
		fiber_sleep(between(20 * MILLISECOND,
				    (theme == THEME_HOSTS || theme == THEME_FORK ? 100 : 500) * MILLISECOND));
		if (!p->group.is_told_to_end)
			engine_step(p, &c);
	}
	p->engine_runs = false;
	fiber_wake(&p->engine_runs);
	return NULL;
}

/* ---- life ---- */

static void publish(void *self, const struct tables *t, const struct published *published, size_t count)
{
	const struct process *p = self;
	(void) t;
	(void) published;
	(void) count;
	if (p->daemon.follower)
		return;
	steps_add(STEP_HAPPENED, p->group.number, 0);
	model[p->group.number].commit = MODEL_NONE;
}

static void run_follower(struct process *p)
{
	struct daemon *d = &p->daemon;
	if (!result_is_ok(follower_start(d)))
		abort();
	p->is_open = true;
	while (!p->group.is_told_to_end)
		fiber_sleep(100 * MILLISECOND);
	p->is_open = false;
	follower_stop(d);
	store_close(d->store);
	follower_free(d);
}

static void run_writer(struct process *p)
{
	struct daemon *d = &p->daemon;
	p->is_open = p->engine_runs = true;
	tell("process %d writes, epoch %" PRId64, p->group.number, d->sql->lease.epoch);
	(void) fiber_start(&p->group, engine_main, p);
	while (!p->group.is_told_to_end)
		fiber_sleep(100 * MILLISECOND);
	while (p->engine_runs)
		(void) fiber_wait(&p->engine_runs, INT64_MAX);
	p->is_open = false;
	store_close(d->store);
}

static void *process_main(void *arg)
{
	struct process *p = arg;
	struct daemon *d = &p->daemon;
	d->arena = arena_new(ARENA_FIRST_SIZE, 64 * 1024 * 1024);
	if (!d->arena)
		abort();
	ctx_init(&d->ctx, d->arena);
	d->role = &p->role;
	d->awaited = &p->awaited;
	d->settings.store_peer = str_print(d->arena, "https://m%d", p->group.machine);
	d->executor = executor_new_threads();
	const struct store_config config = {.executor = d->executor};
	struct result r = writer_open_store(d, &config, "postgresql://db/dari");
	if (!result_is_ok(r)) {
		tell("process %d cannot begin: %.*s", p->group.number, STR_ARG(d->ctx.problem.message));
		_exit(1);
	}
	store_listen(d->store, publish, p);
	if (d->follower)
		run_follower(p);
	else
		run_writer(p);
	_exit(0);
}

static void start(int machine, int pid);

static void start_again(void *arg)
{
	int machine = (int) (intptr_t) arg;
	if (!process_runs(machine))
		start(machine, 1000 + processes_started);
}

static void supervise(int machine)
{
	event_at(sim_now_us() +
			 (chance(50) ? between(10 * MILLISECOND, 500 * MILLISECOND) : between(0, 8 * SECOND)),
		 start_again, (void *) (intptr_t) machine);
}

static void exited(struct fiber_group *group, int status)
{
	tell("process %d ends with status %d", group->number, status);
	network_break_softly(group);
	history_end(group->number);
	group->is_alive = false;
	if (status == -1)
		start(group->machine, all[group->number]->pid);
	else
		supervise(group->machine);
}

static void start(int machine, int pid)
{
	struct process *p = calloc(1, sizeof *p);
	if (!p)
		abort();
	if (processes_started == PROCESSES_MAX) {
		free(p);
		return; /* the history ends with those that are there */
	}
	p->pid = pid;
	p->group = (struct fiber_group){
		.is_alive = true,
		.number = processes_started,
		.machine = machine,
		.exited = exited,
		.clock_ahead_us = processes[machine] ? processes[machine]->group.clock_ahead_us : 0};
	all[processes_started++] = processes[machine] = p;
	tell("process %d begins on machine %d", p->group.number, machine);
	(void) fiber_start(&p->group, process_main, p);
}

void process_start(int machine)
{
	start(machine, 1000 + processes_started);
}

void process_kill(int machine)
{
	if (!process_runs(machine))
		return;
	struct fiber_group *group = &processes[machine]->group;
	tell("process %d is killed", group->number);
	network_break_softly(group);
	history_end(group->number);
	fiber_end_group(group);
	supervise(machine);
}

void process_stop(int machine)
{
	struct fiber_group *group = &processes[machine]->group;
	if (!process_runs(machine) || group->stands_still)
		return;
	tell("process %d stands still", group->number);
	group->stands_still = true;
	model[group->number].stands_still = model[group->number].role != MODEL_FOLLOWER;
	if (model[group->number].stands_still)
		steps_add(STEP_STAND_STILL, group->number, 0);
}

static void go_on(void *arg)
{
	process_continue((int) (intptr_t) arg);
}

void process_stop_for(int machine, int64_t us)
{
	process_stop(machine);
	event_at(sim_now_us() + us, go_on, (void *) (intptr_t) machine);
}

void process_continue(int machine)
{
	if (!process_runs(machine) || !processes[machine]->group.stands_still)
		return;
	struct fiber_group *group = &processes[machine]->group;
	tell("process %d goes on", group->number);
	group->stands_still = false;
	if (model[group->number].stands_still)
		steps_add(STEP_GO_ON, group->number, 0);
	model[group->number].stands_still = false;
}

void process_tell_to_end(int machine)
{
	if (!process_runs(machine) || processes[machine]->group.is_told_to_end)
		return;
	tell("process %d is told to end", processes[machine]->group.number);
	processes[machine]->group.is_told_to_end = true;
}

void process_set_clock(int machine, int64_t by_us)
{
	if (process_runs(machine))
		processes[machine]->group.clock_ahead_us += by_us;
}

struct fiber_group *process_group(int machine)
{
	return process_runs(machine) ? &processes[machine]->group : NULL;
}
