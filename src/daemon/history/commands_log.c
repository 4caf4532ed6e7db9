/* SPDX-License-Identifier: Apache-2.0
 * dari log audit: prints the audit log, as lines or JSON, in pieces; and verifies its chain. */
#include <inttypes.h>

#include "base/clock.h"
#include "base/heap.h"
#include "daemon/command.h"
#include "daemon/history/audit_lines.h"

enum { PIECE_RECORDS = 2000, VERIFY_RECORDS = 2000 };

/* Prints one piece of the log, filtered. */
struct showing {
	struct command_call *call;
	int64_t since_us, until_us; /* 0: from the first; INT64_MAX: to the last */
	bool as_json;
	int64_t last; /* number of the last examined record */
	size_t looked_at;
};

/* ---- output ---- */

static bool is_asked(const struct showing *s, const struct audit_record *a, const char *option,
		     enum audit_text first, enum audit_text second)
{
	struct str wanted = command_arg(s->call, option);
	return str_is_empty(wanted) || str_equal_nocase(wanted, a->texts[first]) ||
	       str_equal_nocase(wanted, a->texts[second]);
}

static bool is_shown(const struct showing *s, const struct audit_record *a)
{
	return a->at_us >= s->since_us && a->at_us < s->until_us &&
	       is_asked(s, a, "account", AUDIT_ACCOUNT, AUDIT_ACCOUNT) &&
	       is_asked(s, a, "user", AUDIT_USER_NAME, AUDIT_USER) &&
	       is_asked(s, a, "action", AUDIT_ACTION, AUDIT_PERMISSION) &&
	       is_asked(s, a, "outcome", AUDIT_OUTCOME, AUDIT_CODE);
}

static void print_json(struct showing *s, json_t *record)
{
	char *line = json_dumps(record, JSON_COMPACT);
	buf_print(&s->call->text, "%s\n", line ? line : "{}");
	heap_free(line); /* jansson uses our allocator: daemon_run() */
}

/* The actor: the user's name, the role session, or the credential. */
static struct str name_who(const struct audit_record *a)
{
	static const enum audit_text order[] = {AUDIT_USER_NAME, AUDIT_SESSION, AUDIT_CREDENTIAL};
	for (size_t k = 0; k < sizeof order / sizeof order[0]; k++)
		if (a->texts[order[k]].n)
			return a->texts[order[k]];
	return STR("-");
}

static void print_text(struct showing *s, const struct audit_record *a)
{
	char time[CLOCK_TEXT_SIZE], times[32] = "";
	struct str who = name_who(a), outcome = a->texts[AUDIT_OUTCOME], about = a->texts[AUDIT_SUBJECT];
	if (a->count > 1)
		(void) snprintf(times, sizeof times, " (%" PRId64 " times)", a->count);
	if (str_is_empty(about))
		about = a->texts[AUDIT_ID];
	buf_print(&s->call->text,
		  "%-6" PRId64 " %s  %-12.*s %-18.*s %-15.*s %-40.*s %" STR_FMT "%s%" STR_FMT "%s  %" STR_FMT
		  "\n",
		  a->seq, clock_write_s(a->at_us, time), STR_ARG(a->texts[AUDIT_ACCOUNT]), STR_ARG(who),
		  STR_ARG(a->texts[AUDIT_FROM]), STR_ARG(a->texts[AUDIT_ACTION]), STR_ARG(outcome),
		  a->texts[AUDIT_CODE].n ? ":" : "", STR_ARG(a->texts[AUDIT_CODE]), times, STR_ARG(about));
}

static RESULT show_record(void *arg, const struct audit_record *a)
{
	struct showing *s = arg;
	s->last = a->seq;
	s->looked_at++;
	if (!is_shown(s, a))
		return OK;
	json_t *record = audit_line_make(s->call->ctx.arena, a);
	if (!record)
		return ctx_no_memory(&s->call->ctx);
	if (s->as_json)
		print_json(s, record);
	else
		print_text(s, a);
	(void) json_array_append_new(s->call->value, record);
	return OK;
}

/* ---- requests ---- */

