/* SPDX-License-Identifier: Apache-2.0
 * Private to api/cloudstack/: what a command is, and what a call of one carries, beyond what every face's has
 * (api/core/action.h). How to add a command: HACKING.md.
 *
 * What is within {"<name>response": {…}} follows from the command's row:
 *   .listing   a list of rows of one kind, with the parameters of struct cs_list_args
 *   .shows     an object of the one row that .subject leads to
 *   .answer    what a function writes
 *   none       {"success": "true"}
 * A change with .outcome answers with a job at once, and the job's result is what .shows, or none, would have answered
 * (jobs.c). */
#pragma once

#include "api/cloudstack/core/cloudstack.h"
#include "api/core/dispatch.h"
#include "api/core/listing.h"
#include "auth/token/token.h"
#include "engine/job.h"

struct cs_call;
struct domain;

enum cs_action_flag {
	CS_MAKES = API_OF_FACE << 2, /* the answer with a job tells the id of what is made */
	CS_ADMIN = API_OF_FACE,      /* for administrators of the region alone */
	CS_OF_ACCOUNT =
		API_OF_FACE
		<< 1, /* "account" and "domainid", or "projectid", name the account that it acts for */
	CS_OWNER_OF_ROW = API_OF_FACE
			  << 4, /* ignores "account" without "domainid": the named row has an owner */
	/* With CS_ADMIN: also for administrators of the project that the parameter of KIND_ACCOUNT names. */
	CS_OF_PROJECT = API_OF_FACE << 5,
	CS_OF_DOMAIN = API_OF_FACE << 3, /* "domainid" without "account" names the domain itself */
};

struct cs_action {
	API_ACTION_BASE;
	RESULT (*prepare)(struct cs_call *e, void *args);
	RESULT (*answer)(struct cs_call *e, const void *args, struct json_writer *w);
	const struct api_listing *shows;
	enum async_job_outcome outcome; /* event that ends the command's job; none: it has no job */
	/* Change of an instance that is made only after its earlier jobs have ended; none: it does not wait. */
	enum async_job_turn turn;
	enum kind about; /* kind of the job's subject, if the answer does not show it */
	size_t machine;  /* offset in the args of the id of the machine whose disk the subject is, + 1 */
	size_t subject; /* offset in the args of the id of the row that the command is about, + 1 (CS_SUBJECT) */
	const char *item; /* the object's name, if another than the listing's */
	const char *says; /* members that .answer writes, for listApis: "apikey|secretkey" */
};
/* member: a uuid in the struct of the args, or a ref's .prefix. */
#define CS_SUBJECT(T, member) .subject = offsetof(T, member) + 1
/* The first members of an action. */
#define CS_ACTION(word, permission) .name = (word), .permit = (permission)
/* A change that answers with a job, which ends at that event. */
#define CS_JOB(ends) .outcome = ASYNC_JOB_OUTCOME_##ends, .returns = API_RETURNS_NOTHING_STORED
/* The args of a command that names one row and nothing else. */
#define CS_ONE(T, wire, member, row_kind, text)                                                              \
	PARAMS(T, ((const struct param[]){                                                                   \
			  PARAM(T, wire, member, .kind = (row_kind), .flags = REQUIRED, .doc = (text))}))

/* True if the command answers with a job. */
static inline bool cs_is_async(const struct cs_action *a)
{
	return a->outcome != ASYNC_JOB_OUTCOME_NONE;
}

struct cs_call {
	API_CALL_BASE;
	bool is_json;      /* the answer is JSON, else XML */
	uuid job;          /* the change's job; none */
	struct str secret; /* sealed password that the job's result shows to its maker; empty: none */
	const struct ref
		*zone;  /* zone that a change names, shown as the zone of an image; NULL: the first zone */
	bool is_signed; /* authenticated by a key, not by a session */
	struct token token; /* the session's token; without a session its audit is none */
};

API_DEFINE_FACE(cs)

/* ---- lists: the args begin with these ---- */

struct cs_list_args {
	int64_t page, page_size; /* 0: absent */
	struct ref id, domain;
	struct refs ids;
	struct str name, keyword, account;
	struct tags tags;
	enum choice lists_all, is_recursive;
};

