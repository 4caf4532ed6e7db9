/* SPDX-License-Identifier: Apache-2.0
 * Draws what happens: clients' changes and reads, faults of processes, of the database, of the network and of hosts. Checks every
 * answer. In the end all faults are mended, and every change must take place. */
#include "history.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "database.h"
#include "fiber.h"
#include "model/row.h"
#include "store/follow.h"
#include "store/lease.h"

_Noreturn void __real__exit(int status);

enum { MACHINES_MAX = 3 };
static const int64_t FAULTS_US = 45 * SECOND, HEALING_MAX_US = 60 * SECOND, BEGIN_US = 1800000000 * SECOND,
		     FORK_PAUSE_US = 5 * SECOND; /* another standby takes longer to be promoted */

enum rule left_out;
enum theme theme;
bool is_healing;
static const struct options *options;
static int machines;
static bool are_late;
static unsigned answered;
static unsigned lost; /* changes that a fail-over has lost */
static int64_t forked_us, fork_from_us;
static void fork_soon(void *arg);

void tell(const char *format, ...)
{
	va_list args;
	if (!options->is_told)
		return;
	printf("%9.4f s  ", (double) (sim_now_us() - BEGIN_US) / (double) SECOND);
	va_start(args, format);
	(void) vprintf(format, args);
	va_end(args);
	(void) putchar('\n');
}

void blame(const char *format, ...)
{
	va_list args;
	printf("seed %" PRIu64 ", %9.4f s: ", options->seed,
	       (double) (sim_now_us() - BEGIN_US) / (double) SECOND);
	va_start(args, format);
	(void) vprintf(format, args);
	va_end(args);
	(void) putchar('\n');
	(void) fflush(stdout);
	if (options->steps)
		steps_write(options->steps, are_late);
	__real__exit(1);
}

bool chance(unsigned percent)
{
	return random_below(100) < percent;
}

int64_t between(int64_t least, int64_t most)
{
	return least + (int64_t) random_below((uint64_t) (most - least) + 1);
}

/* ---- what the parts report ---- */

static unsigned changes_in(const struct request *r)
{
	unsigned what = 0;
	char name[16];
	(void) snprintf(name, sizeof name, "s%u", (unsigned) (KIND_COUNT + KIND_SETTING));
	for (const struct statement *s = r->first; s; s = s->next)
		for (int k = 0; s->type == EXECUTE && strcmp(s->name, name) == 0 && k < s->count; k++)
			for (int at = 0; at + 7 < s->params[k].n; at++)
				if (memcmp(s->params[k].p + at, "change.", 7) == 0)
					what |= 1U << (s->params[k].p[at + 7] - 'A');
	return what;
}

/* The fence has refused a commit, but the process goes on, and refuses changes. */
static void give_up(int process)
{
	if (model[process].commit != MODEL_REFUSED)
		return;
	steps_add(STEP_GIVE_UP, process, 0);
	model[process].commit = MODEL_NONE;
}

void history_send_commit(int process, struct request *r)
{
	struct model_process *m = &model[process];
	give_up(process);
	steps_add(m->commit == MODEL_KNOWN_NOT ? STEP_SEND_AGAIN : STEP_COMMIT_SEND, process, changes_in(r));
	if (m->commit == MODEL_NONE)
		m->base = strtoull(r->first->next->params[1].p, NULL, 10);
	m->commit = MODEL_SENT;
	m->request = r;
}

/* The model has room for one such commit of a process: another one is lost on its way. */
static void leave_ghost(struct model_process *m, struct request *r)
{
	r->is_dropped = m->is_ghost;
	r->is_ghost = true;
	m->is_ghost = true;
}

void history_lose_commit(int process, struct request *r)
{
	struct model_process *m = &model[process];
	if (m->has_ended || m->commit == MODEL_UNKNOWN)
		return;
	bool is_open = m->commit == MODEL_SENT && !r->is_carried_out && !r->is_dropped;
	if (is_open)
		leave_ghost(m, r);
	steps_add(STEP_COMMIT_LOSE, process, is_open && !r->is_dropped);
	m->commit = MODEL_UNKNOWN;
}

void history_drop_commit(int process, struct request *r)
{
	struct model_process *m = &model[process];
	if (r->is_carried_out)
		return;
	if (r->is_ghost && !r->is_dropped) {
		steps_add(STEP_GHOST_LOSE, process, 0);
		m->is_ghost = false;
	}
	r->is_dropped = r->is_carried_out = true;
}