static RESULT time_arg(struct command_call *call, const char *name, int64_t absent_us, int64_t *ret_us)
{
	struct str text = command_arg(call, name);
	*ret_us = absent_us;
	if (str_is_empty(text))
		return OK;
	if (text.n == 10) /* a day, from its first second */
		text = str_print(call->ctx.arena, "%" STR_FMT "T00:00:00Z", STR_ARG(text));
	if (result_is_ok(clock_parse(text, ret_us)))
		return OK;
	return ctx_fail_field(
		&call->ctx, ERR_INVALID, str_from(name),
		"--%s wants a time as 2024-01-31T12:00:00Z or a day as 2024-01-31, not %" STR_FMT, name,
		STR_ARG(text));
}

static RESULT read_wishes(struct command_call *call, struct showing *s)
{
	struct str format = command_arg(call, "format");
	TRY(time_arg(call, "since", 0, &s->since_us));
	TRY(time_arg(call, "until", INT64_MAX, &s->until_us));
	TRY(command_int_arg(call, "after", 0, 0, INT64_MAX, &s->last));
	s->as_json = str_is(format, "json");
	if (format.n && !s->as_json && !str_is(format, "text"))
		return ctx_fail_field(&call->ctx, ERR_INVALID, STR("format"),
				      "--format is json or text, not %" STR_FMT, STR_ARG(format));
	return OK;
}

/* ---- the chain ---- */

struct verifying {
	struct audit_chain chain;
	int64_t broken, looked_at, archived; /* archived: up to this number */
	bool is_partial;                     /* archived records were not verified */
	uint8_t wanted[SHA256_SIZE];
	bool has_wanted;
};

static RESULT verify_record(void *arg, const struct audit_record *a)
{
	struct verifying *v = arg;
	v->looked_at++;
	if (!audit_follows(&v->chain, a)) {
		v->broken = a->seq;
		return FAIL(CONFLICT);
	}
	v->has_wanted = v->has_wanted || memcmp(a->digest, v->wanted, sizeof v->wanted) == 0;
	return OK;
}

/* Verifies the archives, oldest first. They begin with the first record, or where the chain was shortened
 * earlier. */
static RESULT verify_archives(struct command_call *call, struct verifying *v)
{
	struct str left = command_arg(call, "archive");
	while (left.n && !v->broken) {
		size_t end = str_find_char(left, '\n', 0);
		struct str path = str_slice(left, 0, end < left.n ? end : left.n);
		struct result r =
			audit_lines_read(&call->ctx, str_to_z(call->ctx.arena, path), verify_record, v);
		if (!v->broken)
			TRY(r);
		left = str_slice(left, end < left.n ? end + 1 : left.n, left.n);
	}
	return OK;
}

/* Without its archives, the log is verified from the end of the last archive. */
static RESULT begin_behind_segment(struct command_call *call, struct verifying *v)
{
	struct audit_segment segment = {0};
	TRY(store_read_segment(call->daemon->store, &call->ctx, &segment));
	v->archived = segment.seq;
	if (v->chain.seq && v->chain.seq != segment.seq && !v->broken)
		return ctx_fail_field(&call->ctx, ERR_INVALID, STR("archive"),
				      "the archives end with record %" PRId64
				      ", the log goes on from record %" PRId64,
				      v->chain.seq, segment.seq);
	if (v->chain.seq && memcmp(v->chain.digest, segment.digest, SHA256_SIZE) != 0)
		v->broken = v->broken ? v->broken : segment.seq;
	v->is_partial = !v->chain.seq && segment.seq;
	v->chain.seq = segment.seq;
	memcpy(v->chain.digest, segment.digest, SHA256_SIZE);
	return OK;
}

static RESULT verify_all(struct command_call *call, struct verifying *v)
{
	int64_t before = -1;
	TRY(verify_archives(call, v));
	if (v->broken)
		return OK;
	TRY(begin_behind_segment(call, v));
	if (v->broken)
		return OK;
	while (before != v->looked_at) {
		before = v->looked_at;
		struct result r = store_read_audit(call->daemon->store, &call->ctx, v->chain.seq,
						   VERIFY_RECORDS, verify_record, v);
		if (v->broken)
			return OK;
		TRY(r);
	}
	return OK;
}