enum { CS_PAGE_MAX = 500 }; /* default.page.size in region/configurations.def */
extern const struct params cs_tag_params;
/* Rows of pages, for every list. */
#define CS_PAGE_PARAMS(T)                                                                                    \
	PARAM(T, "page", list.page, .min = 1, .max = INT32_MAX, .doc = "Page number, from 1."),              \
		PARAM(T, "pagesize", list.page_size, .min = -1, .max = INT32_MAX,                            \
		      .doc = "Rows in one page, at most 500; -1: all rows without pages."),                  \
		PARAM(T, "keyword", list.keyword, .doc = "Part of the name.")
/* The parameters that every list of a kind has. */
#define CS_LIST_PARAMS(T, row_kind)                                                                          \
	CS_PAGE_PARAMS(T), PARAM(T, "id", list.id, .kind = (row_kind), .doc = "Resource by id.")
#define CS_NAME_PARAM(T) PARAM(T, "name", list.name, .doc = "Name of the resource.")
#define CS_IDS_PARAM(T, row_kind)                                                                            \
	PARAM(T, "ids", list.ids, .kind = (row_kind), .max = CS_PAGE_MAX, .fits = FITS(row, id),             \
	      .doc = "Resources by id.")
/* Parameters of lists of rows that accounts own. The action is CS_OF_ACCOUNT; CS_PROJECT_PARAM() adds "projectid". */
#define CS_OWNER_PARAMS(T)                                                                                   \
	PARAM(T, "listall", list.lists_all,                                                                  \
	      .doc = "Lists all resources that the caller may see, not only the account's own."),            \
		PARAM(T, "isrecursive", list.is_recursive, .doc = "Includes resources of subdomains."),      \
		PARAM(T, "account", list.account, .doc = "Account; needs domainid."),                        \
		PARAM(T, "domainid", list.domain, .kind = KIND_DOMAIN, .doc = "Domain of the accounts.")
#define CS_TAGS_PARAM(T)                                                                                     \
	PARAM_LIST(T, "tags", list.tags, cs_tag_params, .doc = "Tags, as tags[0].key and tags[0].value.")
/* The account for which a command creates or names a row. The protocol reads these parameters for every CS_OF_ACCOUNT
 * action; the rows below only describe them for listApis. */
struct cs_owner {
	struct str account;
	struct ref domain, project;
};
#define CS_FOR_PARAMS(T, member)                                                                             \
	PARAM(T, "account", member.account, .doc = "Owning account; needs domainid."),                       \
		PARAM(T, "domainid", member.domain, .kind = KIND_DOMAIN, .doc = "Domain of the account."),   \
		PARAM(T, "projectid", member.project, .kind = KIND_ACCOUNT,                                  \
		      .doc = "Owning project, instead of an account.")
#define CS_PROJECT_PARAM(T, member)                                                                          \
	PARAM(T, "projectid", member, .kind = KIND_ACCOUNT, .none = "-1", .doc = "Project; -1: all projects.")

/* Sets the wish's offset and limit. ERR_INVALID. */
RESULT cs_read_page(struct cs_call *e, const struct cs_list_args *asked, struct api_list_wish *wish);
/* Writes the answer of a command with .listing: count, and the page's rows. */
RESULT cs_write_list(struct cs_call *e, struct json_writer *w);
/* Ends a list whose id was not found: OK if that row was removed, so that the list is empty; else the failure. */
RESULT cs_end_list(struct cs_call *e, struct result failure, enum kind kind, uuid id);
/* The same for items that are not rows: writes a page of `count` items. */
RESULT cs_write_items(struct cs_call *e, struct json_writer *w, const struct cs_list_args *asked,
		      const char *item, const void *const *items, size_t count,
		      void (*write)(struct cs_call *e, struct json_writer *w, const void *item));
/* A list of the entries of a const table. */
struct cs_fixed_list {
	const char *item;
	size_t count;
	struct str (*get_name)(size_t k);
	bool (*matches)(struct cs_call *e, const void *args, size_t k);    /* NULL: each entry matches */
	void (*write)(struct cs_call *e, struct json_writer *w, size_t k); /* the members of its object */
};
/* Writes a list as cs_write_list() does, by page, keyword and name. The args begin with a struct cs_list_args. */
RESULT cs_write_fixed_list(struct cs_call *e, struct json_writer *w, const struct cs_fixed_list *list);
/* Chooses the owners of the listed rows: all that the caller may see, or those of a domain, else the account alone. */
void cs_choose_owners(const struct cs_call *e, const struct cs_list_args *asked, struct api_list_wish *wish);
/* Reads a date, or a date and a time; empty: nothing is read. A date alone stands for its first second (CS_FROM) or its
 * last (CS_UNTIL). ERR_INVALID. */