void history_commit(int process, struct request *r, bool is_done)
{
	struct model_process *m = &model[process];
	if (r->is_carried_out)
		return;
	r->is_carried_out = true;
	steps_add(r->is_ghost ? STEP_GHOST : STEP_COMMIT, process, is_done);
	if (r->is_ghost)
		m->is_ghost = false;
	else
		m->commit = is_done ? MODEL_DONE : MODEL_REFUSED;
}

void history_read_fence(int process, bool with_lock, int64_t epoch, uint64_t batch)
{
	struct model_process *m = &model[process];
	if (m->has_ended || m->role != MODEL_WRITER)
		return;
	if (with_lock && m->commit != MODEL_NONE && m->commit != MODEL_SENT) {
		if (m->commit != MODEL_UNKNOWN)
			steps_add(STEP_COMMIT_LOSE, process, 0);
		m->commit = epoch != m->epoch || batch < m->base ? MODEL_REFUSED
			    : batch > m->base                    ? MODEL_DONE
								 : MODEL_KNOWN_NOT;
		steps_add(STEP_SETTLE, process, 0);
	} else if (!with_lock && m->commit == MODEL_REFUSED) {
		steps_add(STEP_EXPLAIN, process, 0);
		if (epoch == m->epoch && batch == m->base + 1)
			m->commit = MODEL_DONE;
	}
}

void history_renew(int process, bool is_done, bool gives_back)
{
	struct model_process *m = &model[process];
	if (gives_back) {
		if (is_done)
			steps_add(STEP_GIVE_BACK, process, 0);
	} else if (m->role == MODEL_WRITER && m->renewal == MODEL_SENT && !m->has_ended) {
		steps_add(STEP_RENEW, process, is_done);
		m->renewal = is_done ? MODEL_DONE : MODEL_REFUSED;
	} else if (is_done) {
		steps_add(STEP_RENEW_LATE, process, 0);
	}
}

void history_end(int process)
{
	struct model_process *m = &model[process];
	if (m->role != MODEL_FOLLOWER)
		steps_add(STEP_END, process, 0);
	if (m->commit == MODEL_SENT && !m->request->is_carried_out && !m->request->is_ghost)
		leave_ghost(m, m->request);
	m->has_ended = true;
	m->role = MODEL_FOLLOWER;
}

void history_note_sent(int process, const char *sql)
{
	struct model_process *m = &model[process];
	if (strncmp(sql, "UPDATE writer_lease SET expires = '-inf", 39) == 0 && m->role == MODEL_WRITER) {
		give_up(process);
		steps_add(STEP_LEAVE, process, 0);
		m->role = MODEL_FOLLOWER;
	}
	if (strncmp(sql, "UPDATE writer_lease SET expires = clock", 39) != 0)
		return;
	if (m->role == MODEL_TAKING) {
		steps_add(STEP_END, process, 0);
		m->role = MODEL_FOLLOWER;
	}
	bool takes = m->role == MODEL_FOLLOWER;
	steps_add(takes ? STEP_TAKE_SEND : STEP_RENEW_SEND, process, 0);
	m->renewal = MODEL_SENT;
	m->role = takes ? MODEL_TAKING : MODEL_WRITER;
}

/* The changes are asked for anew: their clients were told that they are made, and nobody else may lose any. */
void history_fork(unsigned lost_commits, unsigned lost_changes)
{
	tell("%u commits are lost, with changes %#x", lost_commits, lost_changes);
	steps_add(STEP_FORK, 0, lost_commits);
	forked_us = sim_now_us();
	lost |= lost_changes;
	answered &= database_has();
}

/* A process whose batch was lost may answer from its memory until it notices. */
void history_answer(int process, unsigned change)
{
	unsigned what = 1U << change;
	tell("process %d answers change %u", process, change);
	if (model[process].role == MODEL_WRITER)
		steps_add(STEP_REPEAT, process, 0);
	if (!((database_has() | lost) & what))
		blame("process %d answers change %u, which the database does not have", process, change);
	answered |= what & database_has();
}

/* Checks that a reader sees committed changes alone, all of those of the batch that it names, and one line of history. */
void history_show(int process, bool is_now, uint64_t batch, unsigned has, bool is_whole)
{
	if (!is_whole)
		blame("process %d shows a part of batch %" PRIu64, process, batch);
	if (!lines_show(process, batch, has))
		blame("process %d shows changes %#x as batch %" PRIu64
		      ", and no batch with these follows what it showed",
		      process, has, batch);
	/* if the database's clock is set forward, or renewals are lost, the former writer answers for up to LEASE_TTL_MS more */
	is_now = is_now && theme != THEME_CLOCK && sim_now_us() >= forked_us + LEASE_TTL_MS * MILLISECOND;
	if (is_now && (answered & ~has))
		blame("process %d holds the lease and shows %#x, but %#x are answered", process, has,
		      answered);
	if (is_now && model[process].commit == MODEL_NONE)
		steps_add(STEP_READ, process, 0);
}

