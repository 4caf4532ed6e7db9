/* SPDX-License-Identifier: Apache-2.0
 * A store for tests: stepped in the test's thread, on a database in memory or in a file, with an
 * observer that keeps accounts' volume figures and rows to put. Failures end the test. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/account.h"
struct volume; /* model/volume.h */
#include "store/internal.h"

#define assert_ok(expression) assert_string_equal(err_name((expression).code), "NONE")
#define assert_err(expression, kind) assert_string_equal(err_name((expression).code), #kind)

struct fixture {
	struct arena *arena;
	struct ctx c;
	struct executor *executor;
	struct store *store;
	store_invariant check;
	size_t batch_max;
};

/* path NULL: an empty database. wrap, if not NULL, may put a driver of its own around the database's. */
void fixture_init(struct fixture *f);
RESULT fixture_try_open(struct fixture *f, const char *path,
			struct sql_driver *(*wrap)(struct sql_driver *) );
void fixture_open(struct fixture *f, const char *path);
void fixture_done(struct fixture *f);  /* closes the store too */
void fixture_clear(struct fixture *f); /* forgets the context's problem and strings */

/* A change that is counted: done() records its result. */
struct counted {
	struct change change;
	struct ctx c;
	bool is_done;
	struct result result;
};
void fixture_submit(struct fixture *f, struct counted *n, op_run run, void *arg);
struct identity; /* model/identity.h */
void fixture_submit_as(struct fixture *f, struct counted *n, op_run run, void *arg,
		       const struct identity *who); /* NULL: the system */
void fixture_step(struct fixture *f);               /* until nothing is due */
RESULT fixture_commit(struct fixture *f, op_run run, void *arg);

/* Every row and usage figure in text, in the order of each index; checks that all indexes agree. */
struct str fixture_dump(struct fixture *f, const struct tables *t);
/* Both trees whole and equal, SQL the same. */
void fixture_check(struct fixture *f);

uuid uuid_of(unsigned n);                   /* the n-th id of tests; 0 is none */
struct account fixture_account(unsigned n); /* named "account-<n>", in static memory: 4 at once */
struct volume fixture_volume(unsigned n, unsigned account, unsigned instance);
/* Figures by account, live volumes: what a real observer does. */
void fixture_observe(const struct tables *head, enum kind kind, const struct row *before,
		     const struct row *after);
/* An empty folder of the test's own, for dari.db; removed by fixture_done(). The name is static. */
const char *fixture_make_folder(void);
void fixture_remove_database(void); /* that folder's dari.db, which is closed */