enum cs_date { CS_FROM, CS_UNTIL };
RESULT cs_read_date(struct cs_call *e, struct str text, const char *field, enum cs_date date,
		    int64_t *ret_us);
/* Writes a time as CloudStack does: "2024-01-02T03:04:05+0000". */
void cs_write_time(struct json_writer *w, const char *name, int64_t time_us);

/* ---- members of objects ---- */

/* A listing of rows of that kind, named `word`, with the members of the table. */
#define CS_LISTING(row_kind, word, table, ...)                                                               \
	{                                                                                                    \
		.kind = (row_kind), .item = (word), .members = MEMBERS(table), __VA_ARGS__                   \
	}

/* Writes zoneid and zonename of the first zone, for rows that are in every zone. */
void cs_write_any_zone(struct api_call *e, struct json_writer *w, const char *name, const struct row *row);

/* Members that show the owner of a row of type T: account, or projectid and project; domainid, domain. */
#define CS_OWNER_MEMBERS(T)                                                                                  \
	{                                                                                                    \
		.name = "account|projectid|project|domainid|domain", .type = MEMBER_IS_WRITTEN,              \
		.write = cs_write_owner, .path = {                                                           \
			JOIN_ONE(KIND_ACCOUNT, T, account)                                                   \
		}                                                                                            \
	}
/* member.write for an account's row. */
void cs_write_owner(struct api_call *e, struct json_writer *w, const char *name, const struct row *account);
/* True for an account without users of its own: users of other accounts have roles on it (account/projects.c). */
bool cs_is_project(const struct tables *t, uuid account);
/* True if the user is an administrator of the project (account/projects.c). */
bool cs_manages_project(const struct tables *t, uuid project, uuid user);
bool cs_manages_a_project(const struct tables *t, uuid user);
/* Name of a domain; the default domain is CloudStack's ROOT. */
struct str cs_domain_name(const struct domain *domain);
struct str cs_get_domain_name(struct api_call *e, const struct row *row);
/* The kind's resource type in createTags; NULL: it takes no tags. */
const char *cs_tag_type(enum kind kind);
/* Writes a tag of the row as an object. */
void cs_write_tag(struct cs_call *e, struct json_writer *w, const struct row *row, const struct tag *tag);
/* member.write: all tags of the row. */
void cs_write_tags(struct api_call *e, struct json_writer *w, const char *name, const struct row *row);
/* Hosts have no rated speed here: each processor counts as one of so many MHz, a figure of ours. */
#define CS_CPU_SPEED_MHZ "1000"

/* Reference to a row that no parameter names; a failure about it names `parameter`. */
static inline struct ref cs_ref_of(struct ctx *c, enum kind kind, uuid id, const char *parameter)
{
	return (struct ref){.kind = kind,
			    .prefix = id,
			    .bits = 8 * sizeof id,
			    .text = uuid_to_str(c->arena, id),
			    .field = str_from(parameter)};
}

/* Value of a setting: the account's own if it has one, else the region's. account none: the region's. */
int64_t cs_read_setting(struct api_call *e, struct str name, int64_t standard, uuid account);

/* ---- failures ---- */

/* ERR_NOT_FOUND: the parameter names no row that the caller sees. */
RESULT cs_fail_id(struct cs_call *e, enum kind kind, const char *parameter, struct str value);
/* Fails with ERR_INVALID for that parameter. */
#define cs_fail(e, parameter, ...) ctx_fail_field((e)->c, ERR_INVALID, str_from(parameter), __VA_ARGS__)
/* Fails as CloudStack's CloudRuntimeException does: 530. */
#define cs_fail_within(e, ...) ((e)->error = &cs_runtime_failure, ctx_fail((e)->c, ERR_STATE, __VA_ARGS__))
extern const struct api_error cs_runtime_failure;