/* ---- the product's rules, where the simulation looks on ---- */

struct lease;
void __real_lease_begin(struct lease *lease, int64_t sent_us, int64_t acts_from_us);
void __wrap_lease_begin(struct lease *lease, int64_t sent_us, int64_t acts_from_us);
void __real_lease_note(struct lease *lease, int64_t sent_us, int64_t now_us, enum lease_answer answer);
void __wrap_lease_note(struct lease *lease, int64_t sent_us, int64_t now_us, enum lease_answer answer);
bool __wrap_lease_may_act(const struct lease *lease, int64_t now_us);
bool __real_lease_may_act(const struct lease *lease, int64_t now_us);

void __wrap_lease_begin(struct lease *lease, int64_t sent_us, int64_t acts_from_us)
{
	struct model_process *m = &model[fiber_self_group()->number];
	steps_add(STEP_OPEN, fiber_self_group()->number, 0);
	if (theme == THEME_FORK && chance(left_out ? 100 : 25))
		event_at(sim_now_us() + between(0, 1500 * MILLISECOND), fork_soon,
			 (void *) (intptr_t) fiber_self_group()->machine);
	m->role = MODEL_WRITER;
	m->renewal = MODEL_NONE;
	__real_lease_begin(lease, left_out == WITHOUT_SENT ? sim_now_us() : sent_us,
			   left_out == WITHOUT_WAIT ? sim_now_us() : acts_from_us);
}

void __wrap_lease_note(struct lease *lease, int64_t sent_us, int64_t now_us, enum lease_answer answer)
{
	int process = fiber_self_group()->number;
	if (answer != LEASE_TAKEN && model[process].renewal != MODEL_NONE) {
		steps_add(answer == LEASE_RENEWED ? STEP_RENEWED : STEP_RENEW_LOSE, process, 0);
		model[process].renewal = MODEL_NONE;
	}
	__real_lease_note(lease, left_out == WITHOUT_SENT ? sim_now_us() : sent_us,
			  left_out == WITHOUT_LAPSE ? INT64_MIN : now_us, answer);
}

bool __wrap_lease_may_act(const struct lease *lease, int64_t now_us)
{
	return left_out == WITHOUT_MARGIN ? lease_is_held(lease, now_us) && now_us >= lease->acts_from_us
					  : __real_lease_may_act(lease, now_us);
}

enum store_following __real_store_read_following(struct store *s);
enum store_following __wrap_store_read_following(struct store *s);

enum store_following __wrap_store_read_following(struct store *s)
{
	enum store_following now = __real_store_read_following(s);
	return left_out == WITHOUT_RELOAD && now == STORE_BEHIND ? STORE_LOST : now;
}

/* ---- what happens ---- */

static int any_machine(void)
{
	return (int) random_below((uint64_t) machines);
}

/* Finds a machine whose process takes itself for the writer. */
static int writers_machine(void)
{
	int chosen = any_machine();
	uint64_t count = 0;
	for (int k = 0; k < machines; k++)
		if (process_is_writer(k) && random_below(++count) == 0)
			chosen = k;
	return chosen;
}

static int64_t some_time(void)
{
	return chance(50) ? between(MILLISECOND, SECOND) : between(SECOND, 7 * SECOND);
}

static void cut_machine(int machine, int64_t us)
{
	tell("machine %d is cut off from the database for %.3f s", machine, (double) us / (double) SECOND);
	network_cut(machine, sim_now_us() + us);
}

static void cut_again(void *arg)
{
	cut_machine((int) (intptr_t) arg, between(2 * SECOND, 7 * SECOND));
}

/* A short cut, and a longer one soon: what was sent in the first is answered late. */
static void stutter(int machine)
{
	int64_t us = between(100 * MILLISECOND, 1400 * MILLISECOND);
	cut_machine(machine, us);
	event_at(sim_now_us() + us + between(0, 500 * MILLISECOND), cut_again, (void *) (intptr_t) machine);
}

static void stop_database(int64_t us)
{
	tell("the database stops for %.3f s", (double) us / (double) SECOND);
	database_stop_until(sim_now_us() + us, 0);
}