static void print_chain(struct command_call *call, const struct verifying *v, struct str wanted)
{
	struct str digest = str_encode_hex(call->ctx.arena, v->chain.digest, sizeof v->chain.digest);
	bool lacks = wanted.n && !v->has_wanted && !v->broken;
	call->status = v->broken || lacks;
	if (v->broken)
		buf_print(&call->text,
			  "record %" PRId64 " is not the one that was written behind record %" PRId64
			  ": the log was changed\n",
			  v->broken, v->chain.seq);
	else
		buf_print(&call->text,
			  "%" PRId64 " records, each as it was written; the last one's digest is %" STR_FMT
			  "\n",
			  v->chain.seq, STR_ARG(digest));
	if (v->is_partial && !v->broken)
		buf_print(&call->text,
			  "records up to %" PRId64
			  " are archived and were not looked at: name their files with "
			  "--archive\n",
			  v->archived);
	if (lacks)
		buf_print(&call->text, "no record has the digest %" STR_FMT ": the log was cut or replaced\n",
			  STR_ARG(wanted));
	call->value = json_pack("[{s:b, s:I, s:I, s:s%}]", "whole", !call->status, "records",
				(json_int_t) v->chain.seq, "broken_at", (json_int_t) v->broken, "digest",
				digest.p, digest.n);
}

static RESULT verify(struct command_call *call)
{
	struct verifying v = {0};
	struct str wanted = command_arg(call, "digest");
	if (wanted.n && !result_is_ok(str_decode_hex(wanted, v.wanted, sizeof v.wanted)))
		return ctx_fail_field(&call->ctx, ERR_INVALID, STR("digest"),
				      "--digest wants the 64 digits that --verify told once");
	TRY(verify_all(call, &v));
	print_chain(call, &v, wanted);
	return OK;
}

/* ---- the command ---- */

static RESULT log_audit(struct command_call *call)
{
	struct showing s = {.call = call};
	if (command_has_flag(call, "verify"))
		return verify(call);
	TRY(read_wishes(call, &s));
	call->value = json_array();
	TRY(store_read_audit(call->daemon->store, &call->ctx, s.last, PIECE_RECORDS, show_record, &s));
	bool is_all = s.looked_at < PIECE_RECORDS;
	call->waits = is_all && command_has_flag(call, "follow");
	if (!is_all || call->waits)
		call->more = json_pack("{s:o}", "after", json_sprintf("%" PRId64, s.last));
	return OK;
}

const struct command log_commands[] = {
	{"log audit",
	 "Shows the audit log: calls that read or changed secrets or permissions.",
	 {{"since", PARAM_OPTION, false, "Start time: 2024-01-31T12:00:00Z, or a day."},
	  {"until", PARAM_OPTION, false, "End time."},
	  {"account", PARAM_OPTION, false, "Account ID."},
	  {"user", PARAM_OPTION, false, "User: name, or ID of 32 digits."},
	  {"action", PARAM_OPTION, false, "Action: iam:CreateAccessKey, or Dari's name access_key.create."},
	  {"outcome", PARAM_OPTION, false, "Result: ok, an error such as DENIED, or the code in the answer."},
	  {"after", PARAM_OPTION, false, "Only records after this number."},
	  {"follow", PARAM_FLAG, false, "Prints new records as they are written."},
	  {"format", PARAM_OPTION, false, "text, or json with a record a line."},
	  {"verify", PARAM_FLAG, false, "Verifies the hash chain; exit status 1 if a record was changed."},
	  {"archive", PARAM_OPTION, false,
	   "With --verify: a file that `dari log archive` wrote; several, oldest first.", .is_path = true,
	   .repeats = true},
	  {"digest", PARAM_OPTION, false,
	   "With --verify: a digest printed earlier, which must still be in the chain."}},
	 .run = log_audit,
	 .is_anywhere = true,
	 .pages = true},
	{0},
};
