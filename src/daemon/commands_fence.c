/* SPDX-License-Identifier: Apache-2.0
 * dari host …: hosts that are dead: how they are turned off, what proves it, and what leaves them. */
#include "auth/key.h"
#include "base/clock.h"
#include "base/file.h"
#include "daemon/authority.h"
#include "daemon/command.h"
#include "engine/instance/instance_evacuate.h"
#include "engine/region/fence.h"
#include "engine/region/host_forget.h"
#include "model/id.h"
#include "store/account.h"
#include "store/fence.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/snapshot.h"
#include "store/volume.h"

enum { SECRET_FILE_CAP = 4096, OPTIONS_MAX = 50 };

static struct ref host_arg(struct command_call *call)
{
	return (struct ref){.kind = KIND_HOST, .text = command_arg(call, "name"), .field = STR("name")};
}

static bool has_flag(const struct command_call *call, const char *name)
{
	return json_is_true(json_object_get(call->args, name));
}

/* ---- how it is turned off ---- */

/* name=value, line by line. */
static RESULT parse_options(struct command_call *call, struct tags *ret_options)
{
	struct str rest = command_arg(call, "option"), line, name;
	struct tag *options = arena_new_array(call->ctx.arena, struct tag, OPTIONS_MAX);
	size_t count = 0;
	if (!options)
		return ctx_no_memory(&call->ctx);
	while (str_split_next(&rest, '\n', &line)) {
		struct str value = line;
		if (count == OPTIONS_MAX || !memchr(line.p ? line.p : "", '=', line.n))
			return ctx_fail_field(&call->ctx, ERR_INVALID, STR("option"),
					      "--option wants NAME=VALUE, %d times at most", OPTIONS_MAX);
		(void) str_split_next(&value, '=', &name);
		options[count++] = (struct tag){name, value};
	}
	*ret_options = (struct tags){options, count};
	return OK;
}

/* Every line of it goes to the program as it is. */
static RESULT read_secret(struct command_call *call, uuid host, struct str *ret_sealed)
{
	struct ctx *c = &call->ctx;
	struct str path = command_arg(call, "secret-file"), text, line;
	if (!path.n)
		return OK;
	TRY(file_read(c, str_to_z(c->arena, path), SECRET_FILE_CAP, &text));
	struct str secret = str_print(c->arena, "%" STR_FMT "\n", STR_ARG(str_trim(text)));
	struct str rest = str_trim(text);
	while (str_split_next(&rest, '\n', &line))
		if (!memchr(line.p, '=', line.n) || str_starts_with(line, STR("action=")))
			return ctx_fail_field(c, ERR_INVALID, STR("secret-file"),
					      "each line of the secret file is NAME=VALUE, such as passwd=…");
	TRY(key_seal(c, call->daemon->master_key, host, secret, ret_sealed));
	crypto_wipe((void *) text.p, text.n);
	crypto_wipe((void *) secret.p, secret.n);
	return OK;
}

static uuid find_host_id(struct command_call *call)
{
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	const struct host *h = host_find_by_name(view.tables, command_arg(call, "name"));
	return h ? h->row.id : UUID_NONE; /* the operation says so */
}

/* Separated by commas. */
static RESULT read_addresses(struct command_call *call, struct strs *ret_addresses)
{
	struct str rest = command_arg(call, "blocklist"), address;
	struct str *addresses = arena_new_array(call->ctx.arena, struct str, OPTIONS_MAX);
	if (!addresses)
		return ctx_no_memory(&call->ctx);
	*ret_addresses = (struct strs){addresses, 0};
	while (str_split_next(&rest, ',', &address))
		if (ret_addresses->count < OPTIONS_MAX)
			addresses[ret_addresses->count++] = address;
	return OK;
}

static RESULT host_set_fence(struct command_call *call)
{
	struct fence_device_wish wish = {.host = host_arg(call), .command = command_arg(call, "command")};
	bool removes = has_flag(call, "none");
	TRY(read_addresses(call, &wish.addresses));
	if (removes + (wish.command.n > 0) + (wish.addresses.count > 0) != 1)
		return ctx_fail_field(
			&call->ctx, ERR_INVALID, STR("command"),
			"--command names the program that turns the host off, --blocklist has Ceph keep "
			"it out, or --none takes that away");
	TRY(parse_options(call, &wish.options));
	TRY(read_secret(call, find_host_id(call), &wish.secret));
	TRY(command_int_arg(call, "after-s", 0, FENCE_AFTER_S_MIN, FENCE_AFTER_S_MAX, &wish.after_s));
	if (has_flag(call, "by-hand"))
		wish.after_s = -1;
	TRY(command_commit(call, "dari:host set-fence", engine_set_fence_device_run, &wish));
	buf_print(&call->text, "host %" STR_FMT " %s\n", STR_ARG(wish.host.text),
		  removes              ? "has no fence command any more"
		  : wish.after_s == -1 ? "is turned off by `dari host fence` alone"
				       : "is turned off when it is dead: see `dari doctor`");
	return OK;
}

/* ---- that it is off ---- */