static void set_database_clock(int64_t by_us)
{
	if ((theme != THEME_CLOCK && theme != THEME_FORK) || database_is_taken())
		return;
	tell("the database's clock is set by %.3f s", (double) by_us / (double) SECOND);
	database_set_clock(by_us);
	steps_add(STEP_CLOCK, 0, by_us);
}

/* A standby without the last commits takes over. Its clock is another one. */
static void fork_database(int64_t us)
{
	if (sim_now_us() < fork_from_us)
		return;
	fork_from_us = sim_now_us() + us + FORK_PAUSE_US;
	tell("a standby takes over within %.3f s", (double) us / (double) SECOND);
	database_stop_until(sim_now_us() + us, (unsigned) between(1, 3));
	if (chance(50))
		set_database_clock(between(-5 * SECOND, 5 * SECOND));
}

/* A fail-over soon after a take-over, which may be lost. The new writer may not hear of that before its deadline, and a former one that
 * was cut off may come back. */
static void fork_soon(void *arg)
{
	int machine = (int) (intptr_t) arg;
	if (is_healing || sim_now_us() < fork_from_us)
		return;
	fork_database(chance(80) ? between(MILLISECOND, 200 * MILLISECOND) : some_time());
	if (chance(70))
		cut_machine(machine, between(2 * SECOND, 4 * SECOND));
	for (int k = 0; k < machines && chance(80); k++) {
		if (k == machine)
			continue;
		network_cut(k, 0);
		process_continue(k);
	}
}

/* docs/postgresql.md: whoever runs the region restarts a writer that finds the database older than its memory, or all if nobody writes. */
static void accept_loss(void)
{
	uint64_t batch = 0;
	bool has_writer = false;
	for (int k = 0; k < machines; k++)
		has_writer = has_writer || process_is_writer(k);
	for (int k = 0; k < machines; k++)
		if (process_knows(k, &batch) && batch > database_batch() &&
		    (process_is_writer(k) || !has_writer))
			process_tell_to_end(k);
}

static void slow_commits(int64_t us)
{
	tell("commits wait for %.3f s", (double) us / (double) SECOND);
	database_slow_until(sim_now_us() + us);
}

static void break_network(int machine)
{
	if (process_group(machine))
		network_break(process_group(machine));
}

/* Weights of the faults, by theme. */
enum fault {
	KILL,
	STAND_STILL,
	TELL_TO_END,
	CUT,
	STUTTER,
	BREAK,
	STOP_DATABASE,
	SLOW,
	CUT_HOST,
	MEND_HOST,
	CLOCK,
	DATABASE_CLOCK,
	FORK,
	ACCEPT_LOSS,
	FAULTS
};
static const unsigned char weights[THEMES][FAULTS] = {
	[THEME_ALL] = {2, 4, 1, 3, 2, 4, 2, 2, 5, 5, 1, 0},
	[THEME_DATABASE] = {1, 2, 0, 4, 8, 8, 3, 5, 1, 2, 0, 0},
	[THEME_HOSTS] = {1, 3, 0, 8, 2, 0, 1, 0, 9, 9, 0, 0},
	[THEME_CLOCK] = {2, 2, 1, 2, 0, 1, 1, 1, 7, 7, 3, 7},
	[THEME_FORK] = {2, 7, 4, 9, 1, 3, 1, 2, 9, 12, 0, 0, 8, 4},
};

static enum fault draw_fault(void)
{
	unsigned sum = 0;
	enum fault fault = 0;
	for (unsigned k = 0; k < FAULTS; k++)
		sum += weights[theme][k];
	for (uint64_t dice = random_below(sum); dice >= weights[theme][fault]; fault++)
		dice -= weights[theme][fault];
	return fault;
}

static void break_something(void)
{
	int machine = chance(80) ? writers_machine() : any_machine(), host = (int) random_below(HOSTS);
	int64_t us = some_time();
	switch (draw_fault()) {
	case KILL:
		process_kill(machine);
		break;
	case STAND_STILL:
		process_stop_for(machine, us);
		break;
	case TELL_TO_END:
		process_tell_to_end(machine);
		break;
	case CUT:
		cut_machine(machine, us);
		break;
	case STUTTER:
		stutter(machine);
		break;
	case BREAK:
		break_network(machine);
		break;
	case STOP_DATABASE:
		stop_database(us);
		break;
	case SLOW:
		slow_commits(us);
		break;
	case CUT_HOST:
		host_cut(host);
		break;
	case MEND_HOST:
		host_mend(host);
		break;
	case DATABASE_CLOCK:
		set_database_clock(chance(70) ? between(0, 20 * SECOND) : between(-5 * SECOND, 0));
		break;
	case FORK:
		fork_database(us);
		break;
	case ACCEPT_LOSS:
		accept_loss();
		break;
	case CLOCK:
	case FAULTS:
	default:
		process_set_clock(machine, between(-20 * SECOND, 20 * SECOND));
		break;
	}
}

