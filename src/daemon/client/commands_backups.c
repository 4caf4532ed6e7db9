/* SPDX-License-Identifier: Apache-2.0
 * dari backup plan …, dari backup machine …: scheduled backups of machines. Changes: commands_changes.c. */
#include "base/clock.h"
#include "daemon/client/ask.h"
#include "daemon/command.h"

static struct str problem_of(const json_t *row)
{
	return asking_text(json_array_get(json_object_get(row, "conditions"), 0), "message");
}

/* ---- plans ---- */

static struct str schedule_of(const struct asking *a, const json_t *p)
{
	struct str interval = asking_text(p, "interval"), schedule = asking_text(p, "schedule"),
		   zone = asking_text(p, "timezone");
	return str_print(a->c->arena, "%" STR_FMT " %" STR_FMT " %" STR_FMT, STR_ARG(interval),
			 STR_ARG(schedule), STR_ARG(zone));
}

static RESULT list_plans(struct asking *a)
{
	const json_t *rows = NULL;
	json_t *row = NULL;
	size_t k = 0;
	TRY(asking_list(a, "/backup-plans", "*", &rows));
	buf_print(&a->text, "%-20s %-9s %-32s %-20s %-20s %s\n", "name", "active", "schedule", "last run",
		  "next run", "problem");
	json_array_foreach (rows, k, row) {
		struct str name = asking_text(row, "name"), schedule = schedule_of(a, row),
			   problem = problem_of(row);
		bool is_active = asking_bool(row, "is_active");
		buf_print(&a->text, "%-20.*s %-9s %-32.*s %-20s %-20s %" STR_FMT "\n", STR_ARG(name),
			  is_active ? "yes" : "no", STR_ARG(schedule), asking_time(a, row, "run_us", "-"),
			  is_active ? asking_time(a, row, "next_us", "-") : "-", STR_ARG(problem));
		(void) json_array_append(a->value, row);
	}
	return OK;
}

/* ---- machine backups ---- */

static RESULT list_backups(struct asking *a)
{
	const json_t *rows = NULL;
	json_t *row = NULL;
	size_t k = 0;
	TRY(asking_list(a, "/machine-backups", "*", &rows));
	buf_print(&a->text, "%-36s %-24s %-10s %-20s %-5s %-8s %s\n", "id", "name", "state", "time", "held",
		  "test", "problem");
	json_array_foreach (rows, k, row) {
		struct str id = asking_text(row, "id"), name = asking_text(row, "name"),
			   state = asking_text(row, "state"), check = asking_text(row, "check_state"),
			   problem = asking_text(row, "problem"), found = asking_text(row, "check_message");
		bool is_failed = str_is(check, "failed");
		problem = problem.n ? problem : is_failed ? found : STR_NONE;
		buf_print(&a->text, "%-36.*s %-24.*s %-10.*s %-20s %-5s %-8.*s %" STR_FMT "\n", STR_ARG(id),
			  STR_ARG(name), STR_ARG(state), asking_time(a, row, "data_us", "-"),
			  asking_bool(row, "is_held") ? "yes" : "no", STR_ARG(check.n ? check : STR("none")),
			  STR_ARG(problem));
		(void) json_array_append(a->value, row);
	}
	return OK;
}

/* ---- commands ---- */

#define PLAN_PARAM                                                                                           \
	{                                                                                                    \
		"name", PARAM_POSITIONAL, true, "The plan, by name or id."                                   \
	}
#define BACKUP_PARAM                                                                                         \
	{                                                                                                    \
		"id", PARAM_POSITIONAL, true, "The backup, as `dari backup machine list` shows it."          \
	}