static RESULT host_fence(struct command_call *call)
{
	struct fence_asking wish = {.host = host_arg(call), .reason = command_arg(call, "reason")};
	TRY(command_commit(call, "dari:host fence", engine_ask_fence_run, &wish));
	buf_print(&call->text, "host %" STR_FMT " is being turned off: dari host fences %" STR_FMT "\n",
		  STR_ARG(wish.host.text), STR_ARG(wish.host.text));
	return OK;
}

static RESULT host_fenced(struct command_call *call)
{
	struct fence_word wish = {.host = host_arg(call), .who = command_arg(call, "by")};
	if (!has_flag(call, "i-have-seen-it-off"))
		return ctx_fail_field(&call->ctx, ERR_MISSING, STR("i-have-seen-it-off"),
				      "its guests are started elsewhere on your word: if it runs on, they "
				      "run twice and their disks "
				      "are destroyed. Say --i-have-seen-it-off once you have");
	if (!wish.who.n)
		wish.who = call->from;
	TRY(command_commit(call, "dari:host fenced", engine_vouch_fence_run, &wish));
	buf_print(&call->text,
		  "host %" STR_FMT " counts as off; keep it off until its guests are elsewhere\n",
		  STR_ARG(wish.host.text));
	return OK;
}

static void write_fence(struct command_call *call, const struct host *host, const struct fence *f)
{
	char asked[CLOCK_TEXT_SIZE], confirmed[CLOCK_TEXT_SIZE] = "", ended[CLOCK_TEXT_SIZE] = "";
	(void) clock_write_s(f->row.created_us, asked);
	if (f->confirmed_us)
		(void) clock_write_s(f->confirmed_us, confirmed);
	if (f->ended_us)
		(void) clock_write_s(f->ended_us, ended);
	buf_print(&call->text, "%-16.*s %-20s %-9s %-7s %-20s %5zu  %" STR_FMT "\n", STR_ARG(host->name),
		  asked, fence_stage_words[f->stage], fence_proof_words[f->proof], ended, f->left.count,
		  STR_ARG(f->problem.n ? f->problem : f->reason));
	(void) json_array_append_new(
		call->value,
		json_pack("{s:s%, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s%, s:s%}", "host", host->name.p,
			  host->name.n, "asked", asked, "asked_by", fence_asked_by_words[f->asked_by],
			  "stage", fence_stage_words[f->stage], "proof", fence_proof_words[f->proof],
			  "confirmed", confirmed, "ended", ended, "left", (json_int_t) f->left.count,
			  "reason", f->reason.p ? f->reason.p : "", f->reason.n, "problem",
			  f->problem.p ? f->problem.p : "", f->problem.n));
}

static RESULT host_fences(struct command_call *call)
{
	struct str name = command_arg(call, "name");
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	call->value = json_array();
	buf_print(&call->text, "%-16s %-20s %-9s %-7s %-20s %5s  %s\n", "host", "asked", "stage", "proof",
		  "over", "left", "why");
	for (const struct host *h = host_first(view.tables); h; h = host_next(view.tables, h))
		for (const struct fence *f = fence_first_by_host(view.tables, h->row.id);
		     f && (!name.n || str_equal(name, h->name)); f = fence_next_by_host(view.tables, f))
			write_fence(call, h, f);
	return OK;
}

/* ---- what leaves it ---- */

static RESULT run_evacuation(struct command_call *call, struct host_evacuation *wish)
{
	if (!has_flag(call, "plan"))
		return command_commit(call, "dari:host evacuate", engine_evacuate_host_run, wish);
	struct result result = command_commit(call, "dari:host evacuate", engine_plan_evacuation_run, wish);
	if (result.code != ERR_AGAIN || !wish->instances)
		return result;
	ctx_clear_problem(&call->ctx);
	return OK;
}

static RESULT host_evacuate(struct command_call *call)
{
	struct host_evacuation wish = {.host = host_arg(call), .rebuilds = has_flag(call, "rebuild")};
	TRY(run_evacuation(call, &wish));
	command_write_moves(call, wish.instances, wish.instance_count, "waits:");
	return OK;
}

/* ---- one that never comes back ---- */

static const char *const lost_words[] = {
	[KIND_INSTANCE] = "is off, and cannot be started as it is",
	[KIND_VOLUME] = "is lost",
	[KIND_SNAPSHOT] = "fails",
};

static void write_lost(struct command_call *call, const struct tables *t, const struct lost_thing *lost)
{
	struct str id = id_to_ec2(call->ctx.arena, lost->kind, lost->id), account = STR_NONE;
	const struct volume *v = lost->kind == KIND_VOLUME ? volume_find(t, lost->id) : NULL;
	const struct instance *i = lost->kind == KIND_INSTANCE ? instance_find(t, lost->id) : NULL;
	const struct snapshot *s = lost->kind == KIND_SNAPSHOT ? snapshot_find(t, lost->id) : NULL;
	const struct account *owner = account_find(t, v   ? v->account
						      : i ? i->account
						      : s ? s->account
							  : UUID_NONE);
	int64_t gib = v ? v->size >> 30 : 0;
	if (owner)
		account = owner->name;
	buf_print(&call->text, "%" STR_FMT " of account %" STR_FMT, STR_ARG(id), STR_ARG(account));
	if (v)
		buf_print(&call->text, ", %lld GiB,", (long long) gib);
	buf_print(&call->text, " %s\n", lost_words[lost->kind]);
	(void) json_array_append_new(
		call->value, json_pack("{s:s, s:s%, s:s%}", "kind", model_kinds[lost->kind].name, "id", id.p,
				       id.n, "account", account.p ? account.p : "", account.n));
}

