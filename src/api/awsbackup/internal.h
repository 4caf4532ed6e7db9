/* SPDX-License-Identifier: Apache-2.0
 * Private to api/awsbackup/: lists, values, vaults, plans and recovery points. */
#pragma once

#include "api/awsbackup/awsbackup.h"
#include "api/query/rest_json.h"
#include "engine/backup/backup_vault.h"

#define AWSBACKUP_ACTION(word) .name = (word), .permit = "backup:" word

extern const struct api_actions awsbackup_vault_actions, awsbackup_plan_actions, awsbackup_selection_actions,
	awsbackup_job_actions, awsbackup_point_actions, awsbackup_restore_actions, awsbackup_tag_actions;

/* Fails with ERR_INVALID, which becomes an InvalidParameterValueException. */
#define AWSBACKUP_FAIL(e, field, ...) ctx_fail_field((e)->c, ERR_INVALID, STR(field), __VA_ARGS__)

enum { NAME_MAX_CHARS = 50, ARN_MAX = 2048, TOKEN_MAX = 255, LISTED_MAX = 1000 };
enum { COMPLETE_DEFAULT = 10080 }; /* minutes */

/* ---- lists ---- */

/* Rows of one or several kinds, in the order of their ids. */
struct awsbackup_rows {
	const struct row **at;
	size_t count, room;
};
struct awsbackup_page {
	int64_t max;
	struct str token; /* id of the last row of the previous page */
};
#define AWSBACKUP_PAGE(T)                                                                                    \
	PARAM(T, "maxResults", page.max, .min = 1, .max = LISTED_MAX, .doc = "Rows of a page."),             \
		PARAM(T, "nextToken", page.token, .max = 64, .doc = "NextToken of the previous page.")

/* Refuses a token that no page had. */
RESULT awsbackup_check_page(struct rest_json_call *e, const struct awsbackup_page *page);
/* Adds a row of the call's view. */
RESULT awsbackup_add_row(struct rest_json_call *e, struct awsbackup_rows *rows, const struct row *row);
/* Writes one row as the members of an object. of: the caller's. */
typedef void (*awsbackup_write_row)(struct rest_json_call *e, struct json_writer *w, const struct row *row,
				    const void *of);
/* Writes the list of a page's rows, in the order of their ids, and NextToken if another page follows. */
void awsbackup_write_page(struct rest_json_call *e, struct json_writer *w, const char *name,
			  const struct awsbackup_page *page, struct awsbackup_rows *rows,
			  awsbackup_write_row write, const void *of);

/* ---- values ---- */

/* Seconds since 1970, with milliseconds; nothing for 0. */
void awsbackup_write_time(struct rest_json_call *e, struct json_writer *w, const char *name, int64_t time_us);
struct str awsbackup_write_arn(struct rest_json_call *e, enum kind kind, const struct row *row);
/* The ARN of an instance or volume. */
struct str awsbackup_write_resource(struct rest_json_call *e, enum kind kind, uuid id);
/* Reads such an ARN. ERR_INVALID with the field. */
RESULT awsbackup_read_resource(struct rest_json_call *e, struct str arn, const char *field,
			       struct ref *ret_ref);
/* The account's vault of the name. ERR_NOT_FOUND. */
RESULT awsbackup_find_vault(struct rest_json_call *e, struct str name, struct ref *ret_ref,
			    const struct backup_vault **ret_vault);
/* A plan of AWS Backup by its id. ERR_NOT_FOUND. */
RESULT awsbackup_find_plan(struct rest_json_call *e, struct str id, struct ref *ret_ref,
			   const struct backup_plan **ret_plan);

/* How long a recovery point stays. */
struct awsbackup_lifecycle {
	int64_t days; /* 0: for ever */
};
extern const struct params awsbackup_lifecycle_params;

/* ---- points.c ---- */

/* A machine backup, or a backup of a volume, as job and as recovery point. */
struct awsbackup_point {
	const struct row *row;
	const struct machine_backup *machine; /* NULL: the row is a backup of a volume */
	const struct backup *backup;          /* NULL: the row is a machine backup */
	struct str container;
	const char *job_state; /* RUNNING, COMPLETED, FAILED, ABORTED */
	struct str resource;   /* ARN */
	const char *type;      /* EC2 or EBS */
	struct str problem;
	uuid role, plan;
	int64_t size, completed_us, expires_us;
	bool is_encrypted;
};
void awsbackup_read_point(struct rest_json_call *e, const struct row *row, struct awsbackup_point *ret_point);
/* A live machine backup or backup of the account's, by its id. ERR_NOT_FOUND with the field. */
RESULT awsbackup_find_point(struct rest_json_call *e, struct str id, const char *field, struct ref *ret_ref,
			    struct awsbackup_point *ret_point);
/* The same by the ARN of a recovery point. */
RESULT awsbackup_find_point_of_arn(struct rest_json_call *e, struct str arn, const char *field,
				   struct ref *ret_ref, struct awsbackup_point *ret_point);
/* Members that jobs and recovery points share. */
void awsbackup_write_point(struct rest_json_call *e, struct json_writer *w, const struct awsbackup_point *p);
/* All jobs of the account that is_wanted accepts; NULL: all. of: the caller's. */
typedef bool (*awsbackup_is_wanted)(struct rest_json_call *e, const void *of,
				    const struct awsbackup_point *p);
RESULT awsbackup_list_points(struct rest_json_call *e, awsbackup_is_wanted is_wanted, const void *of,
			     struct awsbackup_rows *ret_rows);
/* True for a recovery point; false for a job that has made none. */
bool awsbackup_is_complete(const struct awsbackup_point *p);
/* Size of the volume in GiB, as a text. */
struct str awsbackup_write_gib(struct rest_json_call *e, const struct backup *b);