#define PLAN_OPTIONS(needed)                                                                                 \
	{"description", PARAM_OPTION, false, "Description: free text."},                                     \
		{"instance", PARAM_OPTION, false, "Instances to back up, separated by commas."},             \
		{"tag-key", PARAM_OPTION, false, "Also backs up instances that have this tag."},             \
		{"tag-value", PARAM_OPTION, false, "The tag's value (default: any)."},                       \
		{"every", PARAM_OPTION, (needed), "Interval: hourly, daily, weekly, monthly or cron."},      \
		{"at", PARAM_OPTION, (needed),                                                               \
		 "Schedule. hourly: MM; daily: MM:HH; weekly: MM:HH:DD with 1 for Sunday to 7; monthly: "    \
		 "MM:HH:DD; cron: five fields."},                                                            \
		{"timezone", PARAM_OPTION, false, "Time zone of the schedule: Asia/Seoul (default: UTC)."},  \
		{"keep-last", PARAM_OPTION, false, "Newest backups of each machine to keep."},               \
		{"keep-hourly", PARAM_OPTION, false, "Hours of which to keep the newest backup."},           \
		{"keep-daily", PARAM_OPTION, false, "Days of which to keep the newest backup."},             \
		{"keep-weekly", PARAM_OPTION, false, "Weeks of which to keep the newest backup."},           \
		{"keep-monthly", PARAM_OPTION, false, "Months of which to keep the newest backup."},         \
		{"keep-yearly", PARAM_OPTION, false,                                                         \
		 "Years of which to keep the newest backup. Without any of these options nothing expires."}, \
		{"container", PARAM_OPTION, false, "Folder of the target (default: volumebackups)."},        \
		{"check-days", PARAM_OPTION, false,                                                          \
		 "Days between two test restores of a machine; 0: none."},                                   \
	{                                                                                                    \
		"check-marker", PARAM_OPTION, false,                                                         \
			"Text on the console that completes a test restore (default: login:)."               \
	}

const struct command backup_plan_commands[] = {
	{"backup plan list", "Lists backup plans.", .ask = list_plans},
	{"backup plan add",
	 "Backs up machines on a schedule.",
	 {{"name", PARAM_POSITIONAL, true, "Its name."},
	  {"account", PARAM_OPTION, false, "Owning account: NAME in the default domain, or DOMAIN/NAME."},
	  PLAN_OPTIONS(true)},
	 .ask = asking_make_change},
	{"backup plan set",
	 "Changes a backup plan.",
	 {PLAN_PARAM,
	  {"active", PARAM_OPTION, false, "yes or no: whether the plan runs."},
	  PLAN_OPTIONS(false)},
	 .ask = asking_make_change},
	{"backup plan run", "Runs a backup plan now.", {PLAN_PARAM}, .ask = asking_make_change},
	{"backup plan remove",
	 "Removes a backup plan. Its backups are kept, and no longer expire.",
	 {PLAN_PARAM},
	 .ask = asking_make_change},
	{"backup machine list", "Lists backups of machines.", .ask = list_backups},
	{"backup machine create",
	 "Backs up all disks of an instance.",
	 {{"instance", PARAM_POSITIONAL, true, "The instance, by EC2's id or its UUID."},
	  {"name", PARAM_OPTION, false, "Name of the backup."},
	  {"description", PARAM_OPTION, false, "Description: free text."},
	  {"full", PARAM_FLAG, false, "Stores everything again, not only the changes."}},
	 .ask = asking_make_change},
	{"backup machine restore",
	 "Restores a machine to a new instance, or in place.",
	 {BACKUP_PARAM,
	  {"in-place", PARAM_FLAG, false,
	   "Restores the disks of the original instance, which must be stopped."},
	  {"name", PARAM_OPTION, false, "Name of the new instance (default: as backed up)."},
	  {"type", PARAM_OPTION, false, "Instance type of the new instance (default: as backed up)."},
	  {"subnet", PARAM_OPTION, false, "Subnet of the new instance (default: as backed up)."},
	  {"group", PARAM_OPTION, false, "Security groups, separated by commas (default: as backed up)."},
	  {"stays-off", PARAM_FLAG, false, "Leaves the new instance stopped."}},
	 .ask = asking_make_change},
	{"backup machine check",
	 "Tests a backup: restores it to an instance without network interfaces, which is deleted after it "
	 "has started.",
	 {BACKUP_PARAM},
	 .ask = asking_make_change},
	{"backup machine hold",
	 "Puts a backup under a legal hold: it cannot be deleted.",
	 {BACKUP_PARAM},
	 .ask = asking_make_change},
	{"backup machine release",
	 "Lifts the legal hold of a backup.",
	 {BACKUP_PARAM},
	 .ask = asking_make_change},
	{"backup machine remove",
	 "Deletes a backup of a machine.",
	 {BACKUP_PARAM},
	 .ask = asking_make_change},
	{0},
};
