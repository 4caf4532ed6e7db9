/* SPDX-License-Identifier: Apache-2.0
 * A history of several processes: its faults, the rules that must hold, and its steps in the words of writers.pml.
 *   main.c       seeds, guards, output
 *   history.c    the order of events, faults, clients, the checks
 *   steps.c      the history's steps in the model's words
 *   lines.c      batches that were committed, as lines of history that part when a fail-over loses commits
 *   process.c    a process: the product's start, its store, and a small engine
 *   hosts.c      two hosts, one guest, and calls on their way
 *   database.c   the server, and the network to it
 *   statements.c its statements
 *   libpq.c      libpq over that network
 *   fiber.c      threads and time */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* MOVES: the changes that move the guest to the other host. */
enum { CHANGES = 24, MOVES = 0xAAAAAA, PROCESSES_MAX = 96, HOSTS = 2 };

/* Guards of the product against two writers. Each can be left out, and a history must then go wrong. */
/* clang-format off */
#define GUARDS(G) \
	G(EXPIRY) G(RAISE) G(EPOCH) G(BATCH) G(SENT) G(RENEWAL_EPOCH) G(LOAD) \
	G(LOADED) G(MARGIN) G(WAIT) G(FULL_WAIT) G(RECHECK) G(PROOF) G(LOCK) \
	G(START) G(RELOAD) G(UNIQUE) G(HANDED) G(LAPSE)
/* clang-format on */
enum rule {
	GUARD_NONE,
#define G(name) WITHOUT_##name,
	GUARDS(G)
#undef G
		GUARD_COUNT
};
extern enum rule left_out;

/* The faults that a history is mostly about. */
enum theme { THEME_ALL, THEME_DATABASE, THEME_HOSTS, THEME_CLOCK, THEME_FORK, THEMES };
extern enum theme theme;
extern bool is_healing; /* nothing goes wrong any more */

struct options {
	uint64_t seed;
	bool is_told;      /* prints what happens */
	const char *steps; /* file for the steps; NULL: none */
};
/* Runs a history. Ends the process with status 1 after a wrong result. */
void history_run(const struct options *options);
void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void blame(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool chance(unsigned percent);
int64_t between(int64_t least, int64_t most);

/* ---- what the parts report ---- */

struct request;
void history_send_commit(int process, struct request *request);
/* The client of a commit does not know its outcome. */
void history_lose_commit(int process, struct request *request);
/* A commit that was under way never reaches the database. */
void history_drop_commit(int process, struct request *request);
/* The database has carried out a commit, or refused it at the fence. */
void history_commit(int process, struct request *request, bool is_done);
/* A fail-over has lost as many commits, and these changes with them. */
void history_fork(unsigned lost_commits, unsigned lost_changes);
void history_read_fence(int process, bool with_lock, int64_t epoch, uint64_t batch);
void history_renew(int process, bool is_done, bool gives_back);
void history_note_sent(int process, const char *sql);
void history_answer(int process, unsigned change);
void history_end(int process);
/* A process shows this. is_now: it holds the lease, so it has to show every answered change. */
void history_show(int process, bool is_now, uint64_t batch, unsigned has, bool is_whole);

/* ---- steps.c ---- */

/* The steps of writers.pml, with its names. */
/* clang-format off */
#define STEPS(S) \
	S(TAKE_SEND) S(TAKE) S(OPEN) S(RENEW_SEND) S(RENEW) S(RENEWED) \
	S(RENEW_LOSE) S(RENEW_LATE) S(LEAVE) S(GIVE_BACK) S(COMMIT_SEND) S(REPEAT) \
	S(COMMIT) S(HAPPENED) S(COMMIT_LOSE) S(GHOST) S(GHOST_LOSE) S(SETTLE) \
	S(SEND_AGAIN) S(EXPLAIN) S(READ) S(ASK) S(CALL) S(DROP) \
	S(CARRY_OUT) S(CALL_LOSE) S(STAND_STILL) S(GO_ON) S(END) S(TICK) \
	S(CUT) S(MEND) S(CLOCK) S(EMPTY) S(FORK) S(GIVE_UP)
/* clang-format on */
enum step {
	STEP_NONE,
#define S(name) STEP_##name,
	STEPS(S)
#undef S
		STEP_COUNT
};
void steps_add(enum step step, int process, int64_t argument);
/* Keeps the place of a step that is known later to have taken place, or not. */
size_t steps_reserve(enum step step, int process, int64_t argument);
void steps_settle(size_t place, bool took_place);
void steps_write(const char *path,
		 bool are_late); /* are_late: hosts carry calls out at any time; the name says so */

/* States of the model's process after the steps so far. */
enum { MODEL_FOLLOWER, MODEL_TAKING, MODEL_WRITER };
enum { MODEL_NONE, MODEL_SENT, MODEL_DONE, MODEL_REFUSED, MODEL_UNKNOWN, MODEL_KNOWN_NOT };
struct request;
struct model_process {
	int role, renewal, commit;
	bool has_ended, stands_still, is_ghost;
	int64_t epoch;
	int64_t take;            /* counts take-overs, also those that a fail-over has lost */
	uint64_t base;           /* batch before the commit */
	struct request *request; /* the commit that was sent last */
};
extern struct model_process model[PROCESSES_MAX];

/* ---- lines.c ---- */

/* Notes a batch that goes on from another one. Returns its place; 0 is the empty database. */
size_t lines_add(size_t from, uint64_t batch, int64_t epoch, unsigned has);
/* A process shows these changes as a batch. False: there is no such batch that goes on from what it has shown before. */
bool lines_show(int process, uint64_t batch, unsigned has);

/* ---- process.c ---- */

struct process;
void process_start(int machine);
bool process_runs(int machine);
int process_number(int machine);                /* number of the process on the machine */
struct fiber_group *process_group(int machine); /* NULL: none runs */
int process_pid(int number);
void process_kill(int machine);
void process_stop(int machine); /* SIGSTOP */
void process_stop_for(int machine, int64_t us);
void process_continue(int machine);    /* SIGCONT */
void process_tell_to_end(int machine); /* SIGTERM */
void process_set_clock(int machine, int64_t by_us);
/* A client asks for a change. False: the process does not take it. */
bool process_ask(int machine, unsigned change);
/* A client reads. */
void process_read(int machine);
bool process_is_writer(int machine);
bool process_is_open(int number); /* it has loaded its rows, and serves */
/* Number of the last batch that the process on the machine knows of. False: it does not serve. */
bool process_knows(int machine, uint64_t *ret_batch);
extern int processes_started;

/* ---- hosts.c ---- */

enum call_kind { CALL_START, CALL_STOP, CALL_OFF };
void hosts_open(bool runs_first, bool calls_are_late);
void hosts_heal(void); /* calls take little time from now on, and none is lost */
bool host_runs(int host);
bool host_is_cut(int host);
bool host_is_off(int host);
void host_cut(int host);
void host_mend(int host);
/* Sends a call, and waits until the host has carried it out or it is lost. */
void host_call(int process, int64_t take, enum call_kind kind, int host);
