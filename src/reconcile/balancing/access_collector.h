/* SPDX-License-Identifier: Apache-2.0
 * Receives what proxies report about requests, for access logs: a thread reads the sockets of all proxies with logs into memory, up to
 * a limit for each load balancer, each account and the region. Reports beyond a limit are dropped and counted, and a proxy never waits.
 * What waits in memory is in files of this machine as well (access_journal.h), which the next process reads.
 * Rows are not read here. Any thread may call. */
#pragma once

#include "base/ctx.h"
#include "base/ip.h"
#include "base/uuid.h"

struct access_collector;

/* Limits of reports in memory, in bytes: for a load balancer, an account, and the region. A load balancer's file is written
 * early when ACCESS_EARLY bytes wait. */
enum {
	ACCESS_OF_ONE = 8 << 20,
	ACCESS_EARLY = 4 << 20,
	ACCESS_OF_ACCOUNT = 32 << 20,
	ACCESS_OF_ALL = 128 << 20
};
/* Files that may fail in a row before their requests are given up: about a day, because the collector waits a minute longer after each, up
 * to ten minutes. */
enum { ACCESS_TRIES = 150 };
enum { ACCESS_NAME_SIZE = 64, ACCESS_NUMBER_SIZE = 32, ACCESS_PREFIX_SIZE = 256 };

/* The forms of entries. Journals of former processes have the numbers. */
enum access_form { ACCESS_APPLICATION, ACCESS_CLASSIC, ACCESS_NETWORK };

/* A load balancer with access logs: all that names of its files need, since it may be deleted before the last one is written. */
struct access_subject {
	uuid proxy, balancer, account;
	char number[ACCESS_NUMBER_SIZE]; /* the account's */
	char region[ACCESS_NAME_SIZE];
	char name
		[ACCESS_NAME_SIZE]; /* "web" for a Classic Load Balancer, else "app/web/0123456789abcdef", "net/…" */
	bool logs_requests, logs_connections;
	char prefix[ACCESS_PREFIX_SIZE];            /* of access logs; empty: none */
	char connection_prefix[ACCESS_PREFIX_SIZE]; /* of connection logs; empty: none */
	struct ip ip;
	enum access_form form;
	bool needs_test, needs_connection_test; /* no file was written to that place yet */
	int64_t interval_us;
	/* The proxy's worker, and how many of its lost reports the row has counted; 0: none. */
	int64_t worker, lost;
};

/* Numbers first … next - 1 of the files of a journal that have a load balancer's reports. */
struct access_files {
	int64_t first, next;
};

/* Requests of one file. */
struct access_take {
	struct access_subject subject;
	struct str reports;        /* one a line; owned: access_collector_free_take() */
	int64_t dropped;           /* reports that are missing */
	int64_t worker, lost;      /* counted in `dropped` so far */
	int64_t end_us;            /* end of the interval */
	struct access_files files; /* deleted once the bucket has the requests */
};

/* Called by the thread when a load balancer's file is to be written, repeatedly until it is. Must only post. */
typedef void access_due(void *arg, uuid balancer, uuid account);

struct access_collector *access_collector_new(void);    /* NULL: out of memory */
void access_collector_free(struct access_collector *f); /* ends the thread; ignores NULL */
/* Keeps reports in files of the directory from now on, and reads what former processes left there: it is due at once. Call before the
 * start. ERR_NO_MEMORY. */
RESULT access_collector_keep(struct access_collector *f, struct ctx *c, const char *directory);
/* Starts the thread. ERR_NO_MEMORY. */
RESULT access_collector_start(struct access_collector *f, struct ctx *c, access_due *due, void *arg);
/* Ends the thread, and reads what waits in the sockets: due() is not called after the return. Ignores NULL. */
void access_collector_stop(struct access_collector *f);

/* True if the proxy's socket is read. */
bool access_collector_reads(struct access_collector *f, uuid proxy);
/* Reads the proxy's socket from now on, and closes it in the end; fd -1: only the subject changes. False: out of memory; fd is
 * closed. */
bool access_collector_open(struct access_collector *f, const struct access_subject *subject, int fd,
			   int64_t now_us);
/* Closes the proxy's socket. What was received is due at once. */
void access_collector_close(struct access_collector *f, uuid proxy);
/* Counts reports that the proxy lost since the last call, or since the row was written; another worker counts from 0. */
void access_collector_count_lost(struct access_collector *f, uuid proxy, int64_t worker, int64_t lost);

/* Takes what was received. *ret_is_due false: no file is to be written. */
void access_collector_take(struct access_collector *f, uuid balancer, int64_t now_us, bool *ret_is_due,
			   struct access_take *ret_take);
/* Gives back what was taken, because no file could be written: the next file has it, one to ten minutes later. False: it is gone,
 * since files have failed ACCESS_TRIES times in a row or its room is in use. */
bool access_collector_give_back(struct access_collector *f, struct access_take *take, int64_t now_us);
/* The file was written. */
void access_collector_free_take(struct access_collector *f, struct access_take *take);

struct access_figures {
	int64_t received, dropped; /* reports */
};
struct access_figures access_collector_read(struct access_collector *f);