static void ask(void)
{
	unsigned change = (unsigned) random_below(CHANGES);
	if (!(answered & 1U << change))
		(void) process_ask(writers_machine(), change);
}

static void happen(void)
{
	uint64_t dice = random_below(100);
	for (int k = 0; k < machines; k++)
		process_read(k);
	if (dice < 8)
		ask();
	else if (dice < (theme == THEME_HOSTS || theme == THEME_FORK ? 22 : 14))
		break_something();
}

static void heal(void)
{
	tell("everything is mended");
	is_healing = true;
	hosts_heal();
	for (int k = 0; k < machines; k++) {
		network_cut(k, 0);
		process_continue(k);
	}
	for (int k = 0; k < HOSTS; k++) {
		if (host_is_off(k))
			host_cut(k);
		host_mend(k);
	}
}

static bool is_well(void)
{
	unsigned all = (1U << CHANGES) - 1;
	int place = __builtin_popcount(database_has() & MOVES) % 2;
	uint64_t batch = 0;
	for (int k = 0; k < machines; k++)
		if (process_knows(k, &batch) && batch < database_batch())
			return false; /* a follower that is ahead waits until the database has overtaken it */
	return answered == all && host_runs(place) && !host_runs(1 - place);
}

/* The faults that a guard is against. */
static enum theme theme_for(enum rule guard, enum theme drawn)
{
	bool is_about_hosts = guard == WITHOUT_LOADED || guard == WITHOUT_MARGIN || guard == WITHOUT_WAIT ||
			      guard == WITHOUT_RECHECK || guard == WITHOUT_LOCK;
	bool is_about_forks = guard == WITHOUT_START || guard == WITHOUT_RELOAD || guard == WITHOUT_UNIQUE ||
			      guard == WITHOUT_HANDED || guard == WITHOUT_LAPSE;
	return guard == WITHOUT_FULL_WAIT ? THEME_CLOCK
	       : is_about_forks           ? THEME_FORK
	       : is_about_hosts           ? THEME_HOSTS
	       : guard == WITHOUT_BATCH   ? THEME_DATABASE
					  : drawn;
}

void history_run(const struct options *given)
{
	options = given;
	random_set_seed(given->seed);
	sim_start(BEGIN_US);
	machines = 2 + (int) random_below(2);
	theme = (enum theme) random_below(THEMES);
	if (left_out)
		theme = theme_for(left_out, theme);
	are_late = left_out == WITHOUT_LOCK || (left_out == GUARD_NONE && theme == THEME_HOSTS && chance(40));
	forked_us = fork_from_us = BEGIN_US - MINUTE;
	database_open(theme == THEME_FORK && chance(50) ? BEGIN_US + 10 * MINUTE : 0);
	hosts_open(chance(50), are_late);
	if (!host_runs(0))
		steps_add(STEP_EMPTY, 0, 0);
	for (int k = 0; k < machines; k++)
		process_start(k);
	int64_t until_us = BEGIN_US + FAULTS_US;
	while (sim_now_us() < until_us) {
		sim_run_until(sim_now_us() + between(0, 200 * MILLISECOND));
		happen();
	}
	heal();
	until_us = sim_now_us() + HEALING_MAX_US;
	while (!is_well() && sim_now_us() < until_us) {
		sim_run_until(sim_now_us() + 200 * MILLISECOND);
		if (host_is_off(0) || host_is_off(1))
			heal();
		accept_loss();
		for (unsigned k = 0; k < CHANGES; k++)
			if (!(answered & 1U << k))
				(void) process_ask(writers_machine(), k);
	}
	if (!is_well() && processes_started < PROCESSES_MAX)
		blame("not everything is well: changes %#x are answered, the guest runs on %d and %d, the "
		      "database is at %" PRIu64,
		      answered, host_runs(0), host_runs(1), database_batch());
	for (int k = 0; k < machines; k++)
		process_read(k);
	sim_run_until(sim_now_us() + SECOND);
	if (given->steps)
		steps_write(given->steps, are_late);
}