static RESULT plan_forgetting(struct command_call *call, struct host_forgetting *wish)
{
	struct result result = command_commit(call, "dari:host forget", engine_plan_forgetting_run, wish);
	if (result.code != ERR_AGAIN)
		return result;
	ctx_clear_problem(&call->ctx);
	return OK;
}

static RESULT host_forget_lost(struct command_call *call)
{
	struct host_forgetting wish = {.host = host_arg(call)};
	bool is_plan = has_flag(call, "plan");
	if (is_plan == has_flag(call, "disks-lost"))
		return ctx_fail_field(
			&call->ctx, ERR_MISSING, STR("disks-lost"),
			"the disks that the host alone has are lost with it: --plan says which, "
			"--disks-lost forgets them");
	TRY(is_plan ? plan_forgetting(call, &wish)
		    : command_commit(call, "dari:host forget", engine_forget_host_run, &wish));
	if (!is_plan)
		TRY(authority_forget_host(&call->ctx, &call->daemon->settings, wish.host.text));
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	call->value = json_array();
	for (size_t k = 0; k < wish.lost.count; k++)
		write_lost(call, view.tables, &wish.lost.at[k]);
	buf_print(&call->text, "host %" STR_FMT " %s\n", STR_ARG(wish.host.text),
		  is_plan ? "would be forgotten" : "is forgotten");
	return OK;
}

const struct command fence_commands[] = {
	{"host set-fence",
	 "Says how a host is turned off when it is dead: by a fence agent, such as /usr/sbin/fence_ipmilan; "
	 "or that Ceph "
	 "keeps it out.",
	 {{"name", PARAM_POSITIONAL, true, "The host."},
	  {"command", PARAM_OPTION, false,
	   "The program, by its whole path; it is told what to do on its standard input."},
	  {"option", PARAM_OPTION, false,
	   "NAME=VALUE for it, such as ipaddr=192.0.2.7; may be given several times.", .repeats = true},
	  {"secret-file", PARAM_OPTION, false,
	   "A file of such lines that nobody is to see, such as passwd=…; kept sealed, and never shown.",
	   .is_path = true},
	  {"blocklist", PARAM_OPTION, false,
	   "The addresses from which its guests reach Ceph, with commas: Ceph keeps them out, which lets go "
	   "of guests "
	   "whose disks all lie in pools of Ceph."},
	  {"after-s", PARAM_OPTION, false,
	   "After how many seconds of silence it is turned off by itself; absent: as the setting "
	   "hosts.fence_after_s "
	   "says, else 120."},
	  {"by-hand", PARAM_FLAG, false, "Never by itself."},
	  {"none", PARAM_FLAG, false, "It has none any more."}},
	 .run = host_set_fence},
	{"host fence",
	 "Turns off a host that does not answer, by its fence command.",
	 {{"name", PARAM_POSITIONAL, true, "The host."},
	  {"reason", PARAM_OPTION, false, "Why, for its history."}},
	 .run = host_fence,
	 .is_anywhere = true},
	{"host fenced",
	 "Takes your word that a host is off: what it had may be started elsewhere.",
	 {{"name", PARAM_POSITIONAL, true, "The host."},
	  {"i-have-seen-it-off", PARAM_FLAG, false,
	   "You have: no guest of it runs, and it stays off for now."},
	  {"by", PARAM_OPTION, false, "Your name, for its history."}},
	 .run = host_fenced,
	 .is_anywhere = true},
	{"host fences",
	 "Lists when hosts were to be off, what proved it, and how many instances left them then.",
	 {{"name", PARAM_POSITIONAL, false, "One host; absent: all."}},
	 .run = host_fences,
	 .is_anywhere = true},
	{"host evacuate",
	 "Has the instances of a host that is off started elsewhere; says which wait for it, and why.",
	 {{"name", PARAM_POSITIONAL, true, "The host."},
	  {"rebuild", PARAM_FLAG, false, "Root disks that are there alone are made anew from their images."},
	  {"plan", PARAM_FLAG, false, "Only says what would become of each."}},
	 .run = host_evacuate,
	 .is_anywhere = true},
	{"host forget",
	 "Forgets a host that is off and never comes back, with the disks that it alone has; says which.",
	 {{"name", PARAM_POSITIONAL, true, "The host."},
	  {"disks-lost", PARAM_FLAG, false, "They are: volumes there are errors from now on."},
	  {"plan", PARAM_FLAG, false, "Only says what would be lost."}},
	 .run = host_forget_lost,
	 .is_anywhere = true},
	{0},
};
