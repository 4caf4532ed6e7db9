/* SPDX-License-Identifier: Apache-2.0
 * Shared by the SQL drivers: words of columns, the tables of history, and the choice of a driver. */
#include "store/sql.h"

#include <stdio.h>

const char *const sql_ledger_words[LEDGER_TYPES] = {
	[LEDGER_FIX] = "fix",        [LEDGER_PRICES] = "prices",         [LEDGER_CHARGE] = "charge",
	[LEDGER_CLOSED] = "closed",  [LEDGER_COMMITMENT] = "commitment", [LEDGER_INVOICE] = "invoice",
	[LEDGER_PAYMENT] = "payment"};

const struct sql_log_table sql_logs[SQL_LOGS] = {
	[SQL_EVENT] = {"event", "seq", "iittttttttt"},
	[SQL_USAGE] = {"usage", "account, seq", "tiitttitt"},
	[SQL_LEDGER] = {"ledger", "seq", "itiiiitttt"},
#define AUDIT_TEXT(name, column) "t"
	[SQL_AUDIT] = {"audit", "seq",
		       "iii"
#include "store/audit.def"
		       "t"},
#undef AUDIT_TEXT
	[SQL_SEGMENT] = {"audit_segment", "seq", "it"},
	[SQL_SERIES] = {"series", "host, step_us, from_us", "tiib"},
	[SQL_PAST] = {"past", "seq", "iitiit"},
};

enum kind sql_kind_of_name(struct str name)
{
	for (enum kind kind = 1; kind < KIND_COUNT; kind++)
		if (str_is(name, model_kinds[kind].name))
			return kind;
	return KIND_NONE;
}

static const char *program = "";

void sql_set_program(const char *version)
{
	program = version;
}

const char *sql_get_program(void)
{
	return program;
}

RESULT sql_check_key(struct sql_driver *driver, struct ctx *c, const char *database, struct str found)
{
	if (!found.n || str_is(found, driver->key_mark))
		return OK;
	if (*driver->key_mark)
		return ctx_fail(
			c, ERR_CONFLICT,
			"the file master.key is not that of the region in the database %s, whose secrets "
			"would not open: put the region's own master.key into data.directory (from another "
			"machine of the region, or from a backup), or name another database in `store`",
			database);
	(void) snprintf(driver->key_mark, sizeof driver->key_mark, "%.*s", STR_ARG(found));
	return OK;
}

const char *const sql_mark_names[SQL_MARKS] = {[SQL_MOVED] = "moved_to", [SQL_UNFINISHED] = "copy_of"};

RESULT sql_check_marks(const struct sql_driver *driver, struct ctx *c, const char *database,
		       const struct str marks[SQL_MARKS])
{
	struct str moved = marks[SQL_MOVED], copy = marks[SQL_UNFINISHED], time = STR_NONE;
	if (driver->takes_marked || (!moved.n && !copy.n))
		return OK;
	if (moved.n) {
		(void) str_split_next(&moved, ' ', &time);
		return ctx_fail(
			c, ERR_STATE,
			"the region in the database %s was moved to %" STR_FMT " (%" STR_FMT
			"): name that one in the configuration's key `store`. To go back and lose what has "
			"changed there since, end every dari that uses it, and run `dari store reopen` with "
			"this one",
			database, STR_ARG(moved), STR_ARG(time));
	}
	(void) str_split_next(&copy, ' ', &time);
	return ctx_fail(c, ERR_STATE,
			"the database %s is a copy of %" STR_FMT " (%" STR_FMT
			") by a `dari store copy` that did not end, so dari may still run with that one: run "
			"the same command "
			"again. If no dari will start with that one any more, `dari store reopen` accepts "
			"this one as it is",
			database, STR_ARG(copy), STR_ARG(time));
}

RESULT sql_admit(struct sql_driver *driver, struct ctx *c, bool is_migrated)
{
	return driver->admit && !driver->level && !is_migrated ? driver->admit(driver->admit_self, driver, c)
							       : OK;
}

bool sql_is_url(struct str where)
{
	return str_starts_with(where, STR("postgresql://")) || str_starts_with(where, STR("postgres://"));
}

RESULT sql_open(struct ctx *c, const char *where, struct sql_driver **ret_driver)
{
	return sql_is_url(str_from(where)) ? postgresql_open(c, where, ret_driver)
					   : sqlite_open(c, where, ret_driver);
}

RESULT sql_name(struct ctx *c, const char *where, const char **ret_name)
{
	*ret_name = where;
	return sql_is_url(str_from(where)) ? postgresql_name(c, where, ret_name) : OK;
}