/* ---- rules of roles (core/rules.c) ---- */

enum { CS_RULES_MAX = 1024, CS_RULES_SIZE_MAX = 256 * 1024 };
/* A rule of a role: whether the role permits the commands that match. */
struct cs_rule {
	bool allows;
	struct str command, text; /* letters, digits and "*"; for people */
};
struct role;
/* Converts a rule to the line that the role's row keeps, and back. Empty: there is no memory. */
struct str cs_write_rule(struct arena *a, const struct cs_rule *rule);
struct cs_rule cs_read_rule(struct str kept);
/* True if a rule of the caller's roles permits the command. The first rule that matches decides, as in
 * DynamicRoleBasedAPIAccessChecker; the rules of a caller whose roles give a right are not asked. */
bool cs_rules_permit(struct cs_call *e, const struct tables *t, const struct api_action *action);
/* ERR_DENIED: the caller acts for a project in which its project role denies the command. A command about which no rule says
 * anything is allowed, and so is every command to the project's administrators, as in ProjectRoleBasedApiAccessChecker. */
RESULT cs_check_project_role(struct cs_call *e, const struct tables *t, const struct api_action *action);

/* The protocol's functions of these names. */
void cs_word_problem(struct api_call *core, struct api_problem *problem);
RESULT cs_write_problem(struct api_call *core, struct api_problem *problem, struct buf *body);
extern const struct params_dialect cs_dialect;
/* How names of parameters nest: "tags[0].key", in any letter case. */
#define CS_PAIRS_FORM (PAIRS_NEST | PAIRS_BRACKETS | PAIRS_IGNORE_CASE)
/* CloudStack's names of the kinds; ids are whole UUIDs. */
extern const struct kind_words cs_words;
extern const struct api_error cs_unknown_command;

/* ---- jobs ---- */

/* The protocol's begin_change and end_change. */
RESULT cs_begin_change(struct api_call *core, struct op *op, bool *ret_is_deferred);
RESULT cs_end_change(struct api_call *core, struct op *op);
/* Writes jobid and jobstatus of the row's job that has not ended, as a member. */
void cs_write_pending_job(struct api_call *e, struct json_writer *w, const char *name, const struct row *row);
/* The kind's name in jobs and events. */
const char *cs_resource_type(enum kind kind);
/* The parameters resourceid, which may be empty, and resourcetype. ERR_INVALID. */
RESULT cs_read_resource(struct cs_call *e, struct str id, struct str type, uuid *ret_id);
/* Writes the answer of a command with a job. */
void cs_write_job_id(struct cs_call *e, struct json_writer *w);
/* The row that the command is about: the one at .subject. */
uuid cs_subject_of(const struct cs_call *e);

/* ---- the whole answer ---- */

/* Opens {"<name>response":{, which takes json_write_close() twice. */
void cs_open_response(struct cs_call *e, struct json_writer *w, const char *name);
/* Makes XML of the JSON in body, unless the call asks for JSON; sets the content type. */
RESULT cs_end_body(struct cs_call *e, struct buf *body);
#define CS_VERSION "4.18.0.0" /* version of the API that this face implements */
#define CS_JSON "application/json;charset=UTF-8"

/* ---- the caller and its account ---- */

/* Sets c->who by the cookie and the session key. ERR_UNAUTHENTICATED. */
RESULT cs_resume_session(struct cs_call *e);

/* Changes c->who to an identity that acts for the account named by the parameters. ERR_DENIED, ERR_INVALID. */
RESULT cs_choose_account(struct cs_call *e);
struct account;
/* True if the caller is in the account, has a role there (a project's member), or is an administrator. NULL: false. */
bool cs_may_act_for(const struct cs_call *e, const struct tables *t, const struct account *account);
/* The account that a command names by them to give something to, which is not for that account: the caller acts for
 * his own. Without them that one. ERR_DENIED, ERR_INVALID. */
RESULT cs_find_taker(struct cs_call *e, uuid *ret_account);

/* ---- all tables of commands ---- */

#define GROUP(name) extern const struct api_actions cs_##name##_actions;
#include "api/cloudstack/core/action_groups.def"
#undef GROUP

/* The command's own row, by which listApis and jobs find it. */
const struct cs_action *cs_find_command(const struct api_face *face, struct str name);
