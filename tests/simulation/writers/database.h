/* SPDX-License-Identifier: Apache-2.0
 * A simulated PostgreSQL server and the network to it: the statements that src/store sends, transactions, row locks, and what
 * goes wrong with them. It reads the guards (the conditions of the fence and of the lease) from the product's SQL. */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fiber_group;

enum { DATABASE_COLUMNS_MAX = 192, HOLDER_MAX = 96 };

struct bytes {
	const char *p; /* NULL: SQL's NULL */
	int n;
};

/* ---- results (libpq.c) ---- */

PGresult *result_new(ExecStatusType status);
void result_add(PGresult *result, const char *p, int n); /* one value of the only row */
void result_add_row(PGresult *result, const struct bytes *values, int count);
PGresult *result_error(const char *state, const char *words);

/* ---- connections (libpq.c) ---- */

struct statement {
	enum statement_type { SIMPLE, PARAMS, PREPARE, EXECUTE, SYNC } type;
	const char *name, *sql;
	struct bytes *params;
	int count;
	struct statement *next;
};

/* Statements that a client sends at once: one query, or a pipeline. */
struct request {
	struct statement *first, **end;
	bool is_pipeline, is_commit;
	bool is_ghost;       /* its client does not wait for it any more */
	bool is_dropped;     /* it never arrives */
	bool is_carried_out; /* or refused */
	unsigned what;       /* changes in the commit */
	uint64_t base;       /* batch before the commit */
};

struct session;
struct PGconn_items;
struct pg_conn {
	int fd;
	struct fiber_group *group;
	struct session *session;   /* NULL: the server has ended it */
	struct item *first, *last; /* what has arrived and was not taken */
	bool has_input, is_eof, is_bad, is_finished, is_pipeline;
	bool is_copying;
	unsigned outstanding; /* requests without their last item */
	unsigned notifications;
	struct request *request;                   /* the pipeline so far */
	struct request *commit;                    /* awaited; NULL: none */
	int64_t sends_until_us, receives_until_us; /* the last message's arrival, each way */
	char error[128];
};

struct item {
	enum { ITEM_RESULT, ITEM_END, ITEM_COPY } type;
	PGresult *result;
	struct bytes copy;
	bool is_last; /* no other item answers the request */
	struct item *next;
};

void connection_receive(struct pg_conn *client, struct item *items);
void connection_notify(struct pg_conn *client);
void connection_end(struct pg_conn *client); /* it reads an end of file */

/* ---- the server ---- */

/* Opens a session for a client. NULL: the server cannot be reached now. */
struct session *database_connect(struct pg_conn *client);
bool database_is_in_transaction(const struct session *s);
/* The client has sent a request, or closed its connection. */
void database_send(struct pg_conn *client, struct request *request);
void database_leave(struct pg_conn *client);

/* ---- the network ---- */

int64_t network_delay_us(struct fiber_group *group);
/* Breaks all connections of a process, or all connections of the server for NULL. */
void network_break(struct fiber_group *group);
/* The process has died: what it sent goes on. */
void network_break_softly(struct fiber_group *group);
/* Drops all messages to and from the machine until then. */
void network_cut(int machine, int64_t until_us);
int64_t network_is_cut_until(int machine);

/* ---- faults and observations, for history.c ---- */

void database_open(
	int64_t epoch); /* the last one that was given, perhaps by a server whose clock was ahead */
/* A fail-over. lost_commits: what the standby lacks of the last commits, renewals and take-overs of the lease among them. */
void database_stop_until(int64_t until_us, unsigned lost_commits);
bool database_is_taken(void); /* some process takes the lease, or renews it */
void database_set_clock(int64_t by_us);
void database_slow_until(int64_t until_us); /* commits wait for a standby */
unsigned database_has(void);                /* the changes that are committed */
int64_t database_epoch(void);
uint64_t database_batch(void);
